/**
 * A pool as a service would write it: an object and two Buffers a transaction, a Map by hash, a Map by address, a sorted array a
 * list, arrays of objects as heaps.
 */
import type { Stage } from "./lifecycle.ts";
import type { HeapColumns } from "./price-heap.ts";
import { copyBytes } from "./row-index.ts";
import { type AccountSet, EXECUTABLE, type Footprint, type List, type Store, type StoreUsage } from "./store.ts";
import { ADDRESS_BYTES, HASH_BYTES, type Transaction, type TransactionType } from "./transaction.ts";

export class TransactionRecord {
  type: TransactionType = 0;
  nonce = 0;
  gas = 0;
  feeCap = 0;
  tip = 0;
  arrival = 0;
  /** The encoding; in the pooled store the buffer may be longer than it. */
  raw: Buffer;
  rawBytes = 0;
  readonly hash: Buffer = Buffer.allocUnsafe(HASH_BYTES);
  /** The hash as a key of the Map; empty until it is in the pool. */
  key = "";
  account: Account | undefined = undefined;
  executable = false;
  live = false;
  priced = false;

  constructor(raw: Buffer) {
    this.raw = raw;
  }
}

export class Account {
  readonly key: string;
  readonly address: Buffer;
  readonly serial: number;
  nonce: number;
  beat = 0;
  heavyPlace = -1;
  /** Executable and future, each in the order of nonces. */
  readonly lists: readonly [TransactionRecord[], TransactionRecord[]] = [[], []];

  constructor(key: string, address: Buffer, serial: number, nonce: number) {
    this.key = key;
    this.address = address;
    this.serial = serial;
    this.nonce = nonce;
  }
}

/** A Set keeps the order in which members were put in. */
class InsertionOrder<A> implements AccountSet<A> {
  readonly #members = new Set<A>();

  touch(account: A): void {
    this.#members.delete(account);
    this.#members.add(account);
  }

  delete(account: A): void {
    this.#members.delete(account);
  }

  first(): A | undefined {
    return this.#members.values().next().value;
  }

  forEach(visit: (account: A) => void): void {
    for (const account of this.#members) visit(account);
  }
}

/**
 * V8's sizes on 64 bits without pointer compression, bytes: what stands on the heap for one transaction. The record's fields and
 * header; a boxed number for each of nonce, gas, fee cap, tip and arrival once they are no small integers (the fees, in practice);
 * a Buffer (JSTypedArray with its embedder fields). Checked against a measured heap in test/integration/txpool-memory.test.ts.
 */
const RECORD_BYTES = 24 + 15 * 8;
const BOXED_NUMBER_BYTES = 16;
const BUFFER_BYTES = 120;
/** The latin1 key: header and 32 characters. */
const KEY_BYTES = 16 + HASH_BYTES;
/** Map entry (key, value, chain) with its share of buckets and spare room; a list's element with spare room; a heap's two. */
const MAP_ENTRY_BYTES = 44;
const LIST_BYTES = 12;
const HEAP_BYTES = 20;

export class NaiveStore implements Store<TransactionRecord, Account> {
  readonly executableAccounts: AccountSet<Account> = new InsertionOrder();
  readonly futureAccounts: AccountSet<Account> = new InsertionOrder();
  readonly dirtyAccounts: AccountSet<Account> = new InsertionOrder();
  readonly #byHash = new Map<string, TransactionRecord>();
  readonly #byAddress = new Map<string, Account>();
  #records = 0;

  create(tx: Transaction, arrival: number): TransactionRecord {
    const record = this.obtain(tx, arrival);
    this.#records++;
    record.type = tx.type;
    record.nonce = tx.nonce;
    record.gas = tx.gas;
    record.feeCap = tx.feeCap;
    record.tip = tx.tip;
    record.arrival = arrival;
    record.rawBytes = tx.end - tx.start;
    record.hash.set(tx.hash);
    return record;
  }

  /** A record with a copy of the encoding in it. */
  protected obtain(tx: Transaction, _arrival: number): TransactionRecord {
    return new TransactionRecord(Buffer.from(tx.raw.subarray(tx.start, tx.end)));
  }

  /** A record that nothing refers to any more: the collector's. */
  protected retire(_record: TransactionRecord): void {}

  release(record: TransactionRecord): void {
    if (record.live) this.#byHash.delete(record.key);
    record.live = false;
    record.account = undefined;
  }

  recycle(record: TransactionRecord): void {
    this.#records--;
    this.retire(record);
  }

  publish(record: TransactionRecord, account: Account): void {
    record.key = record.hash.toString("latin1");
    record.account = account;
    record.live = true;
    this.#byHash.set(record.key, record);
  }

  find(hash: Uint8Array, at: number): TransactionRecord | undefined {
    return this.#byHash.get(latin1(hash, at, HASH_BYTES));
  }

  read(record: TransactionRecord, into: Transaction): void {
    into.type = record.type;
    into.nonce = record.nonce;
    into.gas = record.gas;
    into.feeCap = record.feeCap;
    into.tip = record.tip;
    into.raw = record.raw;
    into.start = 0;
    into.end = record.rawBytes;
    into.hash.set(record.hash);
    into.sender.set(this.accountOf(record).address);
  }

  copyHash(record: TransactionRecord, into: Uint8Array, at: number): void {
    copyBytes(record.hash, 0, into, at, HASH_BYTES);
  }

  nonce(record: TransactionRecord): number {
    return record.nonce;
  }

  gas(record: TransactionRecord): number {
    return record.gas;
  }

  feeCap(record: TransactionRecord): number {
    return record.feeCap;
  }

  tip(record: TransactionRecord): number {
    return record.tip;
  }

  arrival(record: TransactionRecord): number {
    return record.arrival;
  }

  rawBytes(record: TransactionRecord): number {
    return record.rawBytes;
  }

  isLive(record: TransactionRecord): boolean {
    return record.live;
  }

  isPriced(record: TransactionRecord): boolean {
    return record.priced;
  }

  setPriced(record: TransactionRecord, priced: boolean): void {
    record.priced = priced;
  }

  forEachPriced(_visit: (record: TransactionRecord) => void, byHeap: () => void): void {
    byHeap();
  }

  isExecutable(record: TransactionRecord): boolean {
    return record.executable;
  }

  accountOf(record: TransactionRecord): Account {
    if (record.account === undefined) throw new TypeError("the transaction is in no account");
    return record.account;
  }

  findAccount(address: Uint8Array, at: number): Account | undefined {
    return this.#byAddress.get(latin1(address, at, ADDRESS_BYTES));
  }

  openAccount(address: Uint8Array, nonce: number, serial: number): Account {
    const account = new Account(latin1(address, 0, ADDRESS_BYTES), Buffer.from(address), serial, nonce);
    this.#byAddress.set(account.key, account);
    return account;
  }

  closeAccount(account: Account): void {
    this.#byAddress.delete(account.key);
  }

  copyAddress(account: Account, into: Uint8Array, at: number): void {
    copyBytes(account.address, 0, into, at, ADDRESS_BYTES);
  }

  chainNonce(account: Account): number {
    return account.nonce;
  }

  setChainNonce(account: Account, nonce: number): void {
    account.nonce = nonce;
  }

  serial(account: Account): number {
    return account.serial;
  }

  beat(account: Account): number {
    return account.beat;
  }

  setBeat(account: Account, now: number): void {
    account.beat = now;
  }

  heavyPlace(account: Account): number {
    return account.heavyPlace;
  }

  setHeavyPlace(account: Account, place: number): void {
    account.heavyPlace = place;
  }

  at(account: Account, nonce: number): TransactionRecord | undefined {
    for (const list of account.lists) {
      const record = list[placeOf(list, nonce)];
      if (record?.nonce === nonce) return record;
    }
    return undefined;
  }

  length(account: Account, list: List): number {
    return account.lists[list].length;
  }

  first(account: Account, list: List): TransactionRecord | undefined {
    return account.lists[list][0];
  }

  last(account: Account, list: List): TransactionRecord | undefined {
    return account.lists[list].at(-1);
  }

  next(record: TransactionRecord): TransactionRecord | undefined {
    const list = listOf(record, this.accountOf(record));
    return list[placeOf(list, record.nonce) + 1];
  }

  insert(account: Account, list: List, record: TransactionRecord): void {
    const records = account.lists[list];
    const place = placeOf(records, record.nonce);
    if (place === records.length) records.push(record);
    else records.splice(place, 0, record);
    record.executable = list === EXECUTABLE;
  }

  remove(record: TransactionRecord): void {
    const list = listOf(record, this.accountOf(record));
    const place = placeOf(list, record.nonce);
    if (place === 0) list.shift();
    else if (place === list.length - 1) list.pop();
    else list.splice(place, 1);
  }

  heapColumns(capacity: number): HeapColumns<TransactionRecord> {
    return { refs: [], keys: [], capacity };
  }

  accountColumn(): Account[] {
    return [];
  }

  footprint(stage: Stage, rawBytes: number): Footprint {
    const record = RECORD_BYTES + 2 * BOXED_NUMBER_BYTES + 2 * BUFFER_BYTES;
    const bytes = rawBytes + HASH_BYTES;
    // Its Buffers and the memory behind each.
    if (stage === "pending") return { heapBytes: record, externalBytes: bytes, references: 4 };
    // And the key that it was looked for by, and the account.
    if (stage === "validating") return { heapBytes: record + KEY_BYTES, externalBytes: bytes, references: 6 };
    // And from the Map (key and record), the list and the heap.
    const entries = MAP_ENTRY_BYTES + LIST_BYTES + HEAP_BYTES;
    return { heapBytes: record + KEY_BYTES + entries, externalBytes: bytes, references: 10 };
  }

  usage(): StoreUsage {
    return {
      records: this.#records,
      indexEntries: this.#byHash.size,
      accounts: this.#byAddress.size,
      slabSlots: 0,
    };
  }
}

function latin1(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString("latin1");
}

function listOf(record: TransactionRecord, account: Account): TransactionRecord[] {
  return account.lists[record.executable ? 0 : 1];
}

/** Where a nonce is in a list, or would be. */
function placeOf(list: readonly TransactionRecord[], nonce: number): number {
  const last = list.at(-1);
  // Mostly the newest comes last.
  if (last === undefined || last.nonce < nonce) return list.length;
  let from = 0;
  let to = list.length - 1;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((list[middle] as TransactionRecord).nonce < nonce) from = middle + 1;
    else to = middle;
  }
  return from;
}

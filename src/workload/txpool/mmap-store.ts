/**
 * Nothing of a transaction on the JavaScript heap: what is handed out lies in a slab's slot, what the pool sorts and walks by in
 * columns of typed arrays. A transaction is a row, an account is a row; both are small integers.
 *
 * A slot:   0     32    40     48
 *           hash  gas   type   encoding ...
 *           32    f64   u32
 */
import { GcspikeError } from "../../lib/errors.ts";
import type { SlabPool } from "../../slab/slab-pool.ts";
import { AccountRows } from "./account-rows.ts";
import { Arena } from "./arena.ts";
import type { Stage } from "./lifecycle.ts";
import type { HeapColumns } from "./price-heap.ts";
import { heapCapacity } from "./priced-list.ts";
import { codeOfPair, copyBytes, RowIndex, sameBytes } from "./row-index.ts";
import { RowPool } from "./row-pool.ts";
import {
  type AccountSet,
  EXECUTABLE,
  type Footprint,
  FUTURE,
  type List,
  type Store,
  type StoreUsage,
} from "./store.ts";
import { ADDRESS_BYTES, HASH_BYTES, type Transaction, type TransactionType } from "./transaction.ts";

const GAS_AT = 32;
const TYPE_AT = 40;
const RAW_AT = 48;
const NONE = -1;

const LIVE = 1;
const PRICED = 2;
const IS_EXECUTABLE = 4;

/** Bytes of a slot that holds an encoding of so many bytes. */
export function slotBytes(rawBytes: number): number {
  return RAW_AT + rawBytes;
}

/** Columns of the transactions' rows. */
function columnsOf(arena: Arena, rows: number) {
  return {
    free: new RowPool(arena, rows),
    handles: arena.f64(rows),
    nonces: arena.f64(rows),
    feeCaps: arena.f64(rows),
    tips: arena.f64(rows),
    arrivals: arena.f64(rows),
    rawBytes: arena.i32(rows),
    accounts: arena.i32(rows),
    previous: arena.i32(rows),
    next: arena.i32(rows),
    flags: arena.u8(rows),
    byHash: new RowIndex(arena, rows),
    byNonce: new RowIndex(arena, rows),
  };
}

type Columns = ReturnType<typeof columnsOf>;

/** Those that a price heap refers to, stale ones too, and the newcomer. */
function rowsFor(capacity: number): number {
  return heapCapacity(capacity) + 1;
}

/** So that no other slots of the size class are smaller. */
const TABLES_UNIT = 1024 ** 2;

/** Bytes that the store's tables take, for a pool of `capacity` transactions: also those of one pool and one block builder. */
export function mmapTableBytes(capacity: number): number {
  const arena = new Arena();
  columnsOf(arena, rowsFor(capacity));
  new AccountRows(arena, capacity + 1);
  for (const heap of [heapCapacity(capacity), heapCapacity(capacity), capacity]) heapColumnsOf(arena, heap);
  arena.i32(capacity);
  return Math.ceil(arena.usedBytes / TABLES_UNIT) * TABLES_UNIT;
}

function heapColumnsOf(arena: Arena, capacity: number): HeapColumns<number> {
  return { refs: arena.i32(capacity), keys: arena.f64(capacity), capacity };
}

export class MmapStore implements Store<number, number> {
  readonly executableAccounts: AccountSet<number>;
  readonly futureAccounts: AccountSet<number>;
  readonly dirtyAccounts: AccountSet<number>;
  readonly #arena: Arena;
  readonly #columns: Columns;
  readonly #accounts: AccountRows;
  readonly #slab: SlabPool;
  readonly #bytes: Uint8Array;
  readonly #u32: Uint32Array;
  readonly #f64: Float64Array;
  #slotsUsed = 0;

  /** `slab`: fresh from `openMmapSlab(capacity)`, and nobody else's. */
  constructor(slab: SlabPool, capacity: number) {
    const { bytes } = slab;
    const tables = slab.offsetOf(slab.alloc(mmapTableBytes(capacity)));
    this.#slab = slab;
    this.#bytes = bytes;
    this.#u32 = new Uint32Array(bytes.buffer);
    this.#f64 = new Float64Array(bytes.buffer);
    this.#arena = new Arena(bytes.subarray(tables, tables + mmapTableBytes(capacity)));
    this.#columns = columnsOf(this.#arena, rowsFor(capacity));
    this.#accounts = new AccountRows(this.#arena, capacity + 1);
    const { executable, future, dirty } = this.#accounts;
    this.executableAccounts = executable;
    this.futureAccounts = future;
    this.dirtyAccounts = dirty;
  }

  create(tx: Transaction, arrival: number): number {
    const c = this.#columns;
    const handle = this.#slab.alloc(slotBytes(tx.end - tx.start));
    const row = c.free.take();
    if (row < 0) {
      this.#slab.free(handle);
      throw new GcspikeError("pool-rows", `The pool's table of ${c.nonces.length} rows is full.`, {
        hint: "The store was made for a smaller pool: give both the same capacity.",
      });
    }
    this.#slotsUsed++;
    const at = this.#slab.offsetOf(handle);
    copyBytes(tx.hash, 0, this.#bytes, at, HASH_BYTES);
    this.#f64[(at + GAS_AT) >> 3] = tx.gas;
    this.#u32[(at + TYPE_AT) >> 2] = tx.type;
    copyBytes(tx.raw, tx.start, this.#bytes, at + RAW_AT, tx.end - tx.start);
    c.handles[row] = handle;
    c.nonces[row] = tx.nonce;
    c.feeCaps[row] = tx.feeCap;
    c.tips[row] = tx.tip;
    c.arrivals[row] = arrival;
    c.rawBytes[row] = tx.end - tx.start;
    c.flags[row] = 0;
    // For `publish`, which else would have to look into the slot.
    c.byHash.codes[row] = codeOfHash(tx.hash, 0);
    return row;
  }

  release(row: number): void {
    const c = this.#columns;
    if (this.isLive(row)) c.byHash.remove(row);
    c.flags[row] = this.#flags(row) & ~LIVE;
    // The handle stays, stale: to read the row's slot from now on is an error, never somebody else's transaction.
    this.#slab.free(c.handles[row] as number);
    this.#slotsUsed--;
  }

  recycle(row: number): void {
    this.#columns.free.give(row);
  }

  publish(row: number, account: number): void {
    const c = this.#columns;
    c.accounts[row] = account;
    c.flags[row] = this.#flags(row) | LIVE;
    c.byHash.insert(row, c.byHash.codes[row] as number);
  }

  find(hash: Uint8Array, at: number): number | undefined {
    const { byHash } = this.#columns;
    const code = codeOfHash(hash, at);
    for (let place = byHash.start(code); ; place = byHash.step(place)) {
      const row = byHash.rowAt(place);
      if (row < 0) return undefined;
      if (byHash.codes[row] !== code) continue;
      if (sameBytes(this.#bytes, this.#slotOf(row), hash, at, HASH_BYTES)) return row;
    }
  }

  read(row: number, into: Transaction): void {
    const c = this.#columns;
    const at = this.#slotOf(row);
    into.type = this.#u32[(at + TYPE_AT) >> 2] as TransactionType;
    into.nonce = this.nonce(row);
    into.gas = this.gas(row);
    into.feeCap = this.feeCap(row);
    into.tip = this.tip(row);
    into.raw = this.#bytes;
    into.start = at + RAW_AT;
    into.end = at + RAW_AT + (c.rawBytes[row] as number);
    copyBytes(this.#bytes, at, into.hash, 0, HASH_BYTES);
    this.copyAddress(this.accountOf(row), into.sender, 0);
  }

  copyHash(row: number, into: Uint8Array, at: number): void {
    copyBytes(this.#bytes, this.#slotOf(row), into, at, HASH_BYTES);
  }

  nonce(row: number): number {
    return this.#columns.nonces[row] as number;
  }

  gas(row: number): number {
    return this.#f64[(this.#slotOf(row) + GAS_AT) >> 3] as number;
  }

  feeCap(row: number): number {
    return this.#columns.feeCaps[row] as number;
  }

  tip(row: number): number {
    return this.#columns.tips[row] as number;
  }

  arrival(row: number): number {
    return this.#columns.arrivals[row] as number;
  }

  rawBytes(row: number): number {
    return this.#columns.rawBytes[row] as number;
  }

  isLive(row: number): boolean {
    return (this.#flags(row) & LIVE) !== 0;
  }

  isPriced(row: number): boolean {
    return (this.#flags(row) & PRICED) !== 0;
  }

  setPriced(row: number, priced: boolean): void {
    this.#columns.flags[row] = priced ? this.#flags(row) | PRICED : this.#flags(row) & ~PRICED;
  }

  /** Row by row: in the order of the heaps each would be a cache miss, four times the time. */
  forEachPriced(visit: (row: number) => void): void {
    const { flags, free } = this.#columns;
    for (let row = 0; row < free.touched; row++) if (((flags[row] as number) & PRICED) !== 0) visit(row);
  }

  isExecutable(row: number): boolean {
    return (this.#flags(row) & IS_EXECUTABLE) !== 0;
  }

  accountOf(row: number): number {
    return this.#columns.accounts[row] as number;
  }

  findAccount(address: Uint8Array, at: number): number | undefined {
    return this.#accounts.find(address, at);
  }

  openAccount(address: Uint8Array, nonce: number, serial: number): number {
    return this.#accounts.open(address, nonce, serial);
  }

  closeAccount(account: number): void {
    this.#accounts.close(account);
  }

  copyAddress(account: number, into: Uint8Array, at: number): void {
    copyBytes(this.#accounts.addresses, account * ADDRESS_BYTES, into, at, ADDRESS_BYTES);
  }

  chainNonce(account: number): number {
    return this.#accounts.nonces[account] as number;
  }

  setChainNonce(account: number, nonce: number): void {
    this.#accounts.nonces[account] = nonce;
  }

  serial(account: number): number {
    return this.#accounts.serials[account] as number;
  }

  beat(account: number): number {
    return this.#accounts.beats[account] as number;
  }

  setBeat(account: number, now: number): void {
    this.#accounts.beats[account] = now;
  }

  heavyPlace(account: number): number {
    return this.#accounts.heavyPlaces[account] as number;
  }

  setHeavyPlace(account: number, place: number): void {
    this.#accounts.heavyPlaces[account] = place;
  }

  at(account: number, nonce: number): number | undefined {
    const { byNonce, accounts, nonces } = this.#columns;
    const code = codeOfPair(account, nonce);
    for (let place = byNonce.start(code); ; place = byNonce.step(place)) {
      const row = byNonce.rowAt(place);
      if (row < 0) return undefined;
      if (byNonce.codes[row] === code && accounts[row] === account && nonces[row] === nonce) return row;
    }
  }

  length(account: number, list: List): number {
    return this.#accounts.lists(list).lengths[account] as number;
  }

  first(account: number, list: List): number | undefined {
    return orUndefined(this.#accounts.lists(list).first[account] as number);
  }

  last(account: number, list: List): number | undefined {
    return orUndefined(this.#accounts.lists(list).last[account] as number);
  }

  next(row: number): number | undefined {
    return orUndefined(this.#columns.next[row] as number);
  }

  insert(account: number, list: List, row: number): void {
    const c = this.#columns;
    const before = this.#rowBefore(account, list, this.nonce(row));
    const lists = this.#accounts.lists(list);
    const after = before === NONE ? (lists.first[account] as number) : (c.next[before] as number);
    c.previous[row] = before;
    c.next[row] = after;
    if (before === NONE) lists.first[account] = row;
    else c.next[before] = row;
    if (after === NONE) lists.last[account] = row;
    else c.previous[after] = row;
    lists.lengths[account] = (lists.lengths[account] as number) + 1;
    c.flags[row] = list === EXECUTABLE ? this.#flags(row) | IS_EXECUTABLE : this.#flags(row) & ~IS_EXECUTABLE;
    c.byNonce.insert(row, codeOfPair(account, this.nonce(row)));
  }

  remove(row: number): void {
    const c = this.#columns;
    const account = this.accountOf(row);
    const lists = this.#accounts.lists(this.isExecutable(row) ? EXECUTABLE : FUTURE);
    const before = c.previous[row] as number;
    const after = c.next[row] as number;
    if (before === NONE) lists.first[account] = after;
    else c.next[before] = after;
    if (after === NONE) lists.last[account] = before;
    else c.previous[after] = before;
    lists.lengths[account] = (lists.lengths[account] as number) - 1;
    c.byNonce.remove(row);
  }

  heapColumns(capacity: number): HeapColumns<number> {
    return heapColumnsOf(this.#arena, capacity);
  }

  accountColumn(capacity: number): Int32Array {
    return this.#arena.i32(capacity);
  }

  footprint(stage: Stage, rawBytes: number): Footprint {
    const slot = slotBytes(rawBytes);
    if (stage !== "queued") return { heapBytes: 0, externalBytes: slot, references: 0 };
    const arena = new Arena();
    columnsOf(arena, 1024);
    return { heapBytes: 0, externalBytes: slot + Math.ceil(arena.usedBytes / 1024), references: 0 };
  }

  usage(): StoreUsage {
    const { free, byHash } = this.#columns;
    return {
      records: free.used,
      indexEntries: byHash.size,
      accounts: this.#accounts.used,
      slabSlots: this.#slotsUsed,
    };
  }

  #flags(row: number): number {
    return this.#columns.flags[row] as number;
  }

  #slotOf(row: number): number {
    return this.#slab.offsetOf(this.#columns.handles[row] as number);
  }

  /** The row that a nonce follows in a list, or NONE. Neighbours first, then from the end, where most arrive. */
  #rowBefore(account: number, list: List, nonce: number): number {
    const { nonces, previous } = this.#columns;
    const neighbour = this.at(account, nonce - 1);
    if (neighbour !== undefined && this.isExecutable(neighbour) === (list === EXECUTABLE)) return neighbour;
    let row = this.#accounts.lists(list).last[account] as number;
    while (row !== NONE && (nonces[row] as number) > nonce) row = previous[row] as number;
    return row;
  }
}

function orUndefined(row: number): number | undefined {
  return row === NONE ? undefined : row;
}

/** Hashes are spread already: their first four bytes. */
function codeOfHash(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/**
 * Where the pool keeps transactions. The rules are in pool.ts, once; a store only says how records, accounts and orders lie in
 * memory. `T` refers to a transaction and `A` to an account: objects in the naive and the pooled store, row numbers in mmap.
 */
import type { Stage } from "./lifecycle.ts";
import type { HeapColumns } from "./price-heap.ts";
import type { Transaction } from "./transaction.ts";

export const EXECUTABLE = 0;
export const FUTURE = 1;
/** Which of an account's two lists. */
export type List = typeof EXECUTABLE | typeof FUTURE;

export interface Store<T, A> {
  /**
   * A record with a copy of what it needs of `tx`, in no list, not to be found.
   * @throws GcspikeError, if there is no room; nothing has changed then
   */
  create(tx: Transaction, arrival: number): T;
  /** Takes it out of the index, if it is there, and gives its bytes back. Its price and nonce stay until it is recycled. */
  release(ref: T): void;
  /** Nothing refers to it any more: the record may be used again. */
  recycle(ref: T): void;
  /** Makes it one that can be found, and its account's. */
  publish(ref: T, account: A): void;
  /** By the 32 bytes at `hash[at]`. */
  find(hash: Uint8Array, at: number): T | undefined;
  /** Fills `into`. Its `raw` is the store's own memory: to be read at once, never written. */
  read(ref: T, into: Transaction): void;
  copyHash(ref: T, into: Uint8Array, at: number): void;

  nonce(ref: T): number;
  gas(ref: T): number;
  feeCap(ref: T): number;
  tip(ref: T): number;
  arrival(ref: T): number;
  rawBytes(ref: T): number;
  /** Published and not released. */
  isLive(ref: T): boolean;
  /** A price heap refers to it. */
  isPriced(ref: T): boolean;
  setPriced(ref: T, priced: boolean): void;
  /** Visits all that a price heap refers to, in the order of memory; `byHeap` does so in the order of the heaps. */
  forEachPriced(visit: (ref: T) => void, byHeap: () => void): void;
  isExecutable(ref: T): boolean;
  accountOf(ref: T): A;

  findAccount(address: Uint8Array, at: number): A | undefined;
  openAccount(address: Uint8Array, nonce: number, serial: number): A;
  /** Both of its lists are empty and it is in no set. */
  closeAccount(account: A): void;
  copyAddress(account: A, into: Uint8Array, at: number): void;
  /** The account's nonce in the chain. */
  chainNonce(account: A): number;
  setChainNonce(account: A, nonce: number): void;
  /** A number that tells accounts apart and grows with each that is opened. */
  serial(account: A): number;
  beat(account: A): number;
  setBeat(account: A, now: number): void;
  /** Its place among the heavy accounts; -1 if it is none of them, as when it is opened. */
  heavyPlace(account: A): number;
  setHeavyPlace(account: A, place: number): void;

  /** An account's transaction with this nonce, in either list: a nonce is in one of them at most. */
  at(account: A, nonce: number): T | undefined;
  length(account: A, list: List): number;
  /** In the order of nonces. */
  first(account: A, list: List): T | undefined;
  last(account: A, list: List): T | undefined;
  next(ref: T): T | undefined;
  /** The nonce must not be there. */
  insert(account: A, list: List, ref: T): void;
  remove(ref: T): void;

  /** With executable transactions. */
  readonly executableAccounts: AccountSet<A>;
  /** With future transactions, the one that has been silent for longest first. */
  readonly futureAccounts: AccountSet<A>;
  /** To be looked at when the pool is settled. */
  readonly dirtyAccounts: AccountSet<A>;

  /** Room for a heap of `capacity` references. */
  heapColumns(capacity: number): HeapColumns<T>;
  /** Room for `capacity` references to accounts. */
  accountColumn(capacity: number): { [index: number]: A };
  /** What one transaction takes in a stage, by this store's own layout. */
  footprint(stage: Stage, rawBytes: number): Footprint;
  /** Everything that is in use now: all zero for a pool that has been drained. */
  usage(): StoreUsage;
}

/** Accounts in the order in which they were last put in. */
export interface AccountSet<A> {
  /** Puts it at the end. */
  touch(account: A): void;
  delete(account: A): void;
  first(): A | undefined;
  /** A visit may take the account that it is given out of the set, and no other. */
  forEach(visit: (account: A) => void): void;
}

/** Memory of one transaction: bytes that the collector manages, bytes outside, and references that it must follow. */
export interface Footprint {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly references: number;
}

export interface StoreUsage {
  /** Records in use, also those that only a price heap still refers to. */
  readonly records: number;
  readonly indexEntries: number;
  readonly accounts: number;
  /** Slots of the slab; 0 in the stores that have none. */
  readonly slabSlots: number;
}

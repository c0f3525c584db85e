/** Pools over each of the three stores, transactions for them, and what is in them. */
import { AccountNonces } from "../../src/workload/txpool/account-nonces.ts";
import type { Head } from "../../src/workload/txpool/head.ts";
import type { Hooks } from "../../src/workload/txpool/lifecycle.ts";
import { capacityOf, type PoolLimits } from "../../src/workload/txpool/limits.ts";
import { openMmapSlab } from "../../src/workload/txpool/mmap-slab.ts";
import { MmapStore } from "../../src/workload/txpool/mmap-store.ts";
import { NaiveStore } from "../../src/workload/txpool/naive-store.ts";
import { Pool } from "../../src/workload/txpool/pool.ts";
import { PooledStore } from "../../src/workload/txpool/pooled-store.ts";
import { emptyTransaction, type Transaction } from "../../src/workload/txpool/transaction.ts";

export const GENESIS: Head = {
  number: 0,
  baseFee: 100,
  gasUsed: 15_000_000,
  gasLimit: 30_000_000,
  stateRoot: new Uint8Array(32),
};

export type AnyPool = Pool<unknown, unknown>;

export interface Subject {
  readonly name: StoreName;
  readonly pool: AnyPool;
  readonly chain: AccountNonces;
  /** A full collection, for the store that cares. */
  readonly collect: () => void;
  readonly close: () => void;
}

export const STORES = ["naive", "pooled never", "pooled evict", "mmap"] as const;
export type StoreName = (typeof STORES)[number];

export function makePool(name: StoreName, limits: PoolLimits, hooks: Hooks<unknown> = {}): Subject {
  const chain = new AccountNonces(1000);
  const capacity = capacityOf(limits);
  const common = { name, chain, collect: () => {}, close: () => {} };
  if (name === "naive") return { ...common, pool: erased(new Pool(new NaiveStore(), limits, chain, GENESIS, hooks)) };
  if (name === "mmap") {
    const slab = openMmapSlab(capacity);
    const pool = erased(new Pool(new MmapStore(slab, capacity), limits, chain, GENESIS, hooks));
    return { ...common, pool, close: () => slab.close() };
  }
  const store = new PooledStore(name === "pooled never" ? "never" : "evict", 3);
  const pool = erased(new Pool(store, limits, chain, GENESIS, hooks));
  return { ...common, pool, collect: () => store.pool.collect() };
}

/** Calls `use` with a pool over each store, and closes them. */
export function withPools<R>(limits: PoolLimits, use: (subjects: readonly Subject[]) => R): R {
  const subjects = STORES.map((name) => makePool(name, limits));
  try {
    return use(subjects);
  } finally {
    for (const subject of subjects) subject.close();
  }
}

/** References are not mixed between pools by these tests; what they are is each pool's own affair. */
function erased<T, A>(pool: Pool<T, A>): AnyPool {
  return pool as unknown as AnyPool;
}

/** Bytes that encodings are cut from: what they say is nothing to the pool. */
const ENCODINGS = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 131 + (i >> 8)) & 0xff);

export interface Sketch {
  /** Tells its hash apart; hashes of some ids begin with the same bytes. */
  readonly id: number;
  readonly sender: number;
  readonly nonce: number;
  readonly feeCap?: number;
  readonly tip?: number;
  readonly gas?: number;
  readonly bytes?: number;
}

export function transaction({
  id,
  sender,
  nonce,
  feeCap = 1000,
  tip = 10,
  gas = 21_000,
  bytes = 110,
}: Sketch): Transaction {
  const tx = emptyTransaction();
  const start = id % 1000;
  Object.assign(tx, { type: id % 3, nonce, gas, feeCap, tip, raw: ENCODINGS, start, end: start + bytes });
  tx.hash.fill(id % 3);
  Buffer.from(tx.hash.buffer).writeUInt32LE(id, 8);
  tx.sender.set(addressOf(sender));
  return tx;
}

export function addressOf(sender: number): Uint8Array {
  const address = new Uint8Array(20);
  Buffer.from(address.buffer).writeUInt32BE(sender + 1, 16);
  return address;
}

/** Every transaction with all its fields, in an order of its own. */
export function contents(pool: AnyPool): readonly string[] {
  const { store } = pool;
  const found: string[] = [];
  const tx = emptyTransaction();
  for (const [list, accounts] of [store.executableAccounts, store.futureAccounts].entries()) {
    accounts.forEach((account) => {
      const kind = list === 0 ? 0 : 1;
      for (let ref = store.first(account, kind); ref !== undefined; ref = store.next(ref)) {
        store.read(ref, tx);
        found.push(`${kind === 0 ? "executable" : "future"} ${describe(tx)}`);
      }
    });
  }
  return found.sort();
}

export function describe(tx: Transaction): string {
  const hash = Buffer.from(tx.hash).toString("hex");
  const raw = Buffer.from(tx.raw.subarray(tx.start, Math.min(tx.end, tx.start + 200))).toString("base64");
  const sender = Buffer.from(tx.sender).toString("hex");
  return `${sender} ${tx.nonce} ${hash} ${tx.type} ${tx.gas} ${tx.feeCap} ${tx.tip} ${tx.end - tx.start} ${raw}`;
}

/**
 * A pool under load in a process of its own: `txpool-load STORE RESIDENTS TURNOVERS`. Fills a pool, measures what a resident takes
 * on the heap, then replaces its content TURNOVERS times over by blocks. Makes no garbage itself. Prints JSON.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { AccountNonces } from "../../src/workload/txpool/account-nonces.ts";
import { applyBlock, Block } from "../../src/workload/txpool/block.ts";
import { BlockBuilder } from "../../src/workload/txpool/block-builder.ts";
import { capacityOf, DEFAULT_LIMITS } from "../../src/workload/txpool/limits.ts";
import { Pool } from "../../src/workload/txpool/pool.ts";
import type { Store } from "../../src/workload/txpool/store.ts";
import { createStore } from "../../src/workload/txpool/stores.ts";
import { emptyTransaction } from "../../src/workload/txpool/transaction.ts";

const ACCOUNTS = 2000;
const BATCH = 32;
const RAW_BYTES = 180;
/** Transactions whose objects are filled again and again: their fees stay, so that no number is boxed. */
const TEMPLATES = 1024;

const [storeName = "naive", residentsWord, turnoversWord] = process.argv.slice(2);
const residents = Number(residentsWord);
const turnovers = Number(turnoversWord);
const limits = { ...DEFAULT_LIMITS, globalSlots: residents, globalQueue: Math.ceil(residents / 5) };
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});

function load<T, A>(store: Store<T, A>) {
  const chain = new AccountNonces(ACCOUNTS);
  const head = { number: 0, baseFee: 1000, gasUsed: 15e6, gasLimit: 30e6, stateRoot: new Uint8Array(32) };
  const pool = new Pool(store, limits, chain, head);
  const builder = new BlockBuilder(pool);
  const block = new Block((residents / 10) * 21_000);
  const raw = new Uint8Array(RAW_BYTES);
  const templates = Array.from({ length: TEMPLATES }, (_, i) =>
    Object.assign(emptyTransaction(), {
      gas: 21_000,
      feeCap: 30e9 + i,
      tip: 1e9 + ((i * 7) % 1000),
      raw,
      end: RAW_BYTES,
    }),
  );
  const nonces = new Int32Array(ACCOUNTS);
  let made = 0;
  const add = (count: number): void => {
    for (let i = 0; i < count; i++, made++) {
      const tx = templates[made % TEMPLATES] as (typeof templates)[number];
      const account = made % ACCOUNTS;
      write(tx.hash, Math.imul(made, 0x9e3779b1));
      write(tx.sender, account);
      tx.nonce = nonces[account] as number;
      nonces[account] = tx.nonce + 1;
      pool.add(tx, 0);
      if (made % BATCH === 0) pool.settle(0);
    }
    pool.settle(0);
  };
  const mine = (): void => {
    builder.choose(block, () => true);
    pool.newHead({ ...applyBlock(block, pool.head, chain), baseFee: 1000, gasUsed: 15e6 }, 0, block);
  };
  return { pool, add, mine };
}

function write(bytes: Uint8Array, word: number): void {
  for (let i = 0; i < 4; i++) bytes[i] = word >>> (8 * i);
}

function heapAndOutside(): { readonly heap: number; readonly outside: number } {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, outside: external };
}

async function main<T, A>(store: Store<T, A>): Promise<void> {
  const { pool, add, mine } = load(store);
  const before = heapAndOutside();
  add(residents);
  const after = heapAndOutside();
  const size = pool.size;
  const stated = pool.memory().queued;
  // Whatever warms up is warm, also where the optimising compiler has to wait for a processor.
  for (let i = 0; i < 100; i++) {
    mine();
    add(residents / 10);
  }
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  observer.observe({ entryTypes: ["gc"] });
  for (let i = 0; i < turnovers * 10; i++) {
    mine();
    add(residents / 10);
  }
  await setTimeout(20);
  const { included, accepted } = pool.counters;
  const heap = (after.heap - before.heap) / size;
  const outside = (after.outside - before.outside) / size;
  process.stdout.write(JSON.stringify({ size, heap, outside, stated, collections, included, accepted }));
}

const mode = storeName === "mmap" || storeName === "pooled" ? storeName : "naive";
const opened = createStore(mode, { capacity: capacityOf(limits), put: "evict" });
// Store by store, so that each is compiled for its own references.
if (opened.mode === "mmap") await main(opened.store);
else await main(opened.store);
opened.close();

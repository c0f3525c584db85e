/** Rules and guarantees that random histories do not reach, or not on their own. */
import { describe, expect, test } from "vitest";
import { applyBlock, Block } from "../../../../src/workload/txpool/block.ts";
import { BlockBuilder } from "../../../../src/workload/txpool/block-builder.ts";
import { nextBaseFee } from "../../../../src/workload/txpool/head.ts";
import { STAGES } from "../../../../src/workload/txpool/lifecycle.ts";
import { DEFAULT_LIMITS } from "../../../../src/workload/txpool/limits.ts";
import { emptyTransaction } from "../../../../src/workload/txpool/transaction.ts";
import { expectEmpty } from "../../../support/pool-history.ts";
import { addressOf, GENESIS, makePool, STORES, transaction } from "../../../support/txpools.ts";

const TINY = { ...DEFAULT_LIMITS, globalSlots: 2, globalQueue: 1 };
const HOUR_MS = 3600 * 1000;

describe.each(STORES)("%s", (name) => {
  test("takes a transaction through its life, and calls a hook at each step", () => {
    const calls: string[] = [];
    const read = emptyTransaction();
    const { pool, chain, close } = makePool(name, TINY, {
      onAdd: (tx) => calls.push(`add ${tx.nonce}`),
      onValidate: (tx) => tx.gas !== 22_222,
      onInclude: (ref) => {
        pool.store.read(ref, read);
        calls.push(`include ${read.nonce}`);
      },
      onEvict: (ref, reason) => {
        pool.store.read(ref, read);
        calls.push(`evict ${read.nonce} ${reason}`);
      },
    });
    expect(pool.add(transaction({ id: 1, sender: 1, nonce: 0 }), 0)).toBe("accepted");
    expect(pool.add(transaction({ id: 2, sender: 1, nonce: 1, gas: 22_222 }), 0)).toBe("invalid");
    expect(pool.add(transaction({ id: 3, sender: 1, nonce: 2 }), 0)).toBe("accepted");
    pool.settle(0);
    expect(pool.counters).toMatchObject({ executable: 1, future: 1 });
    const block = new Block(30_000_000);
    expect(new BlockBuilder(pool).choose(block, () => true)).toBe(true);
    pool.newHead(applyBlock(block, GENESIS, chain), 1, block);
    pool.sweep(3 * HOUR_MS + 1);
    expect(calls).toEqual(["add 0", "add 1", "add 2", "include 0", "evict 2 lifetime"]);
    expectEmpty(pool);
    close();
  });

  test("refuses what has no room even in an empty pool, and changes nothing", () => {
    const { pool, close } = makePool(name, TINY);
    pool.add(transaction({ id: 1, sender: 1, nonce: 0, feeCap: 200 }), 0);
    pool.settle(0);
    const huge = transaction({ id: 2, sender: 2, nonce: 0, feeCap: 5000, tip: 5000, bytes: 128 * 1024 });
    expect(pool.add(huge, 0)).toBe("no-room");
    expect(pool.counters).toMatchObject({ executable: 1, slots: 1 });
    expect(pool.usage()).toMatchObject({ records: 1, heapNodes: 1 });
    close();
  });

  test("says what a transaction takes in each stage", () => {
    const { pool, close } = makePool(name, TINY);
    pool.add(transaction({ id: 1, sender: 1, nonce: 0, bytes: 200 }), 0);
    const memory = pool.memory();
    for (const stage of STAGES) expect(memory[stage].externalBytes).toBeGreaterThanOrEqual(200 + 32);
    expect(memory.queued.references > 0).toBe(name !== "mmap");
    expect(memory.queued.heapBytes > 0).toBe(name !== "mmap");
    close();
  });

  test("a block ends when its time is up, and is a valid one", () => {
    const { pool, close } = makePool(name, { ...DEFAULT_LIMITS, accountSlots: 300 });
    for (let nonce = 0; nonce < 300; nonce++) pool.add(transaction({ id: nonce, sender: 1, nonce }), 0);
    // More than may wait behind a gap until it is settled once.
    pool.settle(0);
    const block = new Block(30_000_000);
    let asked = 0;
    expect(new BlockBuilder(pool).choose(block, () => ++asked < 3)).toBe(false);
    expect(block.count).toBeGreaterThan(0);
    expect(block.count).toBeLessThan(300);
    expect([...block.nonces.subarray(0, block.count)]).toEqual(Array.from({ length: block.count }, (_, i) => i));
    expect(block.gasUsed).toBe(block.count * 21_000);
    close();
  });

  test("a day of blocks, gaps, replacements and sweeps leaves nothing behind", () => {
    const limits = { ...DEFAULT_LIMITS, accountSlots: 4, globalSlots: 64, accountQueue: 8, globalQueue: 32 };
    const { pool, chain, collect, close } = makePool(name, limits);
    const builder = new BlockBuilder(pool);
    const block = new Block(20 * 21_000);
    const next = new Array<number>(50).fill(0);
    let id = 0;
    let most = 0;
    for (let minute = 0; minute < 24 * 60; minute++) {
      const now = minute * 60_000;
      for (let i = 0; i < 25; i++) {
        const sender = (minute * 7 + i * i) % 50;
        const nonce = Math.max(chain.nonceOf(addressOf(sender), 0), next[sender] ?? 0) + (i % 9 === 0 ? 2 : 0);
        const feeCap = 1000 + ((id * 37) % 500);
        const answer = pool.add(transaction({ id: id++, sender, nonce, feeCap, tip: 10 + (id % 50) }), now);
        if (answer === "accepted" && i % 9 !== 0) next[sender] = nonce + 1;
        if (i % 5 === 0) pool.add(transaction({ id: id++, sender, nonce, feeCap: 2000, tip: 100 }), now);
      }
      pool.settle(now);
      builder.choose(block, () => true);
      pool.newHead({ ...applyBlock(block, pool.head, chain), baseFee: 100, gasUsed: 15_000_000 }, now, block);
      for (let sender = 0; sender < 50; sender++) {
        // What was evicted is sent again.
        if (minute % 60 === sender) next[sender] = chain.nonceOf(addressOf(sender), 0);
      }
      pool.sweep(now);
      if (minute % 97 === 0) collect();
      most = Math.max(most, pool.usage().records);
    }
    expect(pool.counters.included).toBeGreaterThan(5000);
    // A third more than live ones, where a heap still refers to them.
    expect(most).toBeLessThanOrEqual(Math.ceil((96 * 4) / 3) + 9);
    for (let sender = 0; sender < 50; sender++) chain.set(addressOf(sender), 0, 1e6);
    pool.newHead(pool.head, 24 * HOUR_MS);
    expectEmpty(pool);
    close();
  });
});

test("limits that make no sense are refused", () => {
  expect(() => makePool("naive", { ...DEFAULT_LIMITS, globalSlots: 0 })).toThrow(/globalSlots/);
  expect(() => makePool("naive", { ...DEFAULT_LIMITS, priceBump: 1.5 })).toThrow(/priceBump/);
});

test("the base fee follows EIP-1559", () => {
  const head = { baseFee: 1000, gasLimit: 30_000_000 };
  expect(nextBaseFee({ ...head, gasUsed: 15_000_000 })).toBe(1000);
  expect(nextBaseFee({ ...head, gasUsed: 30_000_000 })).toBe(1125);
  expect(nextBaseFee({ ...head, gasUsed: 0 })).toBe(875);
  expect(nextBaseFee({ ...head, baseFee: 1, gasUsed: 15_000_001 })).toBe(2);
});

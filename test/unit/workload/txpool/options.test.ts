import { describe, expect, test } from "vitest";
import { requireRoom } from "../../../../src/workload/txpool/fits.ts";
import { parseTxpool, poolLimits } from "../../../../src/workload/txpool/options.ts";
import { checkWords, WORKLOADS } from "../../../../src/workload/workloads.ts";

const GIB = 1024 ** 3;

test("defaults are those of the specification", () => {
  expect(parseTxpool({ mode: "mmap" })).toEqual({
    mode: "mmap",
    tps: 10_000,
    durationMs: 60_000,
    residentMs: 60_000,
    batch: 32,
    verify: "off",
    blockTimeMs: 2000,
    blockBudgetMs: 50,
    release: "deferred",
    hugePages: "try",
    put: "evict",
    accounts: 10_000,
    seed: 1,
  });
});

test("the pool has room for what arrives in the resident time, and never less than go-ethereum's", () => {
  expect(poolLimits({ tps: 10_000, residentMs: 60_000 })).toMatchObject({ globalSlots: 600_000, globalQueue: 120_000 });
  expect(poolLimits({ tps: 10, residentMs: 1000 })).toMatchObject({ globalSlots: 5120, globalQueue: 1024 });
});

describe("what is refused before anything starts", () => {
  test.each([
    [{}, /--mode is missing/],
    [{ mode: "fast" }, /--mode cannot be "fast"/],
    [{ mode: "mmap", tps: "0" }, /--tps cannot be "0"/],
    [{ mode: "mmap", tps: "1e4" }, /--tps cannot be "1e4"/],
    [{ mode: "mmap", tps: "10000000" }, /--tps cannot be "10000000"/],
    [{ mode: "mmap", tps: "-5" }, /--tps cannot be "-5"/],
    [{ mode: "mmap", duration: "60" }, /--duration cannot be "60"/],
    [{ mode: "mmap", duration: "1ms" }, /--duration cannot be 1ms/],
    [{ mode: "mmap", batch: "64" }, /--batch cannot be "64"/],
    [{ mode: "mmap", verify: "yes" }, /--verify cannot be "yes"/],
    [{ mode: "mmap", "block-budget": "3s" }, /--block-budget 3s is longer than the time from block to block, 2 s/],
    [{ mode: "mmap", release: "later" }, /--release cannot be "later"/],
    [{ mode: "mmap", "huge-pages": "on" }, /--huge-pages cannot be "on"/],
    [{ mode: "mmap", "huge-pages": "require" }, /--huge-pages require and --release deferred do not go together/],
    [{ mode: "mmap", seed: "x" }, /--seed cannot be "x"/],
  ])("%j", (words, message) => {
    expect(() => parseTxpool(words)).toThrow(message);
  });

  test("a flag of another workload", () => {
    expect(() => checkWords(WORKLOADS.txpool, { mode: "mmap", pool: "on" })).toThrow(/txpool has no option --pool/);
    expect(() => checkWords(WORKLOADS.sessions, { pool: "maybe" })).toThrow(/--pool cannot be "maybe"/);
  });

  test("a pool larger than memory, or than the heap", () => {
    const naive = parseTxpool({ mode: "naive", tps: "100000" });
    expect(() => requireRoom(naive, { heapLimitBytes: 4 * GIB, availableBytes: 5 * GIB, hugePageBytes: 0 })).toThrow(
      /memory are free/,
    );
    expect(() => requireRoom(naive, { heapLimitBytes: 4 * GIB, availableBytes: 50 * GIB, hugePageBytes: 0 })).toThrow(
      /of heap in naive mode/,
    );
    const huge = parseTxpool({ mode: "mmap", "huge-pages": "require", release: "never" });
    const room = { heapLimitBytes: GIB, availableBytes: 50 * GIB };
    expect(() => requireRoom(huge, { ...room, hugePageBytes: 0 })).toThrow(/0 B of reserved huge pages are free/);
    expect(() => requireRoom(huge, { ...room, hugePageBytes: 2 * GIB })).not.toThrow();
    const large = parseTxpool({ mode: "mmap", tps: "300000" });
    expect(() => requireRoom(large, { ...room, hugePageBytes: 0 })).toThrow(/slots in mmap mode.* at most 16,777,216/);
    const mmap = parseTxpool({ mode: "mmap", tps: "100000" });
    expect(() =>
      requireRoom(mmap, { heapLimitBytes: 4 * GIB, availableBytes: 50 * GIB, hugePageBytes: 0 }),
    ).not.toThrow();
  });
});

import { execFileSync } from "node:child_process";
import { closeSync, openSync, read, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ClosedError,
  DoubleFreeError,
  ExhaustedError,
  ForeignHandleError,
  SlabMemoryError,
  SlabPool,
  type SlabPoolOptions,
  StaleHandleError,
} from "../../../src/slab/index.ts";
import { NativeHugePages, NativeNode, native } from "../../../src/slab/native.ts";
import { temporaryFolder } from "../../support/cli.ts";

const CLASSES = [
  { slotBytes: 64, slots: 40 },
  { slotBytes: 500, slots: 30 },
  { slotBytes: 5000, slots: 20 },
];

let pools: SlabPool[] = [];
function open(options: Partial<SlabPoolOptions> = {}): SlabPool {
  const pool = SlabPool.open({ classes: CLASSES, ...options });
  pools.push(pool);
  return pool;
}
afterEach(() => {
  for (const pool of pools) pool.close();
  pools = [];
});

const KINDS: readonly (readonly [string, Partial<SlabPoolOptions>])[] = [
  ["kept memory", {}],
  ["memory given back at once", { release: "immediate" }],
  ["memory given back later", { release: "deferred" }],
  ["several threads", { threads: 3 }],
];

describe.each(KINDS)("a pool with %s", (_, options) => {
  test("any history: live slots keep their bytes, overlap nowhere, and all come back", () => {
    const sizes = fc.integer({ min: 0, max: 5056 });
    const step = fc.oneof(fc.record({ bytes: sizes }), fc.record({ free: fc.nat() }));
    const history = fc.array(step, { maxLength: 400, size: "max" });
    fc.assert(
      fc.property(history, (steps) => {
        const pool = open(options);
        const live: { readonly handle: number; readonly bytes: number; readonly mark: number }[] = [];
        for (const [mark, step] of steps.entries()) {
          if ("free" in step) {
            const [gone] = live.splice(step.free % Math.max(live.length, 1), 1);
            if (gone === undefined) continue;
            expect(
              pool
                .view(gone.handle)
                .subarray(0, gone.bytes)
                .every((byte) => byte === gone.mark % 251),
            ).toBe(true);
            pool.free(gone.handle);
            expect(() => pool.free(gone.handle)).toThrow();
            continue;
          }
          try {
            const handle = pool.alloc(step.bytes);
            expect(pool.offsetOf(handle) % 64).toBe(0);
            const view = pool.view(handle);
            expect(view.length).toBeGreaterThanOrEqual(step.bytes);
            view.fill(mark % 251, 0, step.bytes);
            live.push({ handle, bytes: step.bytes, mark });
          } catch (error) {
            if (!(error instanceof ExhaustedError)) throw error;
          }
        }
        const ranges = live.map(({ handle }) => [pool.offsetOf(handle), pool.view(handle).length] as const);
        ranges.sort(([a], [b]) => a - b);
        for (const [i, [offset, length]] of ranges.entries()) {
          expect(offset + length).toBeLessThanOrEqual(ranges[i + 1]?.[0] ?? pool.bytes.length);
        }
        expect(pool.stats().slotsInUse).toBe(live.length);
        for (const { handle, bytes, mark } of live) {
          expect(
            pool
              .view(handle)
              .subarray(0, bytes)
              .every((byte) => byte === mark % 251),
          ).toBe(true);
          pool.free(handle);
        }
        expect(pool.stats()).toMatchObject({ slotsInUse: 0, bytesInUse: 0, slots: 90 });
        pool.close();
      }),
      { numRuns: 30 },
    );
  });

  test("every slot can be had, and then the pool says that it is exhausted, and of which slots", () => {
    const pool = open(options);
    const shelf = pool.shelf(64);
    const handles = Array.from({ length: 40 }, () => shelf.alloc());
    expect(new Set(handles).size).toBe(40);
    expect(() => shelf.alloc()).toThrow(/^All 40 slots of 64 bytes are in use/);
    // What finds its class full goes to the next one, and comes from the first again once that has room.
    expect(pool.view(pool.alloc(64)).length).toBe(512);
    for (const handle of handles) pool.free(handle);
    expect(pool.view(pool.alloc(64)).length).toBe(64);
    expect(Array.from({ length: 39 }, () => shelf.alloc()).length).toBe(39);
  });

  test("each wrong handle gets its own error, and nothing changes", () => {
    const pool = open(options);
    const other = open(options);
    const stale = pool.alloc(64);
    pool.free(stale);
    expect(() => pool.free(stale)).toThrow(DoubleFreeError);
    const live = pool.alloc(64);
    expect(pool.offsetOf(live)).toBeGreaterThanOrEqual(0);
    for (const use of [() => pool.free(stale), () => pool.offsetOf(stale), () => pool.view(stale)]) {
      expect(use).toThrow(StaleHandleError);
    }
    const foreign = other.alloc(64);
    expect(() => pool.free(foreign)).toThrow(ForeignHandleError);
    for (const none of [0, -1, 1.5, Number.NaN, 2 ** 60]) expect(() => pool.free(none)).toThrow(ForeignHandleError);
    const notNumbers = [String(live), undefined, null, {}, [live]] as unknown as readonly number[];
    for (const none of notNumbers) expect(() => pool.free(none)).toThrow(ForeignHandleError);
    expect(() => pool.free(String(live) as never)).toThrow(/was not given as a number/);
    expect(pool.stats().slotsInUse).toBe(1);
    pool.free(live);
  });

  test("a closed pool has no bytes, and says that it is closed", async () => {
    const pool = open(options);
    const handle = pool.alloc(64);
    const view = pool.view(handle);
    const { bytes } = pool;
    pool.close();
    pool.close();
    expect([view.length, view[0], bytes.length, bytes[5]]).toEqual([0, undefined, 0, undefined]);
    for (const use of [
      () => pool.alloc(64),
      () => pool.shelf(64).alloc(),
      () => pool.free(handle),
      () => pool.view(handle),
    ]) {
      expect(use).toThrow(ClosedError);
    }
    // Also where another pool has its memory by now.
    await setTimeout(50);
    open(options);
    const { releasedBytes, nodes, ...zeros } = pool.stats();
    expect(Object.values(zeros).filter((figure) => figure !== 0 && figure !== null)).toEqual([]);
    expect([releasedBytes, Object.keys(nodes ?? {})]).toEqual([0, []]);
  });

  test("memory goes back in the call that closes the pool", () => {
    const before = process.memoryUsage.rss();
    for (let n = 0; n < 20; n++) {
      const pool = open({ ...options, classes: [{ slotBytes: 4096, slots: 4096 }] });
      pool.bytes.fill(1);
      pool.close();
    }
    expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(8 * 16);
  });
});

test("a size goes to the smallest class, or to the next when that is full", () => {
  const pool = open();
  expect(pool.shelf(0).slotBytes).toBe(64);
  expect(pool.shelf(65).slotBytes).toBe(512);
  expect(pool.shelf(513).slotBytes).toBe(5056);
  const small = Array.from({ length: 40 }, () => pool.alloc(10));
  expect(pool.view(pool.alloc(10)).length).toBe(512);
  for (const handle of small) pool.free(handle);
  expect(() => pool.alloc(6000)).toThrow(/No class of this slab pool has slots of 6000 bytes/);
  expect(() => pool.alloc(-1)).toThrow(/cannot have -1 bytes/);
});

test.runIf(process.platform === "linux")("slots of more than 2 GiB are found, too", () => {
  const { map } = native();
  // Nothing is written there: one page does.
  const mapped = vi.spyOn(native(), "map").mockImplementation(() => map(4096, NativeHugePages.off, NativeNode.any));
  try {
    const sizes = [64, 2 ** 31 + 4096, 2 ** 32, 2 ** 32 + 128, 2 ** 40];
    const pool = open({ classes: sizes.map((slotBytes) => ({ slotBytes, slots: 1 })), hugePages: "require" });
    for (const [index, bytes] of sizes.entries()) {
      expect([pool.shelf(bytes - 1).slotBytes, pool.shelf(bytes).slotBytes]).toEqual([bytes, bytes]);
      expect(pool.shelf((sizes[index - 1] ?? 0) + 1).slotBytes).toBe(bytes);
      expect(pool.offsetOf(pool.alloc(bytes))).toBeGreaterThanOrEqual(sizes[index - 1] ?? 0);
    }
    for (const bytes of [2 ** 40 + 1, 2 ** 64, Number.POSITIVE_INFINITY]) {
      expect(() => pool.alloc(bytes)).toThrow(/No class of this slab pool has slots of/);
    }
  } finally {
    mapped.mockRestore();
  }
});

describe("what cannot be opened", () => {
  test.each<readonly [Partial<SlabPoolOptions>, RegExp]>([
    [{ classes: [] }, /needs classes/],
    [{ classes: undefined as never }, /needs classes/],
    [{ classes: [null as never] }, /slotBytes of a slab pool's class is undefined/],
    [{ classes: [{ slotBytes: 0, slots: 1 }] }, /slotBytes of a slab pool's class is 0/],
    [{ classes: [{ slotBytes: 64, slots: 1.5 }] }, /slots of a slab pool's class is 1.5/],
    [{ classes: [{ slotBytes: 64, slots: 2 ** 25 }] }, /16777216 slots/],
    [
      {
        classes: [
          { slotBytes: 60, slots: 1 },
          { slotBytes: 64, slots: 1 },
        ],
      },
      /Two classes/,
    ],
    [{ threads: 0 }, /threads cannot be 0/],
    [{ threads: 2, release: "deferred" }, /cannot have release "deferred"/],
    [{ release: "soon" as never }, /release cannot be "soon"/],
    [{ hugePages: "yes" as never }, /hugePages cannot be "yes"/],
    [{ numaNode: -1 }, /numaNode cannot be -1/],
    [{ hugePages: "require", release: "immediate" }, /Reserved huge pages cannot go back/],
  ])("%j", (options, message) => {
    expect(() => open(options)).toThrow(message);
  });

  test("more memory than there is", () => {
    for (const hugePages of ["off", "try"] as const) {
      expect(() => open({ classes: [{ slotBytes: 2 ** 46, slots: 1 }], hugePages })).toThrow(SlabMemoryError);
    }
  });

  test("more memory than a container has left", () => {
    const limit = vi.spyOn(process, "constrainedMemory").mockReturnValue(process.memoryUsage.rss() + 2 ** 25);
    try {
      const large = [{ slotBytes: 2 ** 26, slots: 1 }];
      for (const hugePages of ["off", "try"] as const) {
        expect(() => open({ classes: large, hugePages, release: "immediate" })).toThrow(
          /^The slab pool needs 64.* of memory; \d.* are free here\.$/,
        );
      }
      expect(open({ classes: [{ slotBytes: 2 ** 20, slots: 1 }] }).bytes.length).toBe(2 ** 20);
    } finally {
      limit.mockRestore();
    }
  });

  test("without options", () => {
    for (const none of [undefined, null]) expect(() => SlabPool.open(none as never)).toThrow(/needs classes/);
  });

  test("what is no share", () => {
    const { pool } = open({ threads: 2 }).share();
    for (const none of [undefined, null, {}, { pool }, { pool: "x" }]) {
      expect(() => SlabPool.attach(none as never)).toThrow(/is attached with what its share\(\) returned/);
    }
  });

  test("a pool of one thread is not to be shared", () => {
    expect(() => open().share()).toThrow(/is for one thread/);
  });
});

test("memory stays as it is while other pools come and go", () => {
  const kept = open();
  const handle = kept.alloc(5000);
  kept.view(handle).fill(7);
  for (let n = 0; n < 600; n++) SlabPool.open({ classes: CLASSES }).close();
  expect(kept.view(handle).every((byte) => byte === 7)).toBe(true);
});

test("a read into a slot that ends after the pool was closed writes into nobody's memory", async () => {
  const folder = temporaryFolder("gcspike-slab-");
  const fifo = join(folder.path, "fifo");
  execFileSync("mkfifo", [fifo]);
  const fd = openSync(fifo, "r+");
  try {
    const classes = [{ slotBytes: 4096, slots: 256 }];
    const pool = open({ classes });
    const ended = promisify(read)(fd, pool.view(pool.alloc(4096)), 0, 4096, null);
    // The read is under way on its thread by then; what comes later, it would take as well.
    await setTimeout(100);
    pool.close();
    await setTimeout(100);
    const others = Array.from({ length: 10 }, () => open({ classes }));
    writeSync(fd, "for the closed pool");
    expect((await ended).bytesRead).toBeGreaterThan(0);
    for (const { bytes } of others) expect(bytes.every((byte) => byte === 0)).toBe(true);
  } finally {
    closeSync(fd);
    folder.remove();
  }
});

const LINUX = process.platform === "linux";

describe.runIf(LINUX)("what the system granted", () => {
  const classes = [{ slotBytes: 4096, slots: 4096 }];

  test("all of it is there from the start", () => {
    const { residentBytes, bytes, nodes } = open({ classes }).stats();
    expect(residentBytes).toBe(bytes);
    if (nodes !== null) expect(Object.values(nodes).reduce((sum, node) => sum + node, 0)).toBe(bytes);
  });

  test("huge pages are counted, not promised", () => {
    const { residentBytes, hugePageBytes, bytes } = open({ classes, hugePages: "try", numaNode: "local" }).stats();
    expect(residentBytes).toBe(bytes);
    expect(hugePageBytes).toBeLessThanOrEqual(bytes);
    expect((hugePageBytes ?? 0) % 2 ** 21).toBe(0);
    expect(open({ classes }).stats().hugePageBytes).toBeLessThanOrEqual(bytes);
  });

  test("a pool's bytes are those that were mapped, which hold all that is resident", () => {
    const pool = open({ classes: [{ slotBytes: 64, slots: 1 }], hugePages: "try" });
    const { bytes, residentBytes } = pool.stats();
    expect([bytes, bytes % 2 ** 21]).toEqual([pool.bytes.length, 0]);
    expect(residentBytes).toBe(bytes);
  });

  test("reserved huge pages are all there, or none and it says so", () => {
    const reserved = Number(/HugePages_Free:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0);
    const require = (): SlabPool => open({ classes, hugePages: "require" });
    if (reserved * 2 ** 21 < 4096 * 4096) {
      expect(require).toThrow(/^There are no reserved huge pages for 16/);
      return;
    }
    const { hugePageBytes, bytes } = require().stats();
    expect(hugePageBytes).toBe(bytes);
  });

  test.each(["immediate", "deferred"] as const)("%s release gives the pages of freed slots back", async (release) => {
    const pool = open({ classes, release });
    const handles = Array.from({ length: 4096 }, () => pool.alloc(4096));
    for (const handle of handles) pool.view(handle).fill(1);
    for (const handle of handles) pool.free(handle);
    const { bytes } = pool.stats();
    await expect.poll(() => pool.stats().residentBytes, { timeout: 20_000 }).toBeLessThan(bytes / 4);
    await expect.poll(() => pool.stats().releasedBytes, { timeout: 20_000 }).toBeGreaterThan(bytes / 2);
    const again = Array.from({ length: 4096 }, () => pool.alloc(4096));
    expect(new Set(again.map((handle) => pool.offsetOf(handle))).size).toBe(4096);
  });
});

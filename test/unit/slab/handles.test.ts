import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DoubleFreeError, ExhaustedError, StaleHandleError } from "../../../src/slab/errors.ts";
import { fixedShelf } from "../../../src/slab/fixed-shelf.ts";
import { explain, freshStamp, type HandleLayout, handleLayout, isLive, MAX_SLOTS } from "../../../src/slab/handles.ts";
import { poolLayout } from "../../../src/slab/layout.ts";
import { PagedShelf } from "../../../src/slab/paged-shelf.ts";
import { sharedBytes, sharedShelf } from "../../../src/slab/shared-shelf.ts";

const PAGE = 4096;

const SLOT_COUNTS = fc.integer({ min: 1, max: MAX_SLOTS });
const TAGS = fc.integer({ min: 1, max: 255 });
const SHARES = fc.double({ min: 0, max: 1, noNaN: true });

/** A handle somewhere between the first and the last of a pool. */
function handleAt({ base, step, lastGeneration }: HandleLayout, slot: number, share: number): number {
  const generations = (lastGeneration - base) / step;
  return base + (1 + Math.floor(share * (generations - 1))) * step + slot;
}

test("handles of every slot, tag and generation are whole numbers that tell all three", () => {
  fc.assert(
    fc.property(SLOT_COUNTS, TAGS, fc.nat(), SHARES, (count, tag, at, share) => {
      const layout = handleLayout(count, tag);
      const slot = at % count;
      const handle = handleAt(layout, slot, share);
      expect(Number.isSafeInteger(handle)).toBe(true);
      expect((layout.lastGeneration - layout.base) / layout.step).toBeGreaterThanOrEqual(2 ** 21 - 1);
      expect(handle & layout.slotMask).toBe(slot);
      expect(isLive(freshStamp(layout, slot))).toBe(false);
      expect(explain(layout, handle, -1 - handle, true)).toBeInstanceOf(DoubleFreeError);
      expect(explain(layout, handle, -1 - handle, false)).toBeInstanceOf(StaleHandleError);
      for (const none of [layout.base + slot, handle + 2 ** 53, -handle]) {
        expect(explain(layout, none, freshStamp(layout, slot), true).message).toMatch(/is no handle/);
      }
    }),
  );
});

test("no handle of a pool is one of another, whatever the two pools' numbers of slots", () => {
  fc.assert(
    fc.property(SLOT_COUNTS, SLOT_COUNTS, TAGS, fc.nat(), SHARES, (count, otherCount, tag, at, share) => {
      const handle = handleAt(handleLayout(count, tag), at % count, share);
      const other = handleLayout(otherCount, (tag % 255) + 1);
      const slot = handle & other.slotMask;
      // All that the other pool ever hands out for the slot lies between these.
      const [first, last] = [other.base + other.step + slot, other.lastGeneration + slot];
      expect(first <= handle && handle <= last).toBe(false);
      expect(explain(other, handle, freshStamp(other, slot), true).message).toMatch(/is a handle of another pool/);
    }),
  );
});

const [LAYOUT] = poolLayout([{ slotBytes: 64, slots: 3 }], PAGE).classes;
if (LAYOUT === undefined) throw new Error("no class");
const layout = LAYOUT;

/** Shelves of 3 slots whose handles have 3 generations. */
const SHELVES = {
  fixed: () => fixedShelf(handleLayout(3, 7, 2), layout),
  paged: () => new PagedShelf({ handles: handleLayout(3, 7, 2), layout }),
  shared: () => {
    const shared = new SharedArrayBuffer(sharedBytes(layout, 2));
    const shelf = sharedShelf({ handles: handleLayout(3, 7, 2), layout, threads: 2, thread: 0, shared, at: 0 });
    shelf.prepare();
    return shelf;
  },
};

describe.each(Object.entries(SHELVES))("a %s shelf", (_, make) => {
  test("retires a slot when its generations are used up, and never hands out a handle twice", () => {
    const shelf = make();
    const seen = new Set<number>();
    for (let n = 0; n < 9; n++) {
      expect(shelf.isExhausted()).toBe(false);
      const handle = shelf.alloc();
      expect(seen.has(handle)).toBe(false);
      seen.add(handle);
      shelf.free(handle);
    }
    expect(shelf.isExhausted()).toBe(true);
    expect(() => shelf.alloc()).toThrow(ExhaustedError);
    for (const handle of seen) expect(() => shelf.offsetOf(handle)).toThrow(StaleHandleError);
  });

  test("no number but a live handle is taken", () => {
    const shelf = make();
    const handle = shelf.alloc();
    const offset = shelf.offsetOf(handle);
    const numbers = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.constantFrom(Number.NaN, 1 / 0, -0, 2 ** 53),
    );
    fc.assert(
      fc.property(numbers, fc.integer({ min: -3, max: 3 }), (number, near) => {
        for (const bad of [number, handle + near, handle + near / 8, -1 - handle]) {
          if (bad === handle) continue;
          expect(() => shelf.free(bad)).toThrow();
          expect(() => shelf.offsetOf(bad)).toThrow();
        }
        expect([shelf.offsetOf(handle), shelf.inUse()]).toEqual([offset, 1]);
      }),
    );
  });
});

test("a slot that two threads freed at one moment is handed out once", () => {
  const shared = new SharedArrayBuffer(sharedBytes(layout, 2));
  const handles = handleLayout(3, 7);
  const shelves = [0, 1].map((thread) => sharedShelf({ handles, layout, threads: 2, thread, shared, at: 0 }));
  const [one, other] = shelves;
  if (one === undefined || other === undefined) throw new Error("no shelf");
  one.prepare();
  const handle = one.alloc();
  one.free(handle);
  // What the race leaves behind: the slot is in the other's magazine as well. Stamps and packets stand before the magazines;
  // behind them the packets' counts, in whole 8 bytes, and on cache lines of their own the magazines'.
  const packets = 5;
  const magazines = 8 * (3 + packets * 64);
  new Float64Array(shared, magazines + 8 * 128, 1)[0] = handle + handles.step;
  new Int32Array(shared, magazines + 8 * 256)[packets + 1 + 32] = 1;
  expect(one.alloc()).toBe(handle + handles.step);
  expect(() => other.alloc()).toThrow(ExhaustedError);
});

/** Where the slots of each size class stand in a pool's memory. */
import { usageError } from "../lib/errors.ts";
import { MAX_SLOTS } from "./handles.ts";

/** A cache line of every processor that Node runs on; a slot of its own lines shares none with a neighbour. */
const CACHE_LINE_BYTES = 64;

export interface SizeClass {
  /** Rounded up to whole cache lines (pages have a whole number of slots, or slots of pages, only where this divides so). */
  readonly slotBytes: number;
  readonly slots: number;
}

export interface ClassLayout extends SizeClass {
  /** Index of its first slot among all of the pool. */
  readonly firstSlot: number;
  /** Of its first slot, from the memory's start: a whole page. */
  readonly offset: number;
  /** A slab is 2 ** slabShift slots: the fewest that fill whole pages. */
  readonly slabShift: number;
}

export interface PoolLayout {
  /** Smallest slots first. */
  readonly classes: readonly ClassLayout[];
  readonly bytes: number;
  /** Slot indices reach up to here; those between two classes are never used. */
  readonly slots: number;
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

function checked(classes: readonly SizeClass[] | undefined): readonly SizeClass[] {
  if (!Array.isArray(classes) || classes.length === 0)
    throw usageError("A slab pool needs classes.", "For example  classes: [{ slotBytes: 512, slots: 10_000 }]");
  for (const sizeClass of classes) {
    for (const name of ["slotBytes", "slots"] as const) {
      const value = sizeClass?.[name];
      if (!Number.isSafeInteger(value) || value < 1)
        throw usageError(`${name} of a slab pool's class is ${String(value)}; it must be a whole number of 1 or more.`);
    }
  }
  return classes;
}

/**
 * Classes in order of size, each from a page of its own. `slotBytes` is rounded up to whole cache lines, and on machines with
 * pages over 4 KiB to whole 64ths of a page: then 64 slots of any size fill whole pages.
 * Throws a usage error for classes that are no classes, two of one size, or too many slots.
 */
export function poolLayout(classes: readonly SizeClass[] | undefined, pageBytes: number): PoolLayout {
  const unit = Math.max(CACHE_LINE_BYTES, pageBytes / 64);
  const sorted = checked(classes)
    .map(({ slotBytes, slots }) => ({ slotBytes: roundUp(slotBytes, unit), slots }))
    .sort((a, b) => a.slotBytes - b.slotBytes);
  let slot = 0;
  let offset = 0;
  const placed: ClassLayout[] = [];
  for (const { slotBytes, slots } of sorted) {
    if (placed.at(-1)?.slotBytes === slotBytes)
      throw usageError(
        `Two classes of a slab pool have slots of ${slotBytes} bytes (sizes are rounded up to ${unit}).`,
      );
    let slabShift = 0;
    while ((slotBytes * 2 ** slabShift) % pageBytes !== 0) slabShift++;
    placed.push({ slotBytes, slots, firstSlot: slot, offset, slabShift });
    // In groups of 64, so that a table of a byte a group finds a slot's class.
    slot = roundUp(slot + slots, SLOT_GROUP);
    offset = roundUp(offset + slotBytes * slots, pageBytes);
  }
  if (slot > MAX_SLOTS) throw usageError(`A slab pool has room for ${MAX_SLOTS} slots; ${slot} were asked for.`);
  return { classes: placed, bytes: offset, slots: slot };
}

/** Slots with the same index >> SLOT_GROUP_SHIFT are of one class. */
export const SLOT_GROUP_SHIFT = 6;
const SLOT_GROUP = 2 ** SLOT_GROUP_SHIFT;

/** For each group of slots, the class's number. `slotMask` of the handles: any index that a handle can name has an entry. */
export function classOfGroups({ classes }: PoolLayout, slotMask: number): Uint8Array {
  const table = new Uint8Array((slotMask >>> SLOT_GROUP_SHIFT) + 1);
  for (const [number, { firstSlot }] of classes.entries()) table.fill(number, firstSlot >>> SLOT_GROUP_SHIFT);
  return table;
}

/**
 * The first class that can be the smallest for a size, by the size's bit length: `table[32 - clz32(bytes - 1)]`. From there the
 * classes are tried upwards. More than 4 GiB seem smaller there: their class is only found later.
 */
export function firstClassByBits(classes: readonly SizeClass[]): Uint8Array {
  const table = new Uint8Array(33);
  for (let bits = 0; bits <= 32; bits++) {
    const smallest = bits === 0 ? 0 : 2 ** (bits - 1) + 1;
    const found = classes.findIndex(({ slotBytes }) => slotBytes >= smallest);
    table[bits] = found === -1 ? classes.length : found;
  }
  return table;
}

/** The slots of the mmap store, by size: for transactions, and one for its tables. Pure. */
import type { SizeClass } from "../../slab/layout.ts";
import { MAX_TRANSACTION_BYTES } from "./limits.ts";
import { mmapTableBytes, slotBytes } from "./mmap-store.ts";

/**
 * Slots of each size, as shares of the pool's capacity: the traffic's sizes with something to spare. What is too many for one
 * size goes to the next.
 */
const SIZES: readonly (readonly [bytes: number, share: number])[] = [
  [192, 0.6],
  [256, 0.45],
  [448, 0.25],
  [704, 0.1],
  [1536, 0.04],
  [4096, 0.015],
  [slotBytes(8192 + 512), 0.008],
  // Nobody sends these, but they may.
  [slotBytes(MAX_TRANSACTION_BYTES), 0.0001],
];
/** Of each size, also in the smallest pool. */
const LEAST_SLOTS = 16;

/** For a pool of `capacity` slots (limits.ts). */
export function mmapClasses(capacity: number): readonly SizeClass[] {
  const classes = SIZES.map(([slotBytes, share]) => ({ slotBytes, slots: Math.ceil(capacity * share) + LEAST_SLOTS }));
  return [...classes, { slotBytes: mmapTableBytes(capacity), slots: 1 }];
}

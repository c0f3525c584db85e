/**
 * Handles are integers in doubles, so that they need no object and no boxing in optimised code:
 *
 *     52          45                             0
 *     [ tag, 8 bits | generation, 21 to 44 bits | slot ]
 *
 * The tag tells the open pools of a process apart: it stands at the same bits in each of them, so no two have a handle in common.
 * The slot's index takes as many bits as the pool has slots, and the generation, which counts how often the slot was handed out,
 * from 1, has the rest. `handle & slotMask` is the slot: at most 24 bits, always inside the low word, whatever stands above.
 *
 * A pool keeps one number a slot, its stamp: the handle while it is live, and `-1 - handle` of the last one while it is free.
 * A handle is valid if its slot's stamp is equal to it: one comparison, which also turns away other pools' handles, fractions,
 * NaN and numbers that never were handles. That no free slot's stamp can be passed off as a handle follows from its slot bits:
 * `-1 - handle` has them inverted, so it leads to another slot.
 */
import { DoubleFreeError, ForeignHandleError, StaleHandleError } from "./errors.ts";

/** Bits below the tag. */
const OWN_BITS = 45;
const SLOT_BITS = 24;
/** 16,777,216: every slot can then be handed out at least 2 ** 21 times. */
export const MAX_SLOTS = 2 ** SLOT_BITS;

export interface HandleLayout {
  readonly slotMask: number;
  /** The handle of slot 0 in generation 0, which is never handed out. */
  readonly base: number;
  /** From one generation of a slot to the next. */
  readonly step: number;
  /** Handles from here on are of the last generation: when one is freed, its slot retires. */
  readonly lastGeneration: number;
}

/** For slots 0 to `slots` - 1 (at most MAX_SLOTS). `tag` is 1 to 255; fewer generations than there is room for are for tests. */
export function handleLayout(slots: number, tag: number, generationBits = OWN_BITS): HandleLayout {
  const slotBits = Math.max(1, 32 - Math.clz32(slots - 1));
  const bits = Math.min(generationBits, OWN_BITS - slotBits);
  const step = 2 ** slotBits;
  const base = tag * 2 ** OWN_BITS;
  return { slotMask: step - 1, base, step, lastGeneration: base + (2 ** bits - 1) * step };
}

/** The stamp of a slot that was never handed out. */
export function freshStamp({ base }: HandleLayout, slot: number): number {
  return -1 - base - slot;
}

export function isLive(stamp: number): boolean {
  return stamp > 0;
}

/** How many of these stamps are of live slots. A loop, since a callback would get each of a million numbers boxed. */
export function countLive(stamps: Float64Array): number {
  let live = 0;
  for (let index = 0; index < stamps.length; index++) if (isLive(stamps[index] as number)) live++;
  return live;
}

/**
 * Why a handle is not valid where the slot that it names has this stamp (undefined: there is no such slot). `isFree`: it was to
 * be freed.
 */
export function explain(layout: HandleLayout, handle: unknown, stamp: number | undefined, isFree: boolean): Error {
  const { base, step } = layout;
  // What is equal and yet was refused, became a number on its way here.
  if (typeof handle !== "number" || handle === stamp)
    return new ForeignHandleError(handle, "was not given as a number");
  if (!Number.isSafeInteger(handle) || tagOf(handle) < 1) return new ForeignHandleError(handle, "is no handle");
  if (tagOf(handle) !== tagOf(base)) return new ForeignHandleError(handle, "is a handle of another pool");
  if (handle < base + step) return new ForeignHandleError(handle, "is no handle");
  if (stamp === undefined) return new ForeignHandleError(handle, "names no slot of this size class");
  const last = isLive(stamp) ? stamp : -1 - stamp;
  if (handle > last) return new ForeignHandleError(handle, "was never handed out");
  return isFree && handle === last ? new DoubleFreeError(handle) : new StaleHandleError(handle);
}

function tagOf(handle: number): number {
  return Math.floor(handle / 2 ** OWN_BITS);
}

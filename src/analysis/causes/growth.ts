/** What filled the heap since the last full collection: the three things that can make V8 run the next one. */
import { formatBytes } from "../../lib/units.ts";
import { isMemoryReducer, isYoungCollection, type SpikeFacts } from "./facts.ts";
import { workedShare, workMs } from "./machine-time.ts";
import { ramp } from "./ramp.ts";

const MIB = 1024 ** 2;
/**
 * V8's limit lies 8 MiB or more above what was alive, 2 MiB where memory is short (MemoryController::MinimumAllocationLimitGrowingStep):
 * less growth than the first is not what it collects for, growth of the second is.
 */
const NO_GROWTH = 1 * MIB;
const GROWTH = 4 * MIB;
/** Marking and moving what is in use takes no longer than this; what takes longer was not about growth. */
const MOST_MS = 5;
const MOST_MS_A_MIB = 3;

export interface Growth {
  readonly old: number;
  readonly large: number;
  readonly external: number;
  readonly total: number;
  readonly seconds: number;
  /** How much of the stop this much growth, and a heap of this size, can account for, 0 to 1. */
  readonly reach: number;
}

/** Null where it is not known, and for what is not about it: young collections, and those that V8 runs because the program is calm. */
export function growthOf(facts: SpikeFacts): Growth | null {
  const { kind, before, since, startMs } = facts;
  if (isYoungCollection(facts) || kind === "weak-callbacks" || isMemoryReducer(facts)) return null;
  if (before === null || since === null) return null;
  const grew = (bytes: number): number => Math.max(0, bytes) || 0;
  const old = grew(before.old - since.old);
  const large = grew(before.large + before.youngLarge - since.large);
  const external = grew(before.external - since.external);
  const total = old + large + external;
  return {
    old,
    large,
    external,
    total,
    seconds: Math.max(0.001, (startMs - since.timeMs) / 1000),
    reach:
      ramp(total, NO_GROWTH, GROWTH) *
      Math.min(1, mostMs(facts) / Math.max(1, workMs(facts.machine))) *
      workedShare(facts.machine),
  };
}

function mostMs({ usedBefore, collections }: SpikeFacts): number {
  if (Number.isNaN(usedBefore)) return Number.POSITIVE_INFINITY;
  return collections * (MOST_MS + (usedBefore / MIB) * MOST_MS_A_MIB);
}

/** Small young generations promote much that dies soon beside a leak: up to here that is seen; from the second share on nothing stays. */
const SOME_PASSED = 0.75;
const ALL_PASSED = 0.95;

/** How much what the old generation grew by only passed through it, 0 to 1: survived young collections, and died soon after. */
export function passedShare({ diedOld }: SpikeFacts): number {
  return ramp(diedOld || 0, SOME_PASSED, ALL_PASSED);
}

/** "38 MiB in 2.1 s". */
export function growthText(bytes: number, { seconds }: Growth): string {
  const time = seconds >= 100 ? `${Math.round(seconds)}` : seconds.toPrecision(2);
  return `${formatBytes(bytes)} in ${time} s`;
}

/** How fast a program allocates, what is usual for it, and when that is a burst. Pure. */
import type { GcHistory } from "./gc-history.ts";

/** A rate is looked at over this time, and what is usual over so many such times before it. */
export const BURST_MS = 1000;
const USUAL_STRETCHES = 30;
/** Fewer say nothing about what is usual. */
const LEAST_STRETCHES = 3;

/** A burst is so many times as much as usual, and at least so much, bytes a second. */
export const BURST_JUMP = 4;
export const BURST_LEAST_RATE = 20 * 1024 ** 2;

/** Bytes a second. */
export interface AllocationRate {
  readonly now: number;
  readonly usual: number;
}

export function isBurst({ now, usual }: AllocationRate): boolean {
  return now >= BURST_LEAST_RATE && now / Math.max(usual, 1) >= BURST_JUMP;
}

/** The median of the rates over the stretches right before a moment, in order of time, NaN where one is not known; null: too few are. */
export function usualRate(rates: Float64Array): number | null {
  const known = rates.subarray(-USUAL_STRETCHES).filter((rate) => !Number.isNaN(rate));
  return known.length < LEAST_STRETCHES ? null : (known.sort()[known.length >> 1] ?? null);
}

/** The rate right before a moment of an isolate that began at `startMs`; null where it, or what is usual, is not known. */
export function rateBefore(history: GcHistory, startMs: number, timeMs: number): AllocationRate | null {
  const now = history.allocationRate(timeMs - BURST_MS, timeMs);
  const stretches = Math.min(USUAL_STRETCHES, Math.floor((timeMs - BURST_MS - startMs) / BURST_MS));
  if (now === null || stretches < LEAST_STRETCHES) return null;
  const before = Float64Array.from({ length: stretches }, (_, i) => {
    const endMs = timeMs - (stretches - i) * BURST_MS;
    return history.allocationRate(endMs - BURST_MS, endMs) ?? Number.NaN;
  });
  const usual = usualRate(before);
  return usual === null ? null : { now, usual };
}

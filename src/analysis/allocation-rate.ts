/** How fast a program allocates, what is usual for it, and when that is a burst. Pure. */
import type { GcHistory } from "./gc-history.ts";

/** A burst may be as short as the first, and what is usual is looked at over stretches of the second: so many of them before it. */
export const QUARTER_MS = 250;
export const SECOND_MS = 1000;
export const USUAL_STRETCHES = 30;
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
  const rates = [QUARTER_MS, SECOND_MS].map((ms) => history.allocationRate(timeMs - ms, timeMs));
  const known = rates.filter((rate) => rate !== null);
  const stretches = Math.min(USUAL_STRETCHES, Math.floor((timeMs - SECOND_MS - startMs) / SECOND_MS));
  if (known.length === 0 || stretches < LEAST_STRETCHES) return null;
  const before = Float64Array.from({ length: stretches }, (_, i) => {
    const endMs = timeMs - (stretches - i) * SECOND_MS;
    return history.allocationRate(endMs - SECOND_MS, endMs) ?? Number.NaN;
  });
  const usual = usualRate(before);
  return usual === null ? null : { now: Math.max(...known), usual };
}

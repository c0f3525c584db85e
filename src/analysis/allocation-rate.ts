/** How fast a program allocates, what is usual for it, and when that is a burst. Pure. */
import type { GcHistory } from "./gc-history.ts";

/** A burst may be as short as this. */
export const QUARTER_MS = 250;
export const SECOND_MS = 1000;
/**
 * What is usual is the median over the quarters of a second in this time: a burst that comes again and again, every second or two,
 * does not become usual, and what goes on for longer than half of it does.
 */
export const USUAL_MS = 10_000;
/** Less says nothing about what is usual. */
const LEAST_MS = 3000;

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

/** What was usual up to a moment of an isolate that began at `startMs`, bytes a second; null: too little of that time is known. */
export function usualRate(history: GcHistory, startMs: number, timeMs: number): number | null {
  const count = Math.max(0, Math.floor(Math.min(USUAL_MS, timeMs - startMs) / QUARTER_MS));
  const rates = Float64Array.from({ length: count }, (_, i) => {
    const endMs = timeMs - i * QUARTER_MS;
    return history.allocationRate(endMs - QUARTER_MS, endMs) ?? Number.NaN;
  });
  const known = rates.filter((rate) => !Number.isNaN(rate)).sort();
  return known.length * QUARTER_MS < LEAST_MS ? null : (known[known.length >> 1] ?? null);
}

/** The rate right before a moment of an isolate that began at `startMs`; null where it, or what is usual, is not known. */
export function rateBefore(history: GcHistory, startMs: number, timeMs: number): AllocationRate | null {
  const rates = [QUARTER_MS, SECOND_MS].map((ms) => history.allocationRate(timeMs - ms, timeMs));
  const known = rates.filter((rate) => rate !== null);
  const usual = usualRate(history, startMs, timeMs - SECOND_MS);
  return known.length === 0 || usual === null ? null : { now: Math.max(...known), usual };
}

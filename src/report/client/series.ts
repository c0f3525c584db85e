/** Reading single values off a series. */
import type { Series } from "../view-model.ts";

/** The largest finite value; NaN of none. */
export function largest(values: Iterable<number>): number {
  let most = Number.NaN;
  for (const value of values) if (Number.isFinite(value) && !(value <= most)) most = value;
  return most;
}

/** The value of a series at or before a moment; NaN before its first. */
export function valueAt({ timeMs, value }: Series, at: number): number {
  let low = 0;
  let high = timeMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timeMs[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return value[low - 1] ?? Number.NaN;
}

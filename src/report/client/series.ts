/** Reading single values off a series. */
import type { Series } from "../view-model.ts";

/** The largest finite value; NaN of none. */
export function largest(values: Iterable<number>): number {
  let most = Number.NaN;
  for (const value of values) if (Number.isFinite(value) && !(value <= most)) most = value;
  return most;
}

/** Index of the time nearest to a moment; 0 of none. */
export function nearest(timeMs: ArrayLike<number>, at: number): number {
  let low = 0;
  let high = timeMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timeMs[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  const before = at - (timeMs[low - 1] ?? Number.NEGATIVE_INFINITY);
  const after = (timeMs[low] ?? Number.POSITIVE_INFINITY) - at;
  return before < after ? low - 1 : low;
}

/** The value nearest to a moment; NaN of an empty series. */
export function valueNear({ timeMs, value }: Series, at: number): number {
  return value[nearest(timeMs, at)] ?? Number.NaN;
}

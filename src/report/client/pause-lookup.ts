/** Finding pauses in their columns, which are in order of time. */
import type { PauseSeries } from "../view-model.ts";
import { KINDS } from "./kinds.ts";

/** First index whose start is at or after `at`. */
function indexFrom(starts: Float64Array, at: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Pauses that touch [min, max): from the first to before the second index. One may have begun before. */
export function pausesWithin({ startMs, durationMs }: PauseSeries, min: number, max: number): [number, number] {
  const first = indexFrom(startMs, min);
  const before = first - 1;
  const reaches = before >= 0 && (startMs[before] ?? 0) + (durationMs[before] ?? 0) > min;
  return [reaches ? before : first, indexFrom(startMs, max)];
}

/** Index of the longest shown pause that touches [min, max), or -1. */
export function longestWithin(pauses: PauseSeries, min: number, max: number, hidden: ReadonlySet<number>): number {
  const [from, to] = pausesWithin(pauses, min, max);
  let best = -1;
  for (let i = from; i < to; i += 1) {
    if (hidden.has(pauses.kind[i] ?? -1)) continue;
    if (best < 0 || (pauses.durationMs[i] ?? 0) > (pauses.durationMs[best] ?? 0)) best = i;
  }
  return best;
}

/** Kinds that occur at all, in the order of PAUSE_KINDS. */
export function kindsOf(pauses: PauseSeries): readonly number[] {
  const seen = new Array<boolean>(KINDS.length).fill(false);
  for (const kind of pauses.kind) seen[kind] = true;
  return [...KINDS.keys()].filter((kind) => seen[kind]);
}

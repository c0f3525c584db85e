import { type Intervals, lowerBound } from "./intervals.ts";

/**
 * Exact nearest-rank quantile: the smallest value that at least the share `q` of all values does not exceed.
 * `sorted` is ascending; null without values. `q` counts to a millionth, in integers, because 0.07 * 100 is 7.000000000000001.
 */
export function quantile(sorted: Float64Array, q: number): number | null {
  const rank = Math.ceil((Math.round(q * 1e6) * sorted.length) / 1e6);
  return sorted[Math.max(rank, 1) - 1] ?? null;
}

/** Window lengths for a curve of minimum mutator utilisation: six a decade from 1 ms on, and the whole observed time. */
export function mmuWindows(observedMs: number): readonly number[] {
  const windows: number[] = [];
  for (let decade = 1; decade <= observedMs; decade *= 10) {
    for (const factor of [1, 1.5, 2, 3, 5, 7]) {
      if (decade * factor < observedMs) windows.push(decade * factor);
    }
  }
  return observedMs >= 1 ? [...windows, observedMs] : windows;
}

/**
 * Minimum mutator utilisation (Cheng & Blelloch, "A parallel, real-time garbage collector", PLDI 2001): the smallest share of
 * any window of a length, inside `fromMs..toMs`, that was left to the program. One entry a window length, none for windows
 * that are longer than the observed time. `stops` lie inside the observed time.
 *
 * Exact in one pass a length. Stopped time as a function of the window's start is piecewise linear, and rises only while the
 * window's end moves through a stop and its start does not. Left of the maxima's plateau it rises and right of it, it falls,
 * so that somewhere on the plateau the window's start enters a stop, unless the plateau reaches a bound of the observed time.
 * Hence it is enough to look at windows that begin with a stop, and at the first and the last window.
 */
export function minimumMutatorUtilization(
  stops: Intervals,
  fromMs: number,
  toMs: number,
  windows: readonly number[],
): readonly { readonly windowMs: number; readonly utilization: number }[] {
  const before = stoppedBefore(stops);
  return windows
    .filter((windowMs) => windowMs > 0 && windowMs <= toMs - fromMs)
    .map((windowMs) => {
      const first = stoppedUntil(stops, before, fromMs + windowMs) - stoppedUntil(stops, before, fromMs);
      const last = stoppedUntil(stops, before, toMs) - stoppedUntil(stops, before, toMs - windowMs);
      const stopped = mostStopped(stops, before, windowMs, toMs, Math.max(first, last));
      return { windowMs, utilization: Math.min(1, Math.max(0, 1 - stopped / windowMs)) };
    });
}

/** Entry i: length of the first i stops together. */
function stoppedBefore(stops: Intervals): Float64Array {
  const before = new Float64Array(stops.count + 1);
  let sum = 0;
  for (let i = 0; i < stops.count; i++) {
    sum += (stops.endMs[i] ?? 0) - (stops.startMs[i] ?? 0);
    before[i + 1] = sum;
  }
  return before;
}

/** Stopped time from the beginning up to a moment. */
function stoppedUntil(stops: Intervals, before: Float64Array, timeMs: number): number {
  const begun = lowerBound(stops.startMs, timeMs, stops.count);
  if (begun === 0) return 0;
  return (before[begun] ?? 0) - Math.max(0, (stops.endMs[begun - 1] ?? 0) - timeMs);
}

/**
 * Most stopped time, at least `atLeast`, in any window that begins with a stop and ends in the observed time. A window that
 * begins d later holds at most d more, so that where one falls short of the most by d, the next d of starts are passed over.
 */
function mostStopped(stops: Intervals, before: Float64Array, windowMs: number, toMs: number, atLeast: number): number {
  const { count, startMs, endMs } = stops;
  let most = atLeast;
  let begun = 0;
  let i = 0;
  while (i < count) {
    const start = startMs[i] ?? 0;
    const end = start + windowMs;
    if (end > toMs) break;
    while (begun < count && (startMs[begun] ?? 0) < end) begun++;
    const beyond = (endMs[begun - 1] ?? 0) - end;
    const stopped = (before[begun] ?? 0) - (before[i] ?? 0) - Math.max(beyond, 0);
    most = Math.max(most, stopped);
    const passUntil = start + most - stopped;
    do i++;
    while (i < count && (startMs[i] ?? 0) < passUntil);
  }
  return most;
}

/** A quantity that holds its value until the next point, and is nothing outside `fromMs..toMs`. */
export interface StepSeries {
  readonly fromMs: number;
  readonly toMs: number;
  readonly timeMs: Float64Array;
  readonly value: Float64Array;
}

/** Slices of 100 ms, the period of the samples; longer ones where a recording of many hours would need more than this many. */
const MAX_SLICES = 100_000;

/**
 * The largest sum of several series at one moment: the largest value itself for one series, else to within a slice of 100 ms
 * (each series counts with its largest value in the slice). null without a value. NaN values are left out.
 */
export function peakOfSum(series: readonly StepSeries[]): number | null {
  const sum = sumOverTime(series);
  return sum === null ? null : largest(sum.value);
}

/** The sum of which `peakOfSum` is the largest value, with a point a slice; the series itself where there is only one. */
export function sumOverTime(series: readonly StepSeries[]): Pick<StepSeries, "timeMs" | "value"> | null {
  const known = series.filter((one) => one.value.some((value) => !Number.isNaN(value)));
  if (known.length <= 1) return known[0] ?? null;
  const end = known.reduce((latest, one) => Math.max(latest, one.toMs), 0);
  const sliceMs = Math.max(100, end / MAX_SLICES);
  const sums = new Float64Array(Math.floor(end / sliceMs) + 1);
  for (const one of known) addSlices(sums, sliceMs, one);
  return { timeMs: Float64Array.from(sums, (_, slice) => slice * sliceMs), value: sums };
}

function addSlices(sums: Float64Array, sliceMs: number, { fromMs, toMs, timeMs, value }: StepSeries): void {
  const slice = (time: number) => Math.min(sums.length - 1, Math.max(0, Math.floor(time / sliceMs)));
  const last = slice(toMs);
  let next = 0;
  let held = 0;
  for (let i = slice(fromMs); i <= last; i++) {
    let most = held;
    while (next < timeMs.length && (i === last || slice(timeMs[next] ?? 0) <= i)) {
      const current = value[next++] ?? Number.NaN;
      if (Number.isNaN(current)) continue;
      held = current;
      if (current > most) most = current;
    }
    sums[i] = (sums[i] ?? 0) + most;
  }
}

function largest(values: Float64Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > most) most = value;
  return most;
}

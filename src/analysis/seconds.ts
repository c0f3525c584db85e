/** An isolate second by second: what it allocated, how its heap grew, how long its pauses were. Pure. */
import { type IsolateData, PAUSE_KINDS } from "../recording/model.ts";
import { isBurst, QUARTER_MS, SECOND_MS, usualRate } from "./allocation-rate.ts";
import { GcHistory } from "./gc-history.ts";
import { type HeapSeries, heapSeries, valueAt } from "./heap-series.ts";
import { lowerBound } from "./intervals.ts";
import type { ReportIsolate, Thresholds } from "./report-types.ts";

/** A heap that grows faster than this is marked, bytes a second, unless somebody says otherwise. */
export const GROWTH_BYTES = 50 * 1024 ** 2;
/** P99 of a second is that of the pauses that began in so many seconds, the last of them its own. */
export const P99_SECONDS = 10;

const MARK_COMPACT = PAUSE_KINDS.indexOf("mark-compact");
const YOUNG_COLLECTIONS: ReadonlySet<number> = new Set(
  (["scavenge", "minor-mark-sweep"] as const).map((kind) => PAUSE_KINDS.indexOf(kind)),
);

/** Second i begins at fromMs + 1000 i; the last one ends at toMs and may be shorter. NaN: not known, or no pause. */
export interface Seconds {
  readonly fromMs: number;
  readonly toMs: number;
  /** Bytes a second. */
  readonly allocation: Float64Array;
  /** In its fastest quarter, bytes a second; at least `allocation`. */
  readonly peakAllocation: Float64Array;
  /** The median over the quarters of the 10 s before, bytes a second. */
  readonly usualAllocation: Float64Array;
  /** Of the used heap between full collections, from one collection's end to another's, bytes a second; below 0 where it shrinks. */
  readonly growth: Float64Array;
  /** Exact nearest-rank, of the pauses that began in the second or the nine before it. */
  readonly p99Ms: Float64Array;
  /** 1: the peak is a burst, as the cause of that name has it. */
  readonly isBurst: Uint8Array;
  /** 1: the heap grows faster than the threshold. */
  readonly isGrowing: Uint8Array;
  /** 1: P99 is as long as the threshold. */
  readonly isSlow: Uint8Array;
}

/** Linear in the seconds, n log n in the pauses. */
export function secondsOf(
  isolate: IsolateData,
  { p99Ms: slowMs, growthBytes }: Omit<Thresholds, "spikeMs">,
  history = new GcHistory(isolate),
): Seconds {
  const { startMs: fromMs, endMs: toMs } = isolate;
  const count = Math.max(0, Math.ceil((toMs - fromMs) / SECOND_MS));
  const begin = (second: number): number => fromMs + second * SECOND_MS;
  const end = (second: number): number => Math.min(toMs, fromMs + (second + 1) * SECOND_MS);
  const eachSecond = (value: (second: number) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, second) => value(second));
  // What is left of a second is too short to say that something is faster than usual.
  const whole = Math.floor((toMs - fromMs) / SECOND_MS);
  const marked = (holds: (second: number) => boolean): Uint8Array =>
    Uint8Array.from({ length: count }, (_, second) => (second < whole && holds(second) ? 1 : 0));

  const allocation = eachSecond((second) => history.allocationRate(begin(second), end(second)) ?? Number.NaN);
  const quarters = Array.from({ length: SECOND_MS / QUARTER_MS }, (_, i) => i * QUARTER_MS);
  const peakAllocation = eachSecond((second) =>
    quarters.reduce((most, at) => {
      const from = begin(second) + at;
      const rate = history.allocationRate(from, Math.min(toMs, from + QUARTER_MS));
      return rate === null ? most : Math.max(most, rate);
    }, allocation[second] ?? Number.NaN),
  );
  const usualAllocation = eachSecond((second) => usualRate(history, fromMs, begin(second)) ?? Number.NaN);
  const rise = heapRise(isolate);
  const growth = eachSecond((second) => growthBetween(rise, begin(second), end(second)));
  const p99Ms = slidingP99(isolate, fromMs, count);
  return {
    fromMs,
    toMs,
    allocation,
    peakAllocation,
    usualAllocation,
    growth,
    p99Ms,
    isBurst: marked((i) => isBurst({ now: peakAllocation[i] ?? 0, usual: usualAllocation[i] ?? Number.NaN })),
    isGrowing: marked((i) => (growth[i] ?? 0) > growthBytes),
    isSlow: Uint8Array.from(p99Ms, (ms) => (ms >= slowMs ? 1 : 0)),
  };
}

/**
 * How far the used heap had risen, measured where collections end: garbage of the young generation, which comes and goes with every
 * scavenge, is not in it. What a full collection takes away does not count, so that it tells how fast the heap grows up to the next.
 * It begins with the first known size. Where nothing was collected, all known sizes stand for it.
 */
function heapRise(isolate: IsolateData): HeapSeries {
  const used = heapSeries(isolate, "used");
  const { count, kind, startMs, durationMs, usedAfter } = isolate.pauses;
  const timeMs = new Float64Array(count + 1);
  const value = new Float64Array(count + 1);
  timeMs[0] = used.timeMs[0] ?? 0;
  let level = used.value[0] ?? 0;
  let points = 1;
  for (let i = 0; i < count; i++) {
    const after = usedAfter[i] ?? Number.NaN;
    const isFull = kind[i] === MARK_COMPACT;
    if (Number.isNaN(after) || !(isFull || YOUNG_COLLECTIONS.has(kind[i] ?? -1))) continue;
    timeMs[points] = (startMs[i] ?? 0) + (durationMs[i] ?? 0);
    value[points] = (value[points - 1] ?? 0) + (isFull ? Math.max(0, after - level) : after - level);
    level = after;
    points++;
  }
  return points === 1 ? used : { timeMs: timeMs.subarray(0, points), value: value.subarray(0, points) };
}

/** The rise between two moments over the time between them, bytes a second; NaN where it is known at no time between them. */
function growthBetween(rise: HeapSeries, fromMs: number, toMs: number): number {
  const { timeMs } = rise;
  const from = Math.max(fromMs, timeMs[0] ?? Number.POSITIVE_INFINITY);
  const to = Math.min(toMs, timeMs.at(-1) ?? Number.NEGATIVE_INFINITY);
  if (!(to > from)) return Number.NaN;
  return ((valueAt(rise, to) - valueAt(rise, from)) / (toMs - fromMs)) * 1000;
}

/** For each second, of its pauses and those of the nine before it. Each pause is sorted once, with those of its own second. */
function slidingP99({ pauses }: IsolateData, fromMs: number, count: number): Float64Array {
  const first = (second: number): number =>
    second === count ? pauses.count : lowerBound(pauses.startMs, fromMs + second * SECOND_MS, pauses.count);
  const bySecond = Array.from({ length: count }, (_, second) =>
    pauses.durationMs.slice(first(second), first(second + 1)).sort(),
  );
  return Float64Array.from(bySecond, (_, second) =>
    p99Of(bySecond.slice(Math.max(0, second + 1 - P99_SECONDS), second + 1)),
  );
}

/** Exact nearest-rank, over ascending lists: the hundredth part of their values is taken off their tops. NaN of none. */
function p99Of(lists: readonly Float64Array[]): number {
  const total = lists.reduce((sum, { length }) => sum + length, 0);
  const left = lists.map(({ length }) => length);
  let largest = Number.NaN;
  for (let rank = total; rank > 0 && rank >= Math.ceil((99 * total) / 100); rank--) {
    largest = Number.NEGATIVE_INFINITY;
    let from = 0;
    for (let list = 0; list < lists.length; list++) {
      const top = lists[list]?.[(left[list] ?? 0) - 1] ?? Number.NEGATIVE_INFINITY;
      if (top > largest) [largest, from] = [top, list];
    }
    left[from] = (left[from] ?? 0) - 1;
  }
  return largest;
}

export function countSeconds({ p99Ms, isBurst, isGrowing, isSlow }: Seconds): ReportIsolate["seconds"] {
  const marked = (seconds: Uint8Array): number => seconds.reduce((sum, mark) => sum + mark, 0);
  return { all: p99Ms.length, bursts: marked(isBurst), growing: marked(isGrowing), slow: marked(isSlow) };
}

import type { IsolateData } from "../recording/model.ts";
import { lowerBound } from "./intervals.ts";

export interface HeapSeries {
  readonly timeMs: Float64Array;
  readonly value: Float64Array;
}

/**
 * Used heap bytes (or external bytes) over time, in order: samples, and the values before and after every pause.
 * Unknown values are left out.
 */
export function heapSeries(isolate: IsolateData, quantity: "used" | "external"): HeapSeries {
  const { pauses, heap } = isolate;
  const before = quantity === "used" ? pauses.usedBefore : pauses.externalBefore;
  const after = quantity === "used" ? pauses.usedAfter : pauses.externalAfter;
  const sampled = quantity === "used" ? heap.used : heap.external;
  const series = new SeriesBuilder(heap.count + 2 * pauses.count);
  let sample = 0;
  const samplesUntil = (time: number) => {
    while (sample < heap.count && (heap.timeMs[sample] ?? 0) < time) {
      series.add(heap.timeMs[sample] ?? 0, sampled[sample] ?? Number.NaN);
      sample++;
    }
  };
  for (let i = 0; i < pauses.count; i++) {
    const start = pauses.startMs[i] ?? 0;
    samplesUntil(start);
    series.add(start, before[i] ?? Number.NaN);
    const end = start + (pauses.durationMs[i] ?? 0);
    samplesUntil(end);
    series.add(end, after[i] ?? Number.NaN);
  }
  samplesUntil(Number.POSITIVE_INFINITY);
  return series.finish();
}

/** The value at a moment, on the line between the points around it; before the first point and behind the last one theirs. */
export function valueAt({ timeMs, value }: HeapSeries, atMs: number): number {
  const next = lowerBound(timeMs, atMs);
  if (next === 0) return value[0] ?? 0;
  if (next >= timeMs.length) return value[timeMs.length - 1] ?? 0;
  const [from, to] = [timeMs[next - 1] ?? 0, timeMs[next] ?? 0];
  const [low, high] = [value[next - 1] ?? 0, value[next] ?? 0];
  return to > from ? low + ((high - low) * (atMs - from)) / (to - from) : high;
}

class SeriesBuilder {
  readonly #timeMs: Float64Array;
  readonly #value: Float64Array;
  #count = 0;

  constructor(capacity: number) {
    this.#timeMs = new Float64Array(capacity);
    this.#value = new Float64Array(capacity);
  }

  add(timeMs: number, value: number): void {
    if (Number.isNaN(value)) return;
    this.#timeMs[this.#count] = timeMs;
    this.#value[this.#count] = value;
    this.#count++;
  }

  finish(): HeapSeries {
    return { timeMs: this.#timeMs.slice(0, this.#count), value: this.#value.slice(0, this.#count) };
  }
}

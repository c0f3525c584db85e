/**
 * A histogram of pauses that only grows, in two sets of buckets at once: exponential ones, which tell durations apart that differ by 9 %,
 * for Prometheus's native histograms and OpenTelemetry's exponential ones, and a few fixed bounds for who knows neither.
 */
import { PAUSE_BOUNDS } from "../export/openmetrics.ts";

/** Buckets grow by 2^(2^-3). A finer scale would double what each scrape carries, and a pause is not measured better. */
export const SCALE = 3;
/** Shorter ones count as this long: a microsecond is the probe's own time. */
const LEAST_SECONDS = 1e-6;
/** With the least, this bounds the buckets: 240. */
const MOST_SECONDS = 1000;
/** Below the least: all values are above it. */
export const ZERO_THRESHOLD = 2 ** -20;

/** A pause that a kept dump is about. */
export interface Exemplar {
  readonly dump: string;
  readonly seconds: number;
  /** ms since 1970 */
  readonly epochMs: number;
}

export interface HistogramState {
  readonly count: number;
  /** s */
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** By number, rising: bucket i holds values above base^i and up to base^(i + 1). None is empty. */
  readonly fine: readonly (readonly [bucket: number, count: number])[];
  /** Behind each of PAUSE_BOUNDS, and one for what is longer; not cumulative. */
  readonly coarse: readonly number[];
  /** By index into `coarse`. */
  readonly exemplars: ReadonlyMap<number, Exemplar>;
}

export class Histogram {
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  readonly #fine = new Map<number, number>();
  readonly #coarse = new Array<number>(PAUSE_BOUNDS.length + 1).fill(0);
  readonly #exemplars = new Map<number, Exemplar>();

  add(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    this.#min = Math.min(this.#min, seconds);
    this.#max = Math.max(this.#max, seconds);
    const fine = fineBucket(seconds);
    this.#fine.set(fine, (this.#fine.get(fine) ?? 0) + 1);
    const coarse = coarseBucket(seconds);
    this.#coarse[coarse] = (this.#coarse[coarse] ?? 0) + 1;
  }

  /** The last one of a bucket stays. */
  point(exemplar: Exemplar): void {
    this.#exemplars.set(coarseBucket(exemplar.seconds), exemplar);
  }

  state(): HistogramState {
    return {
      count: this.#count,
      sum: this.#sum,
      min: this.#min,
      max: this.#max,
      fine: [...this.#fine].sort(([a], [b]) => a - b),
      coarse: [...this.#coarse],
      exemplars: new Map(this.#exemplars),
    };
  }
}

function fineBucket(seconds: number): number {
  const within = Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, seconds));
  return Math.ceil(Math.log2(within) * 2 ** SCALE) - 1;
}

function coarseBucket(seconds: number): number {
  const bound = PAUSE_BOUNDS.findIndex((one) => seconds <= one);
  return bound < 0 ? PAUSE_BOUNDS.length : bound;
}

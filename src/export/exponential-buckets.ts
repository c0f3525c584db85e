/** What OpenTelemetry lets a histogram have. */
const MOST_BUCKETS = 160;
const FINEST_SCALE = 20;

export interface ExponentialBuckets {
  readonly scale: number;
  /** Number of the first bucket; bucket i holds values above base^i and up to base^(i + 1), base = 2^(2^-scale). */
  readonly offset: number;
  readonly counts: readonly number[];
  /** Values that are 0. */
  readonly zeroCount: number;
}

/** The finest exponential histogram of these values, none of which is negative. */
export function exponentialBuckets(values: readonly number[]): ExponentialBuckets {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const value of values) {
    if (value === 0) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (most === 0) return { scale: 0, offset: 0, counts: [], zeroCount: values.length };
  let scale = FINEST_SCALE;
  while (bucketOf(most, scale) - bucketOf(least, scale) >= MOST_BUCKETS) scale--;
  const offset = bucketOf(least, scale);
  const counts = new Array<number>(bucketOf(most, scale) - offset + 1).fill(0);
  let zeroCount = 0;
  for (const value of values) {
    if (value === 0) zeroCount++;
    else counts[bucketOf(value, scale) - offset] = (counts[bucketOf(value, scale) - offset] ?? 0) + 1;
  }
  return { scale, offset, counts, zeroCount };
}

function bucketOf(value: number, scale: number): number {
  return Math.ceil(Math.log2(value) * 2 ** scale) - 1;
}

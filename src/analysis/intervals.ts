/** Sets of moments: sorted, disjoint intervals of time in typed arrays, because there may be millions. */

export interface Intervals {
  readonly count: number;
  readonly startMs: Float64Array;
  readonly endMs: Float64Array;
}

/** Collects intervals that come in order of their start; those that overlap become one, those that touch stay two. */
export class IntervalBuilder {
  #startMs = new Float64Array(1024);
  #endMs = new Float64Array(1024);
  #count = 0;
  #lastEnd = Number.NEGATIVE_INFINITY;

  add(startMs: number, endMs: number): void {
    if (!(endMs >= startMs)) return;
    if (startMs < this.#lastEnd) {
      if (endMs <= this.#lastEnd) return;
      this.#endMs[this.#count - 1] = endMs;
    } else {
      if (this.#count === this.#startMs.length) this.#grow();
      this.#startMs[this.#count] = startMs;
      this.#endMs[this.#count] = endMs;
      this.#count++;
    }
    this.#lastEnd = endMs;
  }

  finish(): Intervals {
    return {
      count: this.#count,
      startMs: this.#startMs.subarray(0, this.#count),
      endMs: this.#endMs.subarray(0, this.#count),
    };
  }

  #grow(): void {
    this.#startMs = doubled(this.#startMs);
    this.#endMs = doubled(this.#endMs);
  }
}

function doubled(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}

/** Moments in `a` or in `b`. */
export function union(a: Intervals, b: Intervals): Intervals {
  if (b.count === 0) return a;
  const builder = new IntervalBuilder();
  let i = 0;
  let j = 0;
  while (i < a.count || j < b.count) {
    const fromA = a.startMs[i] ?? Number.POSITIVE_INFINITY;
    const fromB = b.startMs[j] ?? Number.POSITIVE_INFINITY;
    if (fromA <= fromB) builder.add(fromA, a.endMs[i++] ?? fromA);
    else builder.add(fromB, b.endMs[j++] ?? fromB);
  }
  return builder.finish();
}

/** Moments in `a` and not in `b`. */
export function subtract(a: Intervals, b: Intervals): Intervals {
  const builder = new IntervalBuilder();
  let j = 0;
  for (let i = 0; i < a.count; i++) {
    let from = a.startMs[i] ?? 0;
    const to = a.endMs[i] ?? 0;
    while (j < b.count && (b.endMs[j] ?? 0) <= from) j++;
    // An interval of `b` may reach into the next one of `a`, so that `j` itself stays where it is.
    for (let k = j; k < b.count && (b.startMs[k] ?? 0) < to && from < to; k++) {
      if ((b.startMs[k] ?? 0) > from) builder.add(from, b.startMs[k] ?? 0);
      from = Math.max(from, b.endMs[k] ?? 0);
    }
    if (from < to) builder.add(from, to);
  }
  return builder.finish();
}

/** Length of all intervals together, ms. */
export function totalMs(intervals: Intervals): number {
  let total = 0;
  for (let i = 0; i < intervals.count; i++) total += (intervals.endMs[i] ?? 0) - (intervals.startMs[i] ?? 0);
  return total;
}

/** Length of what of all intervals lies between two moments, ms. */
export function lengthWithin({ count, startMs, endMs }: Intervals, fromMs: number, toMs: number): number {
  let length = 0;
  for (let i = lowerBound(endMs, fromMs, count); i < count && (startMs[i] ?? 0) < toMs; i++) {
    length += Math.min(toMs, endMs[i] ?? 0) - Math.max(fromMs, startMs[i] ?? 0);
  }
  return length;
}

/** Index of the first entry that is not below `value`, in a sorted column of which `count` entries are valid. */
export function lowerBound(column: Float64Array, value: number, count = column.length): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((column[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

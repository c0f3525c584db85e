/** Moments of a recording at which metrics are told: as often as monitoring asks for them. */
const LEAST_STEP_MS = 1000;
/** With more an hour's recording would be files of hundreds of megabytes. */
const MOST_MOMENTS = 3600;

/** Every second (in recordings of more than an hour every few), and the end. */
export function momentsOf(durationMs: number): Float64Array {
  const step = LEAST_STEP_MS * Math.max(1, Math.ceil(durationMs / LEAST_STEP_MS / MOST_MOMENTS));
  // The last one is no less than a millisecond behind the one before it: at the same time it would be lost.
  const whole = Math.max(0, Math.ceil((durationMs - 1) / step));
  return Float64Array.from({ length: whole + 1 }, (_, i) => (i === whole ? durationMs : i * step));
}

/** What had been added up by each of these moments; the last has all of it. `timeMs` rises. */
export function sumsAt(moments: Float64Array, timeMs: Float64Array, value: (index: number) => number): Float64Array {
  const sums = new Float64Array(moments.length);
  let sum = 0;
  let next = 0;
  for (let i = 0; i < moments.length; i++) {
    const untilMs = i === moments.length - 1 ? Number.POSITIVE_INFINITY : (moments[i] ?? 0);
    while (next < timeMs.length && (timeMs[next] ?? 0) <= untilMs) {
      const one = value(next++);
      if (!Number.isNaN(one)) sum += one;
    }
    sums[i] = sum;
  }
  return sums;
}

/** The last known value at each of these moments; NaN before the first. `timeMs` rises. */
export function valuesAt(moments: Float64Array, timeMs: Float64Array, value: Float64Array): Float64Array {
  const values = new Float64Array(moments.length);
  let latest = Number.NaN;
  let next = 0;
  for (let i = 0; i < moments.length; i++) {
    while (next < timeMs.length && (timeMs[next] ?? 0) <= (moments[i] ?? 0)) {
      const one = value[next++] ?? Number.NaN;
      if (!Number.isNaN(one)) latest = one;
    }
    values[i] = latest;
  }
  return values;
}

/** The largest since the moment before, in which nothing may be known: NaN. */
export function largestAt(moments: Float64Array, timeMs: Float64Array, value: Float64Array): Float64Array {
  const values = new Float64Array(moments.length);
  let next = 0;
  for (let i = 0; i < moments.length; i++) {
    let largest = Number.NaN;
    while (next < timeMs.length && (timeMs[next] ?? 0) <= (moments[i] ?? 0)) {
      const one = value[next++] ?? Number.NaN;
      if (!(largest >= one)) largest = Number.isNaN(one) ? largest : one;
    }
    values[i] = largest;
  }
  return values;
}

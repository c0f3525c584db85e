/** Fewer points than pixels: a chart 1,000 pixels wide cannot show more, and a million points would take minutes to draw. */
import type { Series } from "../view-model.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

function columnOf(x: number, range: Range, columns: number): number {
  const column = Math.floor(((x - range.from) / (range.to - range.from)) * columns);
  return Math.min(columns - 1, Math.max(0, column));
}

function isDrawable(x: number, y: number): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}

/**
 * The largest point of each group in each of `columns` equal parts of the range, in order of x. `group[i]` is below
 * `groups`. Points that are not finite are left out.
 */
export function largestPerColumn(
  xs: Float64Array,
  ys: Float64Array,
  group: Uint8Array,
  groups: number,
  range: Range,
  columns: number,
): readonly (readonly Point[])[] {
  const best = new Int32Array(groups * columns).fill(-1);
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i] ?? Number.NaN;
    const y = ys[i] ?? Number.NaN;
    const g = group[i] ?? groups;
    if (!isDrawable(x, y) || g >= groups) continue;
    const cell = g * columns + columnOf(x, range, columns);
    const held = best[cell] ?? -1;
    if (held < 0 || y > (ys[held] ?? 0)) best[cell] = i;
  }
  return Array.from({ length: groups }, (_, g) =>
    Array.from(best.subarray(g * columns, (g + 1) * columns))
      .filter((i) => i >= 0)
      .map((i) => ({ x: xs[i] ?? 0, y: ys[i] ?? 0 })),
  );
}

/** The smallest and the largest point of each column, in order of time, so that neither peaks nor dips are lost. */
export function extremesPerColumn(xs: Float64Array, ys: Float64Array, range: Range, columns: number): readonly Point[] {
  const lowest = new Int32Array(columns).fill(-1);
  const highest = new Int32Array(columns).fill(-1);
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i] ?? Number.NaN;
    const y = ys[i] ?? Number.NaN;
    if (!isDrawable(x, y)) continue;
    const column = columnOf(x, range, columns);
    const low = lowest[column] ?? -1;
    const high = highest[column] ?? -1;
    if (low < 0 || y < (ys[low] ?? 0)) lowest[column] = i;
    if (high < 0 || y > (ys[high] ?? 0)) highest[column] = i;
  }
  const points: Point[] = [];
  for (let column = 0; column < columns; column++) {
    const pair = [...new Set([lowest[column] ?? -1, highest[column] ?? -1])].sort((a, b) => a - b);
    for (const i of pair) if (i >= 0) points.push({ x: xs[i] ?? 0, y: ys[i] ?? 0 });
  }
  return points;
}

/** The series itself, or its extremes where it has more than `limit` points. */
export function thinSeries(series: Series, range: Range, limit: number): Series {
  if (series.timeMs.length <= limit) return series;
  const points = extremesPerColumn(series.timeMs, series.value, range, limit / 2);
  return { timeMs: Float64Array.from(points, (p) => p.x), value: Float64Array.from(points, (p) => p.y) };
}

/** Index of the largest value in each column: stacked series keep one common moment for all their layers. */
export function largestIndexPerColumn(
  xs: Float64Array,
  ys: Float64Array,
  range: Range,
  columns: number,
): readonly number[] {
  const best = new Int32Array(columns).fill(-1);
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i] ?? Number.NaN;
    const y = ys[i] ?? Number.NaN;
    if (!isDrawable(x, y)) continue;
    const column = columnOf(x, range, columns);
    const held = best[column] ?? -1;
    if (held < 0 || y > (ys[held] ?? 0)) best[column] = i;
  }
  return Array.from(best).filter((i) => i >= 0);
}

/** Sums of at most `buckets` runs of neighbouring values, each of the same length (the last may be shorter). */
export function sumRuns(values: Float64Array, buckets: number): { readonly length: number; readonly sums: number[] } {
  const length = Math.max(1, Math.ceil(values.length / buckets));
  const sums = new Array<number>(Math.ceil(values.length / length)).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (Number.isFinite(value)) sums[Math.floor(i / length)] = (sums[Math.floor(i / length)] ?? 0) + value;
  }
  return { length, sums };
}

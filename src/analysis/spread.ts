/** How far runs of the same thing lie apart, and whether two columns differ by more. */
import type { ColumnValue } from "./compare-types.ts";

/** `runs` has at least one value. */
export function columnValue(column: string, runs: readonly number[]): ColumnValue {
  const sorted = runs.toSorted((a, b) => a - b);
  return { column, median: median(sorted), min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN, runs };
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The columns with the lowest and the highest median; null where fewer than two know the metric. */
export function extremes(
  values: readonly ColumnValue[],
): { readonly lowest: ColumnValue; readonly highest: ColumnValue } | null {
  const sorted = values.toSorted((a, b) => a.median - b.median);
  const [lowest, ...others] = sorted;
  const highest = others.at(-1);
  return lowest === undefined || highest === undefined ? null : { lowest, highest };
}

/**
 * The columns that are best for all that is known: the one with the best median, and those that are as good or that its runs
 * do not tell apart from it, but do from the worst. None where the best and the worst are not told apart either.
 */
export function bestOf(values: readonly ColumnValue[], better: "lower" | "higher"): readonly ColumnValue[] {
  const ends = extremes(values);
  if (ends === null || ends.lowest.median === ends.highest.median) return [];
  const [best, worst] = better === "lower" ? [ends.lowest, ends.highest] : [ends.highest, ends.lowest];
  if (hasSpread(best, worst) && !isToldApart(best, worst)) return [];
  const isAsGood = (value: ColumnValue): boolean =>
    value.median === best.median || (hasSpread(value, best) && !isToldApart(value, best) && isToldApart(value, worst));
  return values.filter(isAsGood);
}

/** Is there more than one run on either side, so that a spread is known at all? */
export function hasSpread(a: ColumnValue, b: ColumnValue): boolean {
  return a.runs.length > 1 || b.runs.length > 1;
}

/**
 * Do two columns differ by more than their runs do? Every run of one lies below every run of the other, and their medians lie
 * further apart than the runs of either. Of single runs, which have no spread, this only says that they differ.
 */
export function isToldApart(a: ColumnValue, b: ColumnValue): boolean {
  const disjoint = a.max < b.min || b.max < a.min;
  return disjoint && Math.abs(a.median - b.median) > Math.max(a.max - a.min, b.max - b.min);
}

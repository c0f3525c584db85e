/** What every renderer of a comparison draws. */
import { compare } from "../analysis/compare.ts";
import type { Comparison } from "../analysis/compare-types.ts";
import type { Column } from "../analysis/run.ts";
import { verdict } from "../analysis/verdict.ts";

export interface ComparisonView {
  readonly columns: readonly Column[];
  readonly comparison: Comparison;
  /** The comparison in one sentence. */
  readonly verdict: string;
}

/** Columns have different names and at least one run each. */
export function buildComparisonView(columns: readonly Column[]): ComparisonView {
  const comparison = compare(columns);
  return { columns, comparison, verdict: verdict(comparison, columns) };
}

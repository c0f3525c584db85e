/** gcspike.check/1: the shape of `check --format json` (docs/check.schema.json). Types only. */
import type { Warning } from "../../recording/spec.ts";
import type { RunMeasure } from "../run-bytes.ts";

export type Verdict = "pass" | "regression" | "inconclusive";

export interface SideValues {
  readonly median: number;
  readonly runs: readonly number[];
}

export interface CheckedMetric {
  readonly metric: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  readonly baseline: SideValues;
  readonly candidate: SideValues;
  /** candidate / baseline - 1, of what is typical: the mean of the logarithms. NaN never: null where it cannot be said. */
  readonly change: number | null;
  /** Of `change`. It lies above 0 for a regression and below `maxRegression` for a pass (for `better: "higher"` the other way). */
  readonly interval: readonly [number, number] | null;
  /** Share that the metric may get worse by. */
  readonly maxRegression: number;
  readonly verdict: Verdict;
  /** Runs of each side, beyond those there are, that would decide if they came out like them. null: decided, or not to be said. */
  readonly moreRunsNeeded: number | null;
  /** Runs in the upper of two heaps; null where runs are alike. */
  readonly humps: { readonly baselineUpper: number; readonly candidateUpper: number } | null;
}

export interface Budget {
  readonly metric: string;
  readonly comparison: "<" | "<=" | ">" | ">=";
  readonly limit: number;
}

export interface CheckedBudget extends Budget {
  /** Median of the candidate's runs; null: no run has the metric. */
  readonly value: number | null;
  readonly unit: string;
  readonly ok: boolean;
  readonly runs: readonly number[];
}

/** What a site allocates in one run, on average. */
export interface SiteChange {
  readonly function: string;
  readonly file: string;
  /** In the candidate, or where it is gone, in the baseline. */
  readonly line: number;
  readonly baselineBytes: number;
  readonly candidateBytes: number;
  /** Of all that was added at sites that have more. */
  readonly share: number;
}

export interface Check {
  readonly schema: "gcspike.check/1";
  readonly verdict: Verdict;
  /** The metric or budget that decided; null where none did. */
  readonly decidedBy: string | null;
  /** One sentence. */
  readonly summary: string;
  /** Runs of each side that are compared. */
  readonly pairs: number;
  readonly metrics: readonly CheckedMetric[];
  readonly budgets: readonly CheckedBudget[];
  /** What `sites` counts: bytes that were allocated, that survived a collection, or that are kept at the end. */
  readonly sitesMeasure: RunMeasure;
  /** Worst first. */
  readonly sites: readonly SiteChange[];
  readonly warnings: readonly Warning[];
}

/** Is one metric worse? From the runs of both sides to pass, regression or inconclusive. */
import type { Measurement } from "../../recording/spec.ts";
import { columnValue } from "../spread.ts";
import type { CheckedMetric, Verdict } from "./check-types.ts";
import { type Estimate, pairedEstimate, pooledEstimate } from "./estimate.ts";
import { humpsOf } from "./humps.ts";
import { riskAt } from "./looks.ts";
import { tCritical } from "./student-t.ts";

export interface Design {
  /** Runs of each side at most. */
  readonly mostRuns: number;
  /** Was each run of the candidate made beside the run of the baseline with the same number? */
  readonly paired: boolean;
  /** Probability of calling anything a regression where nothing changed, over all looks and metrics. */
  readonly falseAlarm: number;
  /** Probability of passing a metric that is worse by exactly what it may be, over all looks. */
  readonly miss: number;
}

/** What is asked of one metric. */
export interface Question extends Omit<Measurement, "value"> {
  readonly baseline: readonly number[];
  readonly candidate: readonly number[];
  /** Share, above 0. */
  readonly maxRegression: number;
  /** Its part of the risk of a false alarm, 0 to 1; those of all metrics are 1 together (weighted Bonferroni). */
  readonly weight: number;
}

/** Zeros have no ratio: where a metric has one, this is added to all its values. By unit; 1 of what else is counted. */
const SMALLEST: Readonly<Record<string, number>> = { ms: 0.05, share: 0.001, bytes: 4096, "bytes/h": 4096 };

/** Beyond this many, more runs are no way to find out. */
const MOST_RUNS = 1000;

/**
 * Judges at the look that the runs have reached. With log ratios so that worse is above zero: a **regression** is worse
 * beyond doubt (the interval lies above 0), and by as much as it must not be (the estimate); a **pass** is beyond doubt not
 * worse by that much (the interval lies below it).
 */
export function judge(question: Question, design: Design): CheckedMetric {
  const { metric, unit, better, maxRegression } = question;
  const { baseline, candidate } = withoutZeros(question);
  const sign = better === "lower" ? 1 : -1;
  const runs = Math.min(baseline.length, candidate.length);
  const part = riskAt(design.paired ? runs : candidate.length, design.mostRuns);
  const estimate = (design.paired ? pairedEstimate : pooledEstimate)(baseline, candidate);
  const humps = baseline.length > 0 && candidate.length > 0 ? humpsOf(baseline, candidate) : null;
  const shared = {
    metric,
    unit,
    better,
    baseline: sideValues(question.baseline),
    candidate: sideValues(question.candidate),
    maxRegression,
    humps: humps === null ? null : { baselineUpper: humps.baselineUpper, candidateUpper: humps.candidateUpper },
  };
  if (estimate === null || runs === 0) {
    return { ...shared, change: null, interval: null, verdict: "inconclusive", moreRunsNeeded: null };
  }
  const limit = Math.log1p(maxRegression);
  const bounds = part === null ? null : boundsOf(estimate, sign, part, question.weight, design);
  const verdict = bounds === null ? "inconclusive" : verdictOf(estimate.logRatio * sign, bounds, limit);
  return {
    ...shared,
    change: Math.expm1(estimate.logRatio),
    interval: bounds === null ? null : intervalOf(bounds, sign),
    verdict,
    moreRunsNeeded: verdict === "inconclusive" ? moreRuns(estimate, sign, limit, question.weight, design, runs) : null,
  };
}

function withoutZeros({ baseline, candidate, unit }: Question): Pick<Question, "baseline" | "candidate"> {
  const hasZero = [...baseline, ...candidate].some((value) => value <= 0);
  if (!hasZero) return { baseline, candidate };
  const added = SMALLEST[unit] ?? 1;
  const raise = (values: readonly number[]): readonly number[] => values.map((value) => Math.max(0, value) + added);
  return { baseline: raise(baseline), candidate: raise(candidate) };
}

function sideValues(values: readonly number[]): CheckedMetric["baseline"] {
  return { median: values.length === 0 ? Number.NaN : columnValue("", values).median, runs: values };
}

/** Where worse is above zero: it is not less than `least`, and not more than `most`. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

function boundsOf(
  { logRatio, standardError, degrees }: Estimate,
  sign: number,
  part: number,
  weight: number,
  { falseAlarm, miss }: Design,
): Bounds {
  return {
    least: logRatio * sign - tCritical(falseAlarm * weight * part, degrees) * standardError,
    most: logRatio * sign + tCritical(miss * part, degrees) * standardError,
  };
}

function verdictOf(worse: number, { least, most }: Bounds, limit: number): Verdict {
  if (most < limit) return "pass";
  return least > 0 && worse >= limit ? "regression" : "inconclusive";
}

function intervalOf({ least, most }: Bounds, sign: number): readonly [number, number] {
  return sign > 0 ? [Math.expm1(least), Math.expm1(most)] : [Math.expm1(-most), Math.expm1(-least)];
}

/** How many runs more a check of that many would have to have to decide, if they came out like these. */
function moreRuns(
  { logRatio, standardError, degrees }: Estimate,
  sign: number,
  limit: number,
  weight: number,
  design: Design,
  runs: number,
): number | null {
  const deviation = standardError * Math.sqrt(runs);
  const isDecidedBy = (count: number): boolean => {
    const then: Estimate = {
      logRatio,
      standardError: deviation / Math.sqrt(count),
      degrees: (degrees * count) / runs,
    };
    const bounds = boundsOf(then, sign, riskAt(count, count) ?? 1, weight, design);
    return verdictOf(logRatio * sign, bounds, limit) !== "inconclusive";
  };
  if (!isDecidedBy(MOST_RUNS)) return null;
  let [few, enough] = [runs, MOST_RUNS];
  while (enough - few > 1) {
    const middle = (few + enough) >> 1;
    if (isDecidedBy(middle)) enough = middle;
    else few = middle;
  }
  return enough - runs;
}

/** Is one metric worse? From the runs of both sides to pass, regression or inconclusive. */
import type { Measurement } from "../../recording/spec.ts";
import { columnValue } from "../spread.ts";
import type { CheckedMetric, Verdict } from "./check-types.ts";
import { type Estimate, pairedEstimate, pooledEstimate } from "./estimate.ts";
import { humpsOf, worseHumpRisk } from "./humps.ts";
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
  /** A value a run; null where a run does not have it. */
  readonly baseline: readonly (number | null)[];
  readonly candidate: readonly (number | null)[];
  /** Share, above 0. */
  readonly maxRegression: number;
  /** Its part of the risk of a false alarm, 0 to 1; those of all metrics are 1 together (weighted Bonferroni). */
  readonly weight: number;
  /** By how much work the values were divided; 1 where they were not. */
  readonly work: number;
}

/** Zeros have no ratio: where a metric has one, this is added to all its values. By unit; 1 of what else is counted. */
const SMALLEST: Readonly<Record<string, number>> = { ms: 0.05, share: 0.001, bytes: 4096, "bytes/h": 4096 };

/**
 * Runs that are not pairs do not pass where the candidate has more of them in the worse hump than equal programs have in four of five
 * checks: always in the slow one instead of in one of five runs then passes in 1 % of checks instead of 65 %.
 */
const HUMP_RISK = 0.2;

/** Beyond this many, more runs are no way to find out. */
const MOST_RUNS = 1000;

/**
 * Judges at the look that the runs have reached. With log ratios so that worse is above zero: a **regression** is worse
 * beyond doubt (the interval lies above 0), and by as much as it must not be (the estimate); a **pass** is beyond doubt not
 * worse by that much (the interval lies below it). Pairs of which one run lacks the metric are left out.
 */
export function judge(question: Question, design: Design): CheckedMetric {
  const { metric, unit, better, maxRegression } = question;
  const { baseline, candidate } = comparable(question, design);
  const sign = better === "lower" ? 1 : -1;
  const runs = Math.min(baseline.length, candidate.length);
  // By the runs that were made: each look takes its risk once, also where some of them do not have the metric.
  const part = riskAt(question.candidate.length, design.mostRuns);
  const estimate = (design.paired ? pairedEstimate : pooledEstimate)(baseline, candidate);
  const humps = baseline.length > 0 && candidate.length > 0 ? humpsOf(baseline, candidate) : null;
  const shared = {
    metric,
    unit,
    better,
    baseline: sideValues(question.baseline.filter((one) => one !== null)),
    candidate: sideValues(question.candidate.filter((one) => one !== null)),
    maxRegression,
    humps: humps === null ? null : { baselineUpper: humps.baselineUpper, candidateUpper: humps.candidateUpper },
  };
  if (estimate === null || runs === 0) {
    return { ...shared, change: null, interval: null, verdict: "inconclusive", moreRunsNeeded: null };
  }
  const limit = limitOf(maxRegression, better);
  const bounds = part === null ? null : boundsOf(estimate, sign, part, question.weight, design);
  const judged = bounds === null ? "inconclusive" : verdictOf(estimate.logRatio * sign, bounds, limit);
  // Within their heaps the runs may be alike, and more of them in the worse one all the same.
  const isShifted =
    !design.paired && humps !== null && worseHumpRisk(humps, baseline.length, candidate.length, better) < HUMP_RISK;
  const verdict = judged === "pass" && isShifted ? "inconclusive" : judged;
  return {
    ...shared,
    change: ratioOf(estimate.logRatio),
    interval: bounds === null ? null : intervalOf(bounds, sign),
    verdict,
    moreRunsNeeded: judged === "inconclusive" ? moreRuns(estimate, sign, limit, question.weight, design, runs) : null,
  };
}

/** The logarithm of the factor from which on a metric is worse by `maxRegression`; Infinity where it cannot get that much worse. */
export function limitOf(maxRegression: number, better: Question["better"]): number {
  if (better === "lower") return Math.log1p(maxRegression);
  return maxRegression < 1 ? -Math.log1p(-maxRegression) : Number.POSITIVE_INFINITY;
}

/** exp(log) - 1, finite: JSON has no infinity. */
function ratioOf(log: number): number {
  return Math.min(Number.MAX_VALUE, Math.expm1(log));
}

interface Compared {
  readonly baseline: readonly number[];
  readonly candidate: readonly number[];
}

/** The values that can be compared, all above 0: of pairs only those that are whole. */
export function comparable(question: Question, { paired }: Pick<Design, "paired">): Compared {
  const { unit, work } = question;
  const values = (side: Question["baseline"], other: Question["baseline"]): readonly number[] =>
    side.filter((_, i) => !paired || (other[i] ?? null) !== null).filter((one) => one !== null);
  const baseline = values(question.baseline, question.candidate);
  const candidate = values(question.candidate, question.baseline);
  if ([...baseline, ...candidate].every((value) => value > 0)) return { baseline, candidate };
  const added = (SMALLEST[unit] ?? 1) / work;
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
  return sign > 0 ? [ratioOf(least), ratioOf(most)] : [ratioOf(-most), ratioOf(-least)];
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

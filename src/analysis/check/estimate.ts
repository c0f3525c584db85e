/** By what factor the candidate's runs differ from the baseline's. The run is the unit, never the pause. */
import { humpsOf } from "./humps.ts";
import { mean, squares } from "./moments.ts";

/** Of log(candidate / baseline). */
export interface Estimate {
  readonly logRatio: number;
  readonly standardError: number;
  /** Of Student's t. */
  readonly degrees: number;
}

/** No metric is taken to be more exact than this share of itself: three equal numbers are not proof of no spread. */
const LEAST_DEVIATION = 0.005;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * Of pairs that ran one right after the other: what the machine did to both is taken out. Between equal programs the log ratio of a
 * pair is as often above zero as below, whatever the distribution of a run, which is where Student's t errs on the safe side.
 * null for fewer than two pairs. Values are above 0.
 */
export function pairedEstimate(baseline: readonly number[], candidate: readonly number[]): Estimate | null {
  const ratios = candidate
    .slice(0, baseline.length)
    .map((value, i) => Math.log(value) - Math.log(baseline[i] ?? Number.NaN));
  const degrees = ratios.length - 1;
  if (degrees < 1) return null;
  const deviation = Math.max(LEAST_DEVIATION, Math.sqrt(squares(ratios) / degrees));
  return { logRatio: mean(ratios), standardError: deviation / Math.sqrt(ratios.length), degrees };
}

/**
 * Of runs that are not pairs, each with runs of the other side in the same hump: a side with more runs in the upper one is not
 * called slower for that. Within humps both sides are taken to vary alike. null where that leaves no spread to judge by.
 * Values are above 0.
 */
export function pooledEstimate(baseline: readonly number[], candidate: readonly number[]): Estimate | null {
  const border = humpsOf(baseline, candidate)?.border ?? Number.POSITIVE_INFINITY;
  const groups = [(value: number) => value < border, (value: number) => value >= border].map((isIn) => ({
    base: baseline.filter(isIn).map(Math.log),
    other: candidate.filter(isIn).map(Math.log),
  }));
  const both = groups.filter(({ base, other }) => base.length > 0 && other.length > 0);
  const degrees = sum(both.map(({ base, other }) => base.length + other.length - 2));
  if (degrees < 1) return null;
  const weights = both.map(({ base, other }) => (base.length * other.length) / (base.length + other.length));
  const variance = sum(both.map(({ base, other }) => squares(base) + squares(other))) / degrees;
  const differences = both.map(({ base, other }, i) => (mean(other) - mean(base)) * (weights[i] ?? 0));
  return {
    logRatio: sum(differences) / sum(weights),
    standardError: Math.max(LEAST_DEVIATION, Math.sqrt(variance)) / Math.sqrt(sum(weights)),
    degrees,
  };
}

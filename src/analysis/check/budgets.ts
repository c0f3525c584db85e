/** Absolute limits: `pause.p99<5ms`. */
import type { Measurement } from "../../recording/spec.ts";
import { columnValue } from "../spread.ts";
import type { Budget, CheckedBudget } from "./check-types.ts";
import { riskAt } from "./looks.ts";
import { metricValues } from "./metric-values.ts";
import { mean, standardError } from "./moments.ts";
import { tCritical } from "./student-t.ts";

/** A budget is settled, before all runs are made, where the runs lie on one side of it beyond this doubt. */
const DOUBT = 0.01;

const KEEPS: Readonly<Record<Budget["comparison"], (value: number, limit: number) => boolean>> = {
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
};

/** `runs`: what every run of the candidate measured. */
export function checkBudget(budget: Budget, runs: readonly (readonly Measurement[])[]): CheckedBudget {
  const unit =
    runs.flat().find(({ metric }) => metric === budget.metric)?.unit ??
    (/^pause.*(?<!count)$/.test(budget.metric) ? "ms" : "");
  const values = metricValues(budget.metric, runs).filter((one) => one !== null);
  const value = values.length === 0 ? null : columnValue("", values).median;
  const ok = value !== null && KEEPS[budget.comparison](value, budget.limit);
  return { ...budget, value, unit, ok, runs: values };
}

/** Would more runs hardly change the answer? */
export function isSettled({ runs, limit, comparison }: CheckedBudget, mostRuns: number): boolean {
  const part = riskAt(runs.length, mostRuns);
  if (part === null || runs.length < 2) return false;
  const margin = tCritical((DOUBT * part) / 2, runs.length - 1) * standardError(runs);
  // A count may be its limit every time.
  return Math.abs(mean(runs) - limit) > margin || (margin === 0 && comparison.endsWith("="));
}

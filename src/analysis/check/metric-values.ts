import type { Measurement } from "../../recording/spec.ts";

/**
 * One metric of each run; null where a run does not have it. A run without any pause of a kind has 0 where others have their longest,
 * and so on.
 */
export function metricValues(metric: string, runs: readonly (readonly Measurement[])[]): readonly (number | null)[] {
  const count = `${metric.slice(0, metric.lastIndexOf("."))}.count`;
  return runs.map((metrics) => {
    const found = metrics.find((one) => one.metric === metric);
    if (found !== undefined) return found.value;
    return metrics.some((one) => one.metric === count && one.value === 0) ? 0 : null;
  });
}

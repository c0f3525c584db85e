/** What the processor's clock can settle where the wall's varies too much. Pure. */
import type { CheckedMetric } from "./check-types.ts";
import { limitOf } from "./judge.ts";

/**
 * Metrics of pauses that the runs do not decide, but of which the same by the processor's clock passes and whose own estimate is within
 * what is allowed: what such a metric leaves open is the machine's noise, for all that is known.
 */
export function settledByProcessor(metrics: readonly CheckedMetric[]): readonly CheckedMetric[] {
  const passing = new Set(metrics.filter(({ verdict }) => verdict === "pass").map(({ metric }) => metric));
  return metrics.filter((metric) => {
    const [, name] = /^pause\.(p\d+|max|total)$/.exec(metric.metric) ?? [];
    if (name === undefined || metric.verdict !== "inconclusive" || metric.change === null) return false;
    return passing.has(`pause.cpu.${name}`) && Math.log1p(metric.change) < limitOf(metric.maxRegression, metric.better);
  });
}

/** Whether nothing keeps a check from passing. `isOver`: there are no more runs to come, which are the better answer. */
export function allPass(metrics: readonly CheckedMetric[], isOver: boolean): boolean {
  const settled = new Set(isOver ? settledByProcessor(metrics) : []);
  return metrics.every((metric) => metric.verdict === "pass" || settled.has(metric));
}

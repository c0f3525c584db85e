import { quantile } from "../analysis/statistics.ts";
import type { IsolateView } from "./view-model.ts";

/** Points of the percentile curve for each tenfold step towards the worst pause. */
const POINTS_A_DECADE = 20;

/** `sorted` is ascending. From the shortest pause to the worst, in steps of q that shrink tenfold with each tenfold rarer pause. */
export function percentileCurve(sorted: Float64Array): IsolateView["percentiles"] {
  if (sorted.length === 0) return [];
  const points = Math.ceil(Math.log10(Math.min(sorted.length, 1e6)) * POINTS_A_DECADE);
  const shares = Array.from({ length: points }, (_, step) => 1 - 10 ** (-step / POINTS_A_DECADE));
  return [...shares, 1].map((q) => ({ q, ms: quantile(sorted, q) ?? 0 }));
}

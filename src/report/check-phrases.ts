/** The words of a check, the same in every format. */
import type { Check, CheckedBudget, CheckedMetric, SiteChange } from "../analysis/check/check-types.ts";
import type { RunMeasure } from "../analysis/run-bytes.ts";
import { cutStart, plainText, shortName } from "../lib/text.ts";
import { formatBytes, formatQuantity, formatShare } from "../lib/units.ts";

/** "+26 %", "-3.1 %", "-" where it cannot be said. */
export function changeText({ change }: Pick<CheckedMetric, "change">): string {
  return change === null ? "-" : signed(change);
}

/** "+11 % to +43 %"; "" where it cannot be said. */
export function intervalText({ interval }: Pick<CheckedMetric, "interval">): string {
  return interval === null ? "" : `${signed(interval[0])} to ${signed(interval[1])}`;
}

function signed(share: number): string {
  // Beyond any use: an interval of three runs may reach to the stars.
  if (share > 9.99) return "+1000 % or more";
  const text = formatShare(Math.abs(share));
  return text === "0 %" ? text : `${share > 0 ? "+" : "-"}${text}`;
}

export function sideText(metric: CheckedMetric, side: "baseline" | "candidate"): string {
  const { median, runs } = metric[side];
  return runs.length === 0 ? "-" : formatQuantity(median, metric.unit);
}

/** "6 more runs might decide"; "" where it is decided, or more runs are no help. */
export function moreRunsText({ moreRunsNeeded }: CheckedMetric): string {
  if (moreRunsNeeded === null) return "";
  return moreRunsNeeded === 1 ? "1 more run might decide" : `${moreRunsNeeded} more runs might decide`;
}

/** "inconclusive, 6 more runs might decide". */
export function verdictText(metric: CheckedMetric): string {
  const more = moreRunsText(metric);
  return more === "" ? metric.verdict : `${metric.verdict}, ${more}`;
}

/** "pause.p99 < 5 ms: 4.2 ms". */
export function budgetText({ metric, comparison, limit, value, unit }: CheckedBudget): string {
  const found = value === null ? "not measured" : formatQuantity(value, unit);
  return `${plainText(metric, 60)} ${comparison} ${formatQuantity(limit, unit)}: ${found}`;
}

export function budgetVerdict({ ok, value }: CheckedBudget): string {
  if (value === null) return "inconclusive";
  return ok ? "within" : "exceeded";
}

const MEASURES: Readonly<Record<RunMeasure, string>> = {
  allocated: "More was allocated here",
  survived: "More of what was allocated here survived a collection",
  kept: "More of what was allocated here is still kept at the end",
};

/** Above the table of sites: "More was allocated here, a run:". */
export function sitesHead({ sitesMeasure }: Check): string {
  return `${MEASURES[sitesMeasure]} than in the baseline, by the run:`;
}

/** "handler   src/server.js:12". */
export function siteName({ function: name, file, line }: SiteChange, limit = 60): string {
  return `${shortName(name, 40)}   ${cutStart(plainText(file, 4096), limit)}:${line}`;
}

export const grownText = ({ baselineBytes, candidateBytes }: SiteChange): string =>
  `+${formatBytes(candidateBytes - baselineBytes)}`;

/** "5 pairs of runs": how much was compared. */
export function pairsText({ pairs, metrics }: Check): string {
  const noun = metrics.length === 0 ? "run" : "pair of runs";
  return pairs === 1 ? `1 ${noun}` : `${pairs} ${metrics.length === 0 ? "runs" : "pairs of runs"}`;
}

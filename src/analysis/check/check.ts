/** Two sides of runs, and budgets, to one verdict. Pure. */
import { cutStart, listText, plainText, shortName } from "../../lib/text.ts";
import { formatBytes, formatQuantity, formatShare } from "../../lib/units.ts";
import type { Measurement, Warning } from "../../recording/spec.ts";
import { comparability } from "../comparability.ts";
import type { Run } from "../run.ts";
import { checkBudget, isSettled } from "./budgets.ts";
import type {
  Budget,
  Check,
  CheckedBudget,
  CheckedMetric,
  SiteChange,
  SiteChangeMeasure,
  Verdict,
} from "./check-types.ts";
import { type Design, judge, type Question } from "./judge.ts";
import { metricValues } from "./metric-values.ts";
import type { SiteBytes } from "./site-bytes.ts";
import { siteChanges } from "./site-changes.ts";

/** One run of one side. */
export interface CheckedRun {
  readonly run: Run;
  readonly sites: readonly SiteBytes[];
  /** What bytes and counts are divided by. */
  readonly work: number;
}

export interface CheckRequest {
  /** null: there are only budgets. */
  readonly baseline: readonly CheckedRun[] | null;
  readonly candidate: readonly CheckedRun[];
  readonly baselineName: string;
  readonly metrics: readonly string[];
  /** Share, by metric; those not named have that of their kind. */
  readonly maxRegression: (metric: string, unit: string) => number;
  readonly budgets: readonly Budget[];
  readonly design: Design;
  /** What one unit of work is called, where the user said how much a run does; "" else. */
  readonly workName: string;
}

/** Of the risk of a false alarm, what metrics of sizes have: they hardly vary, so that a small part is enough for them. */
const SIZES_PART = 0.2;

/** A site that has less of what was added is not named as the one behind it. */
const LEAST_SHARE = 0.3;

/** Grow with what is done. */
const IS_COUNTED = /\.(?:bytes|count|total)$|^gc\.outside$/;

export function check(request: CheckRequest): Check {
  const { baseline, candidate, design } = request;
  const metrics = baseline === null ? [] : judged(request, baseline);
  const budgets = request.budgets.map((budget) => checkBudget(budget, candidate.map(measured(request))));
  const verdict = overall(metrics, budgets, candidate.length, design.mostRuns);
  const decidedBy = decider(metrics, budgets, verdict);
  const measure = measureFor(metrics, decidedBy);
  const sites = baseline === null ? [] : siteChanges(perWork(baseline), perWork(candidate), measure);
  const summary = summaryOf(request, metrics, budgets, verdict, decidedBy);
  return {
    schema: "gcspike.check/1",
    verdict,
    decidedBy,
    summary: verdict === "regression" ? `${summary}${behind(sites[0], measure)}` : summary,
    pairs: baseline === null ? candidate.length : Math.min(baseline.length, candidate.length),
    metrics,
    budgets,
    sitesMeasure: measure,
    sites,
    warnings: [
      ...withoutPause(candidate),
      ...missingMetrics(metrics),
      ...humpWarnings(metrics),
      ...sideWarnings(request),
    ],
  };
}

/** Is there nothing that more runs would change? */
export function isDecided({ verdict, budgets, metrics }: Check, { mostRuns }: Design): boolean {
  const isBudgetOpen = budgets.some((budget) => !isSettled(budget, mostRuns));
  if (metrics.some((metric) => metric.verdict === "regression")) return true;
  return verdict !== "inconclusive" && !isBudgetOpen;
}

const measured =
  ({ workName }: CheckRequest) =>
  ({ run, work }: CheckedRun): readonly Measurement[] =>
    workName === ""
      ? run.metrics
      : run.metrics.map((one) => (IS_COUNTED.test(one.metric) ? { ...one, value: one.value / work } : one));

function judged(request: CheckRequest, baseline: readonly CheckedRun[]): readonly CheckedMetric[] {
  return questionsOf(request, baseline).map((question) => judge(question, request.design));
}

/** What is asked of each metric, with the values of both sides. */
export function questionsOf(request: CheckRequest, baseline: readonly CheckedRun[]): readonly Question[] {
  const sides = [baseline, request.candidate].map((runs) => runs.map(measured(request)));
  const known = request.metrics.map((metric) => {
    const any = sides.flat(2).find((one) => one.metric === metric);
    return { metric, unit: any?.unit ?? "", better: any?.better ?? ("lower" as const) };
  });
  const sizes = known.filter(({ unit }) => unit === "bytes").length;
  const weight = (unit: string): number => {
    if (sizes === 0 || sizes === known.length) return 1 / known.length;
    return unit === "bytes" ? SIZES_PART / sizes : (1 - SIZES_PART) / (known.length - sizes);
  };
  return known.map(({ metric, unit, better }) => {
    const isKnown = sides.some((runs) => runs.some((metrics) => metrics.some((one) => one.metric === metric)));
    const [before = [], after = []] = sides.map((runs) => (isKnown ? metricValues(metric, runs) : []));
    const question = { metric, unit, better, weight: weight(unit), maxRegression: request.maxRegression(metric, unit) };
    return { ...question, baseline: before, candidate: after };
  });
}

function overall(
  metrics: readonly CheckedMetric[],
  budgets: readonly CheckedBudget[],
  runs: number,
  mostRuns: number,
): Verdict {
  if (metrics.some(({ verdict }) => verdict === "regression")) return "regression";
  const exceeded = budgets.filter(({ ok, value }) => !ok && value !== null);
  if (exceeded.some((budget) => isSettled(budget, mostRuns) || runs >= mostRuns)) return "regression";
  if (exceeded.length > 0 || budgets.some(({ value }) => value === null)) return "inconclusive";
  return metrics.every(({ verdict }) => verdict === "pass") ? "pass" : "inconclusive";
}

function decider(
  metrics: readonly CheckedMetric[],
  budgets: readonly CheckedBudget[],
  verdict: Verdict,
): string | null {
  if (verdict !== "regression") return null;
  const worst = metrics
    .filter((metric) => metric.verdict === "regression")
    .toSorted((a, b) => Math.abs(b.change ?? 0) - Math.abs(a.change ?? 0))[0];
  return worst?.metric ?? budgets.find(({ ok }) => !ok)?.metric ?? null;
}

/** What a site must have more of to be behind it. */
function measureFor(metrics: readonly CheckedMetric[], decidedBy: string | null): SiteChangeMeasure {
  const name = decidedBy ?? metrics[0]?.metric ?? "";
  if (/^alloc/.test(name) || name === "pause.count") return "allocated";
  if (/^heap|^rss|^external|mark-compact/.test(name)) return "kept";
  return "survived";
}

const perWork = (runs: readonly CheckedRun[]): readonly (readonly SiteBytes[])[] =>
  runs.map(({ sites, work }) =>
    sites.map((site) => ({
      ...site,
      allocated: site.allocated / work,
      survived: site.survived === null ? null : site.survived / work,
      kept: site.kept === null ? null : site.kept / work,
    })),
  );

function withoutPause(candidate: readonly CheckedRun[]): readonly Warning[] {
  const counts = metricValues(
    "pause.count",
    candidate.map(({ run }) => run.metrics),
  );
  if (counts.length === 0 || counts.some((count) => count > 0)) return [];
  return [
    {
      code: "no-pause",
      message: "The program ends before its first garbage collection: there is no pause to judge.",
      hint: "Give it more to do: more requests, more rounds, a larger input.",
    },
  ];
}

function missingMetrics(metrics: readonly CheckedMetric[]): readonly Warning[] {
  const missing = metrics.filter(
    ({ baseline, candidate }) => baseline.runs.length === 0 || candidate.runs.length === 0,
  );
  return missing.map(({ metric, baseline, candidate }) => {
    const sides = [
      ...(baseline.runs.length === 0 ? ["the baseline"] : []),
      ...(candidate.runs.length === 0 ? ["the candidate"] : []),
    ];
    return {
      code: "no-metric",
      message: `No run of ${listText(sides)} has ${plainText(metric, 60)}, so that it cannot be judged.`,
      hint: "docs/metrics.md says what each metric needs.",
    };
  });
}

function humpWarnings(metrics: readonly CheckedMetric[]): readonly Warning[] {
  return metrics.flatMap(({ metric, humps, baseline, candidate }) =>
    humps === null
      ? []
      : [
          {
            code: "two-humped",
            message: `${metric} lies in two heaps, not around one value: the upper one has ${humps.baselineUpper} of ${baseline.runs.length} runs of the baseline and ${humps.candidateUpper} of ${candidate.runs.length} of the candidate.`,
            hint: "Runs are compared with others of their heap. gcspike report says which regime V8 chose; --node-args=--no-allocation-site-pretenuring keeps it to one.",
          },
        ],
  );
}

/** What makes the two sides hard to compare, but for what a check is about. */
function sideWarnings({ baseline, candidate, baselineName }: CheckRequest): readonly Warning[] {
  if (baseline === null) return [];
  const runs = (side: readonly CheckedRun[]): readonly Run[] => side.map(({ run }) => run);
  const EXPECTED = new Set(["few-pauses", "different-duration", "measured-part"]);
  return comparability([
    { name: baselineName, runs: runs(baseline) },
    { name: "candidate", runs: runs(candidate) },
  ]).filter(({ code }) => !EXPECTED.has(code));
}

function summaryOf(
  { baselineName }: CheckRequest,
  metrics: readonly CheckedMetric[],
  budgets: readonly CheckedBudget[],
  verdict: Verdict,
  decidedBy: string | null,
): string {
  const exceeded = budgets.find(({ ok, value }) => !ok && value !== null);
  const worst = metrics.find(({ metric }) => metric === decidedBy);
  const against = plainText(baselineName, 60);
  if (verdict === "regression" && worst !== undefined) {
    return `${worst.metric} is ${changeText(worst)} than in ${against}: ${valueText(worst, "baseline")} before, ${valueText(worst, "candidate")} now.`;
  }
  if (verdict === "regression" && exceeded !== undefined) {
    return `${exceeded.metric} is ${formatQuantity(exceeded.value ?? 0, exceeded.unit)}, and may be ${formatQuantity(exceeded.limit, exceeded.unit)}.`;
  }
  if (verdict === "pass") {
    const names = [...metrics, ...budgets].map(({ metric }) => metric);
    const what = listText([...new Set(names)]);
    return metrics.length === 0 ? `Within budget: ${what}.` : `No regression against ${against}: ${what}.`;
  }
  const open = metrics.filter((metric) => metric.verdict === "inconclusive");
  const needed = Math.max(0, ...open.map(({ moreRunsNeeded }) => moreRunsNeeded ?? 0));
  const names = listText(open.map(({ metric }) => metric));
  if (open.length === 0) return "The runs do not say whether the budget holds.";
  const more = needed > 0 ? ` About ${needed} more runs of each side would.` : "";
  return `The runs do not say whether ${names} got worse.${more}`;
}

const MORE: Readonly<Record<SiteChangeMeasure, (bytes: string) => string>> = {
  allocated: (bytes) => `allocates ${bytes} more`,
  survived: (bytes) => `has ${bytes} more that survive collections`,
  kept: (bytes) => `keeps ${bytes} more`,
};

/** " handler (src/server.js:12) allocates 12 MiB more."; "" where no site stands out. */
function behind(site: SiteChange | undefined, measure: SiteChangeMeasure): string {
  if (site === undefined || site.share < LEAST_SHARE) return "";
  const place = `${shortName(site.function, 60)} (${cutStart(plainText(site.file, 4096), 80)}:${site.line})`;
  return ` ${place} ${MORE[measure](formatBytes(site.candidateBytes - site.baselineBytes))}.`;
}

function changeText({ change, better }: CheckedMetric): string {
  const share = formatShare(Math.abs(change ?? 0));
  return `${share} ${better === "lower" ? "higher" : "lower"}`;
}

function valueText(metric: CheckedMetric, side: "baseline" | "candidate"): string {
  return formatQuantity(metric[side].median, metric.unit);
}

/** Two sides of runs, and budgets, to one verdict. Pure. */
import { cutStart, listText, plainText, shortName } from "../../lib/text.ts";
import { formatBytes, formatQuantity, formatShare } from "../../lib/units.ts";
import type { Measurement, Warning } from "../../recording/spec.ts";
import { comparability } from "../comparability.ts";
import type { Run } from "../run.ts";
import type { RunMeasure } from "../run-bytes.ts";
import { checkBudget, isSettled } from "./budgets.ts";
import type { Budget, Check, CheckedBudget, CheckedMetric, SiteChange, Verdict } from "./check-types.ts";
import { allPass, settledByProcessor } from "./clocks.ts";
import { type Design, judge, type Question } from "./judge.ts";
import { LEAST_RUNS } from "./looks.ts";
import { metricValues } from "./metric-values.ts";
import type { SiteBytes } from "./site-bytes.ts";
import { type RunSites, siteChanges } from "./site-changes.ts";

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
  /** These are all runs: what is open stays so. */
  readonly isOver: boolean;
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
  const verdict = overall(metrics, budgets, request);
  const decidedBy = decider(metrics, budgets, verdict);
  const measure = measureFor(metrics, decidedBy);
  const sites = baseline === null ? [] : siteChanges(perWork(baseline), perWork(candidate), measure);
  const summary = summaryOf(request, metrics, budgets, verdict, decidedBy);
  return {
    schema: "gcspike.check/1",
    verdict,
    decidedBy,
    summary: worstOf(metrics, decidedBy) === undefined ? summary : `${summary}${behind(sites[0], measure)}`,
    pairs: baseline === null ? candidate.length : Math.min(baseline.length, candidate.length),
    metrics,
    budgets,
    sitesMeasure: measure,
    sites,
    warnings: [
      ...withoutPause(candidate),
      ...leftRunning([...(baseline ?? []), ...candidate]),
      ...missingMetrics(metrics, request),
      ...fewRuns(metrics, request),
      ...humpWarnings(metrics, design),
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

const isDivided = ({ workName }: CheckRequest, metric: string): boolean => workName !== "" && IS_COUNTED.test(metric);

const measured =
  (request: CheckRequest) =>
  ({ run, work }: CheckedRun): readonly Measurement[] =>
    run.metrics.map((one) => (isDivided(request, one.metric) ? { ...one, value: one.value / work } : one));

function meanWork(runs: readonly CheckedRun[]): number {
  return runs.reduce((sum, { work }) => sum + work, 0) / runs.length;
}

function judged(request: CheckRequest, baseline: readonly CheckedRun[]): readonly CheckedMetric[] {
  return questionsOf(request, baseline).map((question) => judge(question, request.design));
}

/** What is asked of each metric, with the values of both sides. */
export function questionsOf(request: CheckRequest, baseline: readonly CheckedRun[]): readonly Question[] {
  const sides = [baseline, request.candidate].map((runs) => runs.map(measured(request)));
  const known = request.metrics.map((metric) => {
    // What the candidate says of it comes first: a baseline may be a file of anybody's.
    const any = sides
      .toReversed()
      .flat(2)
      .find((one) => one.metric === metric);
    return { metric, unit: any?.unit ?? "", better: any?.better ?? ("lower" as const) };
  });
  const sizes = known.filter(({ unit }) => unit === "bytes").length;
  const weight = (unit: string): number => {
    if (sizes === 0 || sizes === known.length) return 1 / known.length;
    return unit === "bytes" ? SIZES_PART / sizes : (1 - SIZES_PART) / (known.length - sizes);
  };
  return known.map(({ metric, unit, better }) => {
    const isKnown = sides.some((runs) => runs.some((metrics) => metrics.some((one) => one.metric === metric)));
    const [before = [], after = []] = sides.map((runs) =>
      isKnown ? metricValues(metric, runs) : runs.map(() => null),
    );
    const question = { metric, unit, better, weight: weight(unit), maxRegression: request.maxRegression(metric, unit) };
    const work = isDivided(request, metric) ? meanWork([...baseline, ...request.candidate]) : 1;
    return { ...question, baseline: before, candidate: after, work };
  });
}

function overall(
  metrics: readonly CheckedMetric[],
  budgets: readonly CheckedBudget[],
  { isOver, design: { mostRuns } }: CheckRequest,
): Verdict {
  if (metrics.some(({ verdict }) => verdict === "regression")) return "regression";
  const exceeded = budgets.filter(({ ok, value }) => !ok && value !== null);
  if (exceeded.some((budget) => isSettled(budget, mostRuns) || isOver)) return "regression";
  if (exceeded.length > 0 || budgets.some(({ value }) => value === null)) return "inconclusive";
  return allPass(metrics, isOver) ? "pass" : "inconclusive";
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
  return worst?.metric ?? budgets.find(({ ok, value }) => !ok && value !== null)?.metric ?? null;
}

/** The metric that decided; a budget may be of one that passes. */
function worstOf(metrics: readonly CheckedMetric[], decidedBy: string | null): CheckedMetric | undefined {
  return metrics.find(({ metric, verdict }) => metric === decidedBy && verdict === "regression");
}

/** What a site must have more of to be behind it. */
function measureFor(metrics: readonly CheckedMetric[], decidedBy: string | null): RunMeasure {
  const name = decidedBy ?? metrics[0]?.metric ?? "";
  if (/^alloc/.test(name) || name === "pause.count") return "allocated";
  if (/^heap|^rss|^external|mark-compact/.test(name)) return "kept";
  return "survived";
}

const perWork = (runs: readonly CheckedRun[]): readonly RunSites[] =>
  runs.map(({ run, sites, work }) => ({
    scavenges: (run.metrics.find(({ metric }) => metric === "pause.scavenge.count")?.value ?? 0) / work,
    sites: sites.map((site) => ({
      ...site,
      allocated: site.allocated / work,
      survived: site.survived === null ? null : site.survived / work,
      kept: site.kept === null ? null : site.kept / work,
    })),
  }));

function withoutPause(candidate: readonly CheckedRun[]): readonly Warning[] {
  const counts = metricValues(
    "pause.count",
    candidate.map(({ run }) => run.metrics),
  );
  if (counts.some((count) => count !== 0) || counts.length === 0) return [];
  return [
    {
      code: "no-pause",
      message: "The program ends before its first garbage collection: there is no pause to judge.",
      hint: "Give it more to do: more requests, more rounds, a larger input.",
    },
  ];
}

function leftRunning(runs: readonly CheckedRun[]): readonly Warning[] {
  const some = runs.filter(({ run }) => run.warnings.some(({ code }) => code === "still-running"));
  if (some.length === 0) return [];
  return [
    {
      code: "left-running",
      message: `In ${some.length} of ${runs.length} runs the program left processes behind, which ran beside the runs that followed.`,
      hint: "Let it wait for them, or end them.",
    },
  ];
}

function missingMetrics(
  metrics: readonly CheckedMetric[],
  { baseline, candidate, design }: CheckRequest,
): readonly Warning[] {
  const hint = "docs/metrics.md says what each metric needs.";
  return metrics.flatMap(({ metric, ...measured }) => {
    const sides = [
      { name: "the baseline", has: measured.baseline.runs.length, made: baseline?.length ?? 0 },
      { name: "the candidate", has: measured.candidate.runs.length, made: candidate.length },
    ].filter(({ has, made }) => has < made);
    const none = sides.filter(({ has }) => has === 0).map(({ name }) => name);
    if (none.length > 0) {
      const message = `No run of ${listText(none)} has ${plainText(metric, 60)}, so that it cannot be judged.`;
      return [{ code: "no-metric", message, hint }];
    }
    if (sides.length === 0) return [];
    const counts = sides.map(({ name, has, made }) => `${made - has} of ${made} runs of ${name}`);
    const left = design.paired ? "their pairs are" : "they are";
    const message = `${listText(counts)} lack ${plainText(metric, 60)}: ${left} left out.`;
    return [{ code: "some-without-metric", message, hint }];
  });
}

/** What chance may do to so few is more than a check promises, whatever Student's t says. */
function fewRuns(metrics: readonly CheckedMetric[], { design }: CheckRequest): readonly Warning[] {
  const few = metrics.filter(
    ({ verdict, baseline, candidate }) =>
      verdict === "regression" && Math.min(baseline.runs.length, candidate.runs.length) < LEAST_RUNS,
  );
  if (few.length === 0) return [];
  return [
    {
      code: "few-runs",
      message: `Fewer than ${LEAST_RUNS} runs of a side: of a program that goes one of two ways from run to run, more than one check in a hundred calls ${listText(few.map(({ metric }) => metric))} worse by chance.`,
      hint: design.paired
        ? `Allow more: --runs ${LEAST_RUNS}`
        : "Keep more: gcspike check --save-baseline FILE --runs 10",
    },
  ];
}

function humpWarnings(metrics: readonly CheckedMetric[], { paired }: Design): readonly Warning[] {
  const how = paired ? "" : "Runs are compared with others of their heap, and do not pass with more in the worse one. ";
  return metrics.flatMap(({ metric, humps, baseline, candidate }) =>
    humps === null
      ? []
      : [
          {
            code: "two-humped",
            message: `${metric} lies in two heaps, not around one value: the upper one has ${humps.baselineUpper} of ${baseline.runs.length} runs of the baseline and ${humps.candidateUpper} of ${candidate.runs.length} of the candidate.`,
            hint: `${how}gcspike report says which regime V8 chose; --node-args=--no-allocation-site-pretenuring keeps it to one.`,
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
  const worst = worstOf(metrics, decidedBy);
  const against = plainText(baselineName, 60);
  if (verdict === "regression" && worst !== undefined) {
    return `${worst.metric} is ${changeText(worst)} than in ${against}: ${valueText(worst, "baseline")} before, ${valueText(worst, "candidate")} now.`;
  }
  if (verdict === "regression" && exceeded !== undefined) {
    const bound = exceeded.comparison.startsWith("<") ? "may be" : "has to be above";
    return `${exceeded.metric} is ${formatQuantity(exceeded.value ?? 0, exceeded.unit)}, and ${bound} ${formatQuantity(exceeded.limit, exceeded.unit)}.`;
  }
  if (verdict === "pass") {
    const passed = metrics.filter((metric) => metric.verdict === "pass");
    const names = [...passed, ...budgets].map(({ metric }) => metric);
    const what = listText([...new Set(names)]);
    if (metrics.length === 0) return `Within budget: ${what}.`;
    const open = listText(settledByProcessor(metrics).map(({ metric }) => metric));
    const noise = open === "" ? "" : ` ${open} varied too much on this machine to say it of that, too.`;
    return `No regression against ${against}: ${what}.${noise}`;
  }
  const open = metrics.filter((metric) => metric.verdict === "inconclusive");
  const needed = Math.max(0, ...open.map(({ moreRunsNeeded }) => moreRunsNeeded ?? 0));
  const names = listText(open.map(({ metric }) => metric));
  if (open.length === 0) return "The runs do not say whether the budget holds.";
  const more = needed > 0 ? ` About ${needed} more runs of each side would.` : "";
  return `The runs do not say whether ${names} got worse.${more}`;
}

const MORE: Readonly<Record<RunMeasure, (bytes: string) => string>> = {
  allocated: (bytes) => `allocates ${bytes} more`,
  survived: (bytes) => `has ${bytes} more that survive collections`,
  kept: (bytes) => `keeps ${bytes} more`,
};

/** " handler (src/server.js:12) allocates 12 MiB more."; "" where no site stands out. */
function behind(site: SiteChange | undefined, measure: RunMeasure): string {
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

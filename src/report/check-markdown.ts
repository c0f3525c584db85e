import type { Check } from "../analysis/check/check-types.ts";
import { plainText } from "../lib/text.ts";
import { formatBytes, formatShare } from "../lib/units.ts";
import {
  budgetText,
  budgetVerdict,
  changeText,
  grownText,
  intervalText,
  pairsText,
  sideText,
  siteName,
  sitesHead,
  verdictText,
} from "./check-phrases.ts";
import { code, literal, table } from "./markdown-text.ts";

const MOST_SITES = 10;
const SIGNS = { pass: "✅", regression: "❌", inconclusive: "❔" } as const;

/** A check for a pull-request comment or a job summary: GitHub-flavoured Markdown, UTF-8. The verdict comes first. */
export function renderCheckMarkdown(check: Check): Uint8Array {
  const blocks = [
    `## ${SIGNS[check.verdict]} gcspike: ${check.verdict}`,
    literal(check.summary),
    metricTable(check),
    budgetTable(check),
    check.verdict === "regression" ? siteTable(check) : "",
    warnings(check),
  ];
  return new TextEncoder().encode(`${blocks.filter((block) => block !== "").join("\n\n")}\n`);
}

function metricTable(check: Check): string {
  if (check.metrics.length === 0) return "";
  const rows = check.metrics.map((metric) => [
    code(plainText(metric.metric, 80)),
    literal(sideText(metric, "baseline")),
    literal(sideText(metric, "candidate")),
    `${literal(changeText(metric))} <sub>${literal(intervalText(metric))}</sub>`,
    literal(verdictText(metric)),
  ]);
  const head = ["Metric", "Baseline", "Now", "Change", "Verdict"];
  return `${table(head, rows)}\n\n<sub>Medians of ${pairsText(check)}, with the interval of the change.</sub>`;
}

function budgetTable({ budgets }: Check): string {
  if (budgets.length === 0) return "";
  return table(
    ["Budget", "Verdict"],
    budgets.map((budget) => [literal(budgetText(budget)), budgetVerdict(budget)]),
  );
}

function siteTable(check: Check): string {
  const shown = check.sites.slice(0, MOST_SITES);
  if (shown.length === 0) return "";
  const rows = shown.map((site) => [
    code(siteName(site)),
    literal(formatBytes(site.baselineBytes)),
    literal(formatBytes(site.candidateBytes)),
    `${literal(grownText(site))} <sub>${literal(formatShare(site.share))}</sub>`,
  ]);
  return `${literal(sitesHead(check))}\n\n${table(["Site", "Baseline", "Now", "Change"], rows)}`;
}

function warnings({ warnings: all }: Check): string {
  if (all.length === 0) return "";
  const items = all.map(
    ({ message, hint }) => `- ${literal(plainText(hint === undefined ? message : `${message} ${hint}`, 1000))}`,
  );
  return `### What to know\n\n${items.join("\n")}`;
}

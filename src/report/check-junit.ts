import type { Check } from "../analysis/check/check-types.ts";
import { plainText } from "../lib/text.ts";
import {
  budgetText,
  budgetVerdict,
  changeText,
  grownText,
  intervalText,
  sideText,
  siteName,
  verdictText,
} from "./check-phrases.ts";

const MOST_SITES = 5;

/** One test of the suite. */
interface Case {
  readonly name: string;
  readonly verdict: string;
  readonly text: string;
}

/**
 * A check as JUnit XML, UTF-8: a test a metric and a budget. What is inconclusive is skipped. There is no standard; this is what
 * GitLab, Jenkins and Azure read (testsuites, testsuite, testcase with failure or skipped).
 */
export function renderCheckJunit(check: Check): Uint8Array {
  const cases: readonly Case[] = [
    ...check.metrics.map((metric) => ({
      name: metric.metric,
      verdict: metric.verdict,
      text: `${verdictText(metric)}: ${sideText(metric, "baseline")} to ${sideText(metric, "candidate")}, ${changeText(metric)} (${intervalText(metric)})`,
    })),
    ...check.budgets.map((budget) => ({
      name: `budget ${budget.metric}`,
      verdict: budgetVerdict(budget) === "exceeded" ? "regression" : budgetVerdict(budget),
      text: budgetText(budget),
    })),
  ];
  const count = (verdict: string): number => cases.filter((one) => one.verdict === verdict).length;
  const totals = `tests="${cases.length}" failures="${count("regression")}" errors="0" skipped="${count("inconclusive")}"`;
  const sites = check.sites.slice(0, MOST_SITES).map((site) => `${grownText(site)} ${siteName(site)}`);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="gcspike" ${totals}>`,
    `  <testsuite name="gcspike check" ${totals}>`,
    ...cases.map((one) => `    ${testCase(one, sites)}`),
    `    <system-out>${escaped(check.summary)}</system-out>`,
    "  </testsuite>",
    "</testsuites>",
  ];
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

function testCase({ name, verdict, text }: Case, sites: readonly string[]): string {
  const head = `<testcase classname="gcspike" name="${escaped(name)}"`;
  if (verdict === "regression") {
    return `${head}><failure message="${escaped(text)}">${escaped([text, ...sites].join("\n"))}</failure></testcase>`;
  }
  return verdict === "inconclusive" ? `${head}><skipped message="${escaped(text)}"/></testcase>` : `${head}/>`;
}

/** Text of XML 1.0, which has no way to write most control characters. */
function escaped(text: string): string {
  return text
    .split("\n")
    .map((line) => plainText(line, 2000))
    .join("\n")
    .replaceAll(/[\ufffe\uffff]/g, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

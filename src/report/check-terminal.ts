import type { Check } from "../analysis/check/check-types.ts";
import { formatBytes, formatShare } from "../lib/units.ts";
import {
  budgetText,
  budgetVerdict,
  changeText,
  grownText,
  intervalText,
  moreRunsText,
  pairsText,
  sideText,
  siteName,
  sitesHead,
} from "./check-phrases.ts";
import { Page, type PageOptions } from "./page.ts";

const MOST_SITES = 5;

/** A check for a terminal, UTF-8: the numbers, who is behind a regression, what to know, and the verdict as its last line. */
export function renderCheckTerminal(check: Check, options: PageOptions): Uint8Array {
  const page = new Page(options);
  metrics(page, check);
  budgets(page, check);
  if (check.verdict === "regression") sites(page, check);
  if (check.warnings.length > 0) page.gap();
  for (const warning of check.warnings) page.warning(warning);
  page.gap();
  page.prose(`${check.verdict}: ${check.summary}`, { style: "bold" });
  return new TextEncoder().encode(page.text());
}

function metrics(page: Page, check: Check): void {
  if (check.metrics.length === 0) return;
  page.table([
    ["metric", "baseline", "now", "change", "verdict"],
    ...check.metrics.flatMap((metric) => [
      [metric.metric, sideText(metric, "baseline"), sideText(metric, "candidate"), changeText(metric), metric.verdict],
      ["", "", "", intervalText(metric), moreRunsText(metric).replace(" might decide", "?")],
    ]),
  ]);
  page.prose(
    `Medians of ${pairsText(check)}, and below each change its interval, which is wrong in at most one of a hundred checks of equal programs.`,
    { style: "dim" },
  );
}

function budgets(page: Page, check: Check): void {
  if (check.budgets.length === 0) return;
  if (check.metrics.length > 0) page.gap();
  page.table([["budget", "verdict"], ...check.budgets.map((budget) => [budgetText(budget), budgetVerdict(budget)])]);
  page.prose(`Medians of ${check.pairs === 1 ? "1 run" : `${check.pairs} runs`}.`, { style: "dim" });
}

function sites(page: Page, check: Check): void {
  const shown = check.sites.slice(0, MOST_SITES);
  if (shown.length === 0) return;
  page.gap();
  page.prose(sitesHead(check));
  const width = Math.max(...shown.map((site) => grownText(site).length));
  for (const site of shown) {
    const before = site.baselineBytes === 0 ? "none before" : `${formatBytes(site.baselineBytes)} before`;
    page.row(
      `${grownText(site).padStart(width)}  ${formatShare(site.share).padStart(6)}  ${siteName(site)}   (${before})`,
    );
  }
}

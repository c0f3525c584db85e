/** What a check found: the verdict, each metric's change with its interval, and who allocates more. */
import type { Check, CheckedBudget, CheckedMetric, SiteChange } from "../../../analysis/check/check-types.ts";
import {
  budgetText,
  budgetVerdict,
  changeText,
  grownText,
  intervalText,
  pairsText,
  sideText,
  sitesHead,
  verdictText,
} from "../../check-phrases.ts";
import { h, meter, name } from "../dom.ts";
import { bytes, share, tidy } from "../format.ts";
import { warningBox } from "../page-parts.ts";

/** Changes beyond this are drawn at the edge, so that the small ones can be told apart. */
const MOST_DRAWN = 0.5;

/** Above everything else on the page of a check. */
export function drawCheck(check: Check): readonly HTMLElement[] {
  const answer = h(
    "p",
    { class: `answer check-answer ${check.verdict}` },
    h("strong", {}, check.verdict),
    h("bdi", {}, check.summary),
  );
  const parts: readonly (HTMLElement | null)[] = [
    answer,
    check.metrics.length === 0 ? null : metricTable(check),
    check.budgets.length === 0 ? null : budgetTable(check),
    check.sites.length === 0 ? null : siteTable(check),
    warningBox(check.warnings, "What to know about this check"),
  ];
  return parts.filter((part) => part !== null);
}

function tableOf(label: string, head: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  const cells = head.map((title) => h("th", { scope: "col" }, title));
  const table = h(
    "table",
    { class: "metrics check-table" },
    h("thead", {}, h("tr", {}, ...cells)),
    h("tbody", {}, ...rows),
  );
  return h(
    "div",
    { class: "panel" },
    h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": label }, table),
  );
}

function metricTable(check: Check): HTMLElement {
  const ends = check.metrics.flatMap(({ interval, maxRegression }) => [...(interval ?? []), maxRegression]);
  const most = Math.min(MOST_DRAWN, Math.max(0.05, ...ends.map(Math.abs)));
  const rows = check.metrics.map((metric) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, metric.metric)),
      h("td", {}, tidy(sideText(metric, "baseline"))),
      h("td", {}, tidy(sideText(metric, "candidate"))),
      h("td", {}, tidy(changeText(metric)), h("span", { class: "cell-range" }, tidy(intervalText(metric)))),
      h("td", { class: "forest-cell" }, forest(metric, most)),
      h("td", { class: `check-verdict ${metric.verdict}` }, verdictText(metric)),
    ),
  );
  const table = tableOf("Metrics of the check", ["Metric", "Baseline", "Now", "Change", "", "Verdict"], rows);
  const note = `Medians of ${pairsText(check)}. The line is the interval of the change: right of the middle it is worse for certain, left of the dashed mark it is not worse by what is allowed.`;
  table.append(h("p", { class: "note" }, note));
  return table;
}

/** The interval on a line whose middle is no change and whose right is worse. */
function forest({ change, interval, better, maxRegression, verdict }: CheckedMetric, most: number): HTMLElement {
  const worse = (value: number): number => (better === "lower" ? value : -value);
  const at = (value: number): string => `${(Math.min(1, Math.max(-1, value / most)) + 1) * 50}%`;
  const line = h("span", { class: `forest ${verdict}`, "aria-hidden": "true" });
  const add = (className: string, left: string, width = ""): void => {
    const part = h("span", { class: className });
    part.style.left = left;
    if (width !== "") part.style.width = width;
    line.append(part);
  };
  add("forest-zero", at(0));
  add("forest-allowed", at(maxRegression));
  if (interval !== null) {
    const [from, to] = interval.map(worse).sort((a, b) => a - b);
    add("forest-range", at(from ?? 0), `calc(${at(to ?? 0)} - ${at(from ?? 0)})`);
  }
  if (change !== null) add("forest-point", at(worse(change)));
  return line;
}

function budgetTable(check: Check): HTMLElement {
  const rows = check.budgets.map((budget) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, tidy(budgetText(budget))),
      h("td", { class: `check-verdict ${budgetClass(budget)}` }, budgetVerdict(budget)),
    ),
  );
  return tableOf("Budgets", ["Budget", "Verdict"], rows);
}

function budgetClass({ ok, value }: CheckedBudget): string {
  if (value === null) return "inconclusive";
  return ok ? "pass" : "regression";
}

function siteTable(check: Check): HTMLElement {
  const rows = check.sites.map((site) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name(site.function), h("bdi", { class: "where", title: whereOf(site) }, whereOf(site))),
      h("td", {}, tidy(bytes(site.baselineBytes))),
      h("td", {}, tidy(bytes(site.candidateBytes))),
      h("td", {}, tidy(grownText(site))),
      h("td", { class: "forest-cell" }, meter(site.share), h("span", { class: "cell-range" }, share(site.share))),
    ),
  );
  const table = tableOf(
    "Sites that allocate more",
    ["Site", "Baseline", "Now", "Change", "Of all that was added"],
    rows,
  );
  table.prepend(h("p", { class: "hint" }, sitesHead(check)));
  return table;
}

const whereOf = ({ file, line }: SiteChange): string => (file === "" ? "" : `${file}:${line}`);

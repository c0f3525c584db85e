/** The verdict, and each column's most important figures. */
import type { ComparisonRow } from "../../../analysis/compare-types.ts";
import { noValueText, rangeText, valueText } from "../../compare-phrases.ts";
import { h } from "../dom.ts";
import { plural, tidy } from "../format.ts";
import { warningBox } from "../page-parts.ts";
import type { Choice } from "./choice.ts";
import { columnTitle } from "./column-style.ts";

const DETAILS: readonly (readonly [string, string])[] = [
  ["worst", "pause.max"],
  ["pauses", "pause.count"],
  ["GC", "gc.share"],
  ["heap peak", "heap.peak"],
  ["RSS peak", "rss.peak"],
  ["latency P99", "latency.p99"],
  ["throughput", "throughput"],
];

function columnNumber(rows: readonly ComparisonRow[], metric: string, column: string) {
  const row = rows.find((candidate) => candidate.metric === metric);
  const value = row?.values.find((candidate) => candidate.column === column);
  return row === undefined || value === undefined ? null : { value, unit: row.unit };
}

function card(choice: Choice, index: number): HTMLElement {
  const { comparison, columns } = choice.data;
  const column = columns[index];
  if (column === undefined) throw new Error("no such column");
  const p99 = columnNumber(comparison.rows, "pause.p99", column.name);
  const range = p99 === null ? "" : rangeText(p99.value, p99.unit);
  const details = DETAILS.flatMap(([label, metric]) => {
    const found = columnNumber(comparison.rows, metric, column.name);
    return found === null ? [] : [h("li", {}, `${label}\u00a0${tidy(valueText(found.value.median, found.unit))}`)];
  });
  return h(
    "li",
    { class: "card" },
    h("h3", {}, ...columnTitle(index, column)),
    h(
      "p",
      { class: "card-value" },
      h(
        "span",
        { class: "value" },
        p99 === null
          ? noValueText(comparison.rows, "pause.p99", column.name)
          : tidy(valueText(p99.value.median, p99.unit)),
      ),
      " P99 pause",
      range !== "" && h("span", { class: "cell-range" }, `${tidy(range)} from run to run`),
    ),
    h("ul", { class: "inline" }, ...details),
    h(
      "p",
      { class: "card-run" },
      `${column.recorded}${column.node === "" ? "" : `, Node ${column.node}`}`,
      column.command !== "" && h("bdi", { class: "where", title: column.command }, column.command),
    ),
  );
}

/** The answer comes first, with a word that there is something to know before believing it. */
export function drawOverview(choice: Choice): readonly HTMLElement[] {
  const { columns, comparison, verdict } = choice.data;
  const answer = h("p", { class: "answer" }, h("bdi", {}, verdict));
  const cards = h("ul", { class: "cards" }, ...columns.map((_, index) => card(choice, index)));
  const warnings = warningBox(comparison.warnings, "What to know about this comparison");
  if (warnings === null) return [answer, cards];
  warnings.id = "warnings";
  const caution = `${plural(comparison.warnings.length, "thing")} to know before relying on it`;
  return [answer, h("p", { class: "caution" }, h("a", { href: "#warnings" }, caution)), cards, warnings];
}

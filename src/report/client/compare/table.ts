/** All metrics: one a row, a column each, with the runs' spread as a strip below each value. */
import type { ColumnValue, ComparisonRow } from "../../../analysis/compare-types.ts";
import {
  bestShown,
  DOUBTFUL_NOTE,
  differenceHead,
  differenceText,
  isKeyMetric,
  noValueText,
  rangeText,
  valueText,
} from "../../compare-phrases.ts";
import { button, h } from "../dom.ts";
import { tidy } from "../format.ts";
import type { Choice } from "./choice.ts";
import { columnStyle, columnTitle } from "./column-style.ts";

interface Group {
  readonly title: string;
  readonly pattern: RegExp;
}

/** In the order of the page; what no pattern takes is the workload's own. */
const GROUPS: readonly Group[] = [
  { title: "Pauses", pattern: /^pause\.(?:p\d+|max|total|count)$|^pause\.(?:scavenge|mark-compact)\.count$/ },
  { title: "Share of the main thread", pattern: /^(?:gc|mmu)\./ },
  { title: "Memory", pattern: /^(?:heap|rss|external|alloc|survived|promoted)\./ },
  { title: "Scavenges", pattern: /^pause\.scavenge\./ },
  { title: "Mark-compacts", pattern: /^pause\.mark-compact\./ },
  { title: "CPU time inside pauses", pattern: /^pause\.cpu\./ },
];
const WORKLOAD = "Measured by the workload";

const STATISTICS: Readonly<Record<string, string>> = {
  p50: "P50",
  p90: "P90",
  p99: "P99",
  p999: "P99.9",
  p9999: "P99.99",
  max: "longest",
  total: "total",
  count: "number",
};

const LABELS: Readonly<Record<string, string>> = {
  "pause.scavenge.count": "number of scavenges",
  "pause.mark-compact.count": "number of mark-compacts",
  "gc.share": "time in GC",
  "gc.outside": "GC between pauses",
  "mmu.10ms": "left to the program in the worst 10 ms",
  "mmu.50ms": "left to the program in the worst 50 ms",
  "mmu.100ms": "left to the program in the worst 100 ms",
  "heap.peak": "heap, peak",
  "rss.peak": "resident memory, peak",
  "rss.growth": "resident memory, growth",
  "external.peak": "external memory, peak",
  "alloc.bytes": "allocated",
  "survived.bytes": "survived scavenges",
  "promoted.bytes": "promoted",
};

function labelOf(metric: string): string {
  if (Object.hasOwn(LABELS, metric)) return LABELS[metric] ?? metric;
  const statistic = metric.slice(metric.lastIndexOf(".") + 1);
  if (!metric.startsWith("pause.") || !Object.hasOwn(STATISTICS, statistic)) return metric;
  return STATISTICS[statistic] ?? metric;
}

function groupTitle({ metric }: ComparisonRow): string {
  return GROUPS.find(({ pattern }) => pattern.test(metric))?.title ?? WORKLOAD;
}

/** The strip from zero to the largest value of the row: a bar up to the median, a line from the lowest to the highest run. */
function strip(value: ColumnValue, most: number, index: number): HTMLElement {
  const at = (part: number): string => `${Math.min(100, Math.max(0, (part / most) * 100))}%`;
  const bar = h("span", { class: "strip-bar" });
  bar.style.width = at(value.median);
  bar.style.background = `var(--${columnStyle(index).color})`;
  const range = h("span", { class: "strip-range" });
  range.style.left = at(value.min);
  range.style.width = at(value.max - value.min);
  return h("span", { class: "strip", "aria-hidden": "true" }, bar, value.runs.length > 1 && range);
}

function cell(value: ColumnValue, row: ComparisonRow, index: number, most: number, isBest: boolean): HTMLElement {
  const range = rangeText(value, row.unit);
  return h(
    "td",
    isBest ? { class: "best" } : {},
    h(
      "span",
      { class: "cell-value" },
      tidy(valueText(value.median, row.unit)),
      isBest && h("span", { class: "visually-hidden" }, " best"),
    ),
    range !== "" && h("span", { class: "cell-range" }, tidy(range)),
    most > 0 && strip(value, most, index),
  );
}

function rowOf(row: ComparisonRow, choice: Choice): HTMLElement {
  const { columns, comparison } = choice.data;
  const best = bestShown(row);
  const most = Math.max(0, ...row.values.map(({ max }) => max));
  const label = labelOf(row.metric);
  return h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h("bdi", { class: "metric-label" }, label),
      row.better === "higher" && h("span", { class: "more" }, "more is better"),
      label !== row.metric && h("code", { class: "where" }, row.metric),
    ),
    ...columns.map(({ name }, index) => {
      const value = row.values.find(({ column }) => column === name);
      if (value === undefined) return h("td", { class: "unknown" }, noValueText(comparison.rows, row.metric, name));
      return cell(value, row, index, most, best.includes(value));
    }),
    h("td", { class: "difference" }, tidy(differenceText(row, columns.length))),
  );
}

function head(choice: Choice): HTMLElement {
  const { columns } = choice.data;
  return h(
    "thead",
    {},
    h(
      "tr",
      {},
      h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "Metric")),
      ...columns.map((column, index) => h("th", { scope: "col" }, ...columnTitle(index, column))),
      h("th", { scope: "col" }, differenceHead(columns.length)),
    ),
  );
}

function bodies(choice: Choice): readonly { readonly body: HTMLElement; readonly isKey: boolean }[] {
  const titles = [
    ...GROUPS.slice(0, 3).map(({ title }) => title),
    WORKLOAD,
    ...GROUPS.slice(3).map(({ title }) => title),
  ];
  return titles.flatMap((title) => {
    const rows = choice.data.comparison.rows.filter((row) => groupTitle(row) === title);
    const [first] = rows;
    if (first === undefined) return [];
    const span = String(choice.data.columns.length + 2);
    const heading = h("tr", { class: "group" }, h("th", { scope: "rowgroup", colspan: span }, title));
    return [{ body: h("tbody", {}, heading, ...rows.map((row) => rowOf(row, choice))), isKey: isKeyMetric(first) }];
  });
}

/** The table, and the button that shows the metrics of parts of the pauses. */
export function drawTable(host: HTMLElement, choice: Choice): void {
  const all = bodies(choice);
  const parts = all.filter(({ isKey }) => !isKey);
  for (const { body } of parts) body.hidden = true;
  const table = h("table", { class: "metrics" }, head(choice), ...all.map(({ body }) => body));
  const { rows } = choice.data.comparison;
  const isDoubtful = rows.some((row) => differenceText(row, choice.data.columns.length).startsWith("~"));
  host.append(
    h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Table of all metrics" }, table),
  );
  if (isDoubtful) host.append(h("p", { class: "note" }, `${DOUBTFUL_NOTE}.`));
  if (choice.data.columns.some(({ runs }) => runs.length > 1)) {
    host.append(h("p", { class: "note" }, "Medians of the runs; below them the lowest and the highest run."));
  }
  if (parts.length === 0) return;
  const toggle = button(
    "",
    () => {
      for (const { body } of parts) body.hidden = !body.hidden;
      update();
    },
    { class: "more-metrics" },
  );
  const update = (): void => {
    const isOpen = parts.every(({ body }) => !body.hidden);
    toggle.setAttribute("aria-expanded", String(isOpen));
    toggle.textContent = isOpen ? "Fewer metrics" : "Scavenges, mark-compacts and CPU time too";
  };
  update();
  host.append(toggle);
}

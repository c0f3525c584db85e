import type { ComparisonRow } from "../analysis/compare-types.ts";
import {
  columnCommand,
  columnName,
  DOUBTFUL_NOTE,
  differenceHead,
  differenceText,
  isKeyMetric,
  rangeText,
  runsText,
  valueText,
} from "./compare-phrases.ts";
import type { ComparisonView } from "./compare-view.ts";
import { GAP, INDENT, Page, type PageOptions } from "./page.ts";

/** Of one metric in one column; `range` is "" for a single run. */
interface Cell {
  readonly value: string;
  readonly range: string;
}

interface Line {
  readonly metric: string;
  readonly cells: readonly Cell[];
  readonly difference: string;
}

const UNKNOWN: Cell = { value: "-", range: "" };
const MAX_NAME = 32;
/** Heads of the table may be shorter than the names in the list above it, while they stay apart. */
const HEADS = [24, 16, 11];

/** The comparison for a terminal, UTF-8: what was compared, the table, what to know, and the verdict as its last line. */
export function renderComparisonTerminal(view: ComparisonView, options: PageOptions): Uint8Array {
  const page = new Page(options);
  columnList(page, view);
  page.gap();
  const lines = view.comparison.rows.filter(isKeyMetric).map((row) => lineOf(row, view));
  table(page, view, lines);
  notes(page, lines, view);
  warnings(page, view);
  page.gap();
  page.prose(view.verdict, { style: "bold" });
  return new TextEncoder().encode(page.text());
}

/** "pooled   3 runs of 60.1 s   node bench.js --mode pooled", a line each. */
function columnList(page: Page, { columns }: ComparisonView): void {
  const rows = columns.map((column) => [columnName(column, MAX_NAME), runsText(column), columnCommand(column)]);
  const width = (at: number) => Math.max(...rows.map((row) => row[at]?.length ?? 0));
  const widths = [width(0), width(1), 0];
  for (const row of rows) page.row(row.map((text, at) => text.padEnd(widths[at] ?? 0)).join(GAP));
}

function lineOf(row: ComparisonRow, { columns }: ComparisonView): Line {
  const cells = columns.map(({ name }): Cell => {
    const value = row.values.find(({ column }) => column === name);
    if (value === undefined) return UNKNOWN;
    return { value: valueText(value.median, row.unit), range: rangeText(value, row.unit) };
  });
  return { metric: row.metric, cells, difference: differenceText(row, columns.length) };
}

function headsOf({ columns }: ComparisonView): readonly (readonly string[])[] {
  const [longest = [], ...shorter] = HEADS.map((limit) => columns.map((column) => columnName(column, limit)));
  return [longest, ...shorter.filter((names) => new Set(names).size === names.length)];
}

/** All in one table where there is room, with the ranges behind or else below the values; else as many as fit at a time. */
function table(page: Page, view: ComparisonView, lines: readonly Line[]): void {
  const heads = headsOf(view);
  for (const layout of [besides, below]) {
    for (const names of heads) {
      const whole = withDifference(rowsOf(names, lines, layout), lines, names.length);
      if (!fits(page, whole)) continue;
      page.table(whole);
      return;
    }
  }
  tables(page, heads.at(-1) ?? [], lines);
}

function tables(page: Page, names: readonly string[], lines: readonly Line[]): void {
  for (let from = 0; from < names.length; ) {
    let part = rowsOf(names, lines, below, from, from + 1);
    let to = from + 1;
    while (to < names.length) {
      const more = rowsOf(names, lines, below, from, to + 1);
      if (!fits(page, more)) break;
      part = more;
      to++;
    }
    if (from > 0) page.gap();
    page.table(part);
    from = to;
  }
}

type Rows = readonly (readonly string[])[];

/** Cells side by side as the lines of a table. */
type Layout = (metric: string, cells: readonly Cell[]) => Rows;

const besides: Layout = (metric, cells) => [
  [metric, ...cells.map(({ value, range }) => (range === "" ? value : `${value} [${range}]`))],
];

const below: Layout = (metric, cells) => {
  const values = [metric, ...cells.map(({ value }) => value)];
  return cells.every(({ range }) => range === "") ? [values] : [values, ["", ...cells.map(({ range }) => range)]];
};

function rowsOf(names: readonly string[], lines: readonly Line[], layout: Layout, from = 0, to = names.length): Rows {
  const rows = lines.flatMap(({ metric, cells }) => layout(metric, cells.slice(from, to)));
  return [["metric", ...names.slice(from, to)], ...rows];
}

function withDifference(rows: Rows, lines: readonly Line[], columns: number): Rows {
  const texts = lines.map(({ difference }) => difference)[Symbol.iterator]();
  return rows.map((row, index) => {
    if (index === 0) return [...row, differenceHead(columns)];
    return [...row, row[0] === "" ? "" : (texts.next().value ?? "")];
  });
}

function fits(page: Page, rows: Rows): boolean {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return INDENT.length + widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) <= page.width;
}

function notes(page: Page, lines: readonly Line[], { comparison }: ComparisonView): void {
  if (lines.some(({ cells }) => cells.some(({ range }) => range !== ""))) {
    page.prose("Medians of the runs, with the lowest and the highest.", { style: "dim" });
  }
  if (lines.some(({ difference }) => difference.startsWith("~"))) page.row(DOUBTFUL_NOTE, "dim");
  if (comparison.rows.length > lines.length) {
    page.prose("The same of scavenges, of mark-compacts and of CPU time: --format json, markdown or html.", {
      style: "dim",
    });
  }
}

function warnings(page: Page, { comparison }: ComparisonView): void {
  if (comparison.warnings.length > 0) page.gap();
  for (const warning of comparison.warnings) page.warning(warning);
}

import type { ComparisonRow } from "../analysis/compare-types.ts";
import { plainText } from "../lib/text.ts";
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
import { code, literal, table } from "./markdown-text.ts";

/** The comparison for a pull-request comment or a job summary: GitHub-flavoured Markdown, UTF-8. The verdict comes last. */
export function renderComparisonMarkdown(view: ComparisonView): Uint8Array {
  const { rows } = view.comparison;
  const key = rows.filter(isKeyMetric);
  const rest = rows.filter((row) => !isKeyMetric(row));
  const blocks = [
    `## gcspike: ${view.columns.map((column) => literal(columnName(column))).join(" / ")}`,
    columnTable(view),
    metricTable(key, view),
    notes(key, view),
    rest.length === 0
      ? ""
      : `<details><summary>Scavenges, mark-compacts and CPU time</summary>\n\n${metricTable(rest, view)}\n\n</details>`,
    warnings(view),
    `**${literal(view.verdict)}**`,
  ];
  return new TextEncoder().encode(`${blocks.filter((block) => block !== "").join("\n\n")}\n`);
}

function columnTable({ columns }: ComparisonView): string {
  const rows = columns.map((column) => {
    const command = columnCommand(column);
    return [
      literal(columnName(column)),
      runsText(column),
      command === "" ? "" : code(command),
      code(plainText(column.runs[0]?.node ?? "", 20) || "unknown"),
    ];
  });
  return table(["Column", "Recorded", "Command", "Node"], rows, ":--|:--|:--|:--");
}

function metricTable(rows: readonly ComparisonRow[], { columns }: ComparisonView): string {
  return table(
    ["Metric", ...columns.map((column) => literal(columnName(column))), differenceHead(columns.length)],
    rows.map((row) => [
      code(plainText(row.metric, 80)),
      ...columns.map(({ name }) => cell(row, name)),
      literal(differenceText(row, columns.length)),
    ]),
  );
}

function cell({ values, unit }: ComparisonRow, name: string): string {
  const value = values.find(({ column }) => column === name);
  if (value === undefined) return "-";
  const range = rangeText(value, unit);
  const median = literal(valueText(value.median, unit));
  return range === "" ? median : `${median} <sub>${literal(range)}</sub>`;
}

function notes(rows: readonly ComparisonRow[], { columns }: ComparisonView): string {
  const several = columns.some(({ runs }) => runs.length > 1);
  const doubtful = rows.some((row) => differenceText(row, columns.length).startsWith("~"));
  const sentences = [
    several ? "Medians of the runs, with the lowest and the highest." : "",
    doubtful ? literal(DOUBTFUL_NOTE) : "",
  ].filter((text) => text !== "");
  return sentences.length === 0 ? "" : `<sub>${sentences.join(" ")}</sub>`;
}

function warnings({ comparison }: ComparisonView): string {
  if (comparison.warnings.length === 0) return "";
  const items = comparison.warnings.map(({ message, hint }) =>
    literal(plainText(hint === undefined ? message : `${message} ${hint}`, 1000)),
  );
  return `### What to know\n\n${items.map((text) => `- ${text}`).join("\n")}`;
}

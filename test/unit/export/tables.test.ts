import { readFileSync } from "node:fs";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { describe, expect, test } from "vitest";
import { MAX_SITES, overallSites } from "../../../src/analysis/sites.ts";
import { exportCsv } from "../../../src/export/csv.ts";
import { TABLE_NAMES } from "../../../src/export/formats.ts";
import { exportParquet } from "../../../src/export/parquet.ts";
import { type Table, tableOf } from "../../../src/export/tables.ts";
import { EXPORT_STORIES, exportInput, pauseTotals } from "../../support/exported.ts";

type Row = Readonly<Record<string, unknown>>;

const bufferOf = (bytes: Uint8Array) =>
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
const rowsOf = (table: Table): Promise<Row[]> => parquetReadObjects({ file: bufferOf(exportParquet(table)) });
const sum = (rows: readonly Row[], column: string) => rows.reduce((total, row) => total + Number(row[column]), 0);

const largest = (values: readonly number[]) =>
  values
    .filter((value) => value > 0)
    .sort((a, b) => b - a)
    .slice(0, MAX_SITES);

/** CSV as RFC 4180 has it, read by its rules. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  for (const line of text.matchAll(/((?:"(?:[^"]|"")*"|[^"\r\n])*)\r\n/g)) {
    const cells = Array.from((line[1] ?? "").matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g), ([, quoted, plain]) =>
      quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
    );
    rows.push(cells);
  }
  return rows;
}

describe.each(Object.keys(EXPORT_STORIES))("the story %s", (story) => {
  const input = exportInput(story);

  test("pauses, spikes and sites are those of the report", async () => {
    const pauses = await rowsOf(tableOf("pauses", input));
    const { count, totalMs } = pauseTotals(input);
    expect(pauses).toHaveLength(count);
    expect(sum(pauses, "duration_ms")).toBeCloseTo(totalMs, 6);
    const spikes = await rowsOf(tableOf("spikes", input));
    expect(spikes.map(({ spike, cause, duration_ms }) => [spike, cause, duration_ms])).toEqual(
      input.report.spikes.map(({ id, cause, durationMs }) => [id, cause, durationMs]),
    );
    const sites = await rowsOf(tableOf("sites", input));
    const overall = sites.filter(({ spike, cause }) => spike === null && cause === null);
    expect(overall.slice(0, MAX_SITES).map(({ bytes }) => Number(bytes))).toEqual(
      overallSites(input.recording.isolates).map(({ bytes }) => bytes),
    );
    const all = overallSites(input.recording.isolates, Number.POSITIVE_INFINITY);
    expect(largest(overall.map(({ survived_bytes: bytes }) => Number(bytes)))).toEqual(
      largest(all.map(({ survivedBytes }) => survivedBytes ?? 0)),
    );
    for (const { bytes, survived_bytes: alive } of overall) expect(Number(alive)).toBeLessThanOrEqual(Number(bytes));
  });

  test.each(TABLE_NAMES)("%s holds the same in CSV and in Parquet", async (name) => {
    const table = tableOf(name, input);
    const [header, ...lines] = parseCsv(new TextDecoder().decode(exportCsv(table)));
    const rows = await rowsOf(table);
    expect(header).toEqual(table.columns.map((column) => column.name));
    expect(lines).toHaveLength(rows.length);
    for (const [index, line] of lines.entries()) {
      for (const [place, { name: column, type }] of table.columns.entries()) {
        const value = rows[index]?.[column];
        const text =
          value === null || value === undefined ? "" : value instanceof Date ? value.toISOString() : String(value);
        const cell = line[place] ?? "";
        expect(type === "text" ? cell.replace(/^'(?=[=+\-@])/, "") : cell, `${column} of row ${index}`).toBe(text);
      }
    }
  });
});

test("no cell of CSV is a formula", () => {
  const table: Table = {
    name: "sites",
    columns: [
      {
        name: "function",
        type: "text",
        meaning: "",
        cells: ['=HYPERLINK("http://e.vil")', "+1", "-1", "@a", "a,b", "-"],
      },
    ],
  };
  expect(new TextDecoder().decode(exportCsv(table))).toBe(
    `function\r\n"'=HYPERLINK(""http://e.vil"")"\r\n'+1\r\n'-1\r\n'@a\r\n"a,b"\r\n'-\r\n`,
  );
});

test("Parquet says what its columns mean", () => {
  const { key_value_metadata: pairs } = parquetMetadata(
    bufferOf(exportParquet(tableOf("pauses", exportInput("everything")))),
  );
  const words = new Map(pairs?.map(({ key, value }) => [key, value]));
  expect(words.get("gcspike.table")).toBe("pauses/1");
  expect(words.get("gcspike.column.duration_ms")).toBe("wall time, ms");
});

test("docs/export.md describes every column of every table, and no other", () => {
  const docs = readFileSync(new URL("../../../docs/export.md", import.meta.url), "utf8");
  for (const name of TABLE_NAMES) {
    const part = docs.split(`### ${name}\n`)[1]?.split("\n#")[0] ?? "";
    const rows = part.split("\n").filter((line) => line.startsWith("| `"));
    const { columns } = tableOf(name, exportInput("everything"));
    expect(rows).toEqual(columns.map(({ name: column, type, meaning }) => `| \`${column}\` | ${type} | ${meaning} |`));
  }
});

/** CSV as RFC 4180 has it: the table's columns by name, then a line a row. */

import type { Cell, Column, Table } from "./tables.ts";
import { TextParts } from "./text-parts.ts";

/** Spreadsheets take a cell that begins like this for a formula, and names come from the recorded program. */
const FORMULA = /^[=+\-@]/;
const NEEDS_QUOTES = /[",\r\n]/;

export function exportCsv({ columns }: Table): Uint8Array {
  const text = new TextParts();
  const rows = columns[0]?.cells.length ?? 0;
  text.add(`${columns.map(({ name }) => name).join()}\r\n`);
  for (let row = 0; row < rows; row++) text.add(`${columns.map((column) => cellText(column, row)).join()}\r\n`);
  return text.bytes();
}

function cellText({ type, cells }: Column, row: number): string {
  const cell: Cell = cells[row] ?? null;
  if (cell === null) return "";
  if (typeof cell === "number") return type === "time" ? new Date(cell).toISOString() : String(cell);
  const harmless = FORMULA.test(cell) ? `'${cell}` : cell;
  return NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** A page of text in a terminal: the only place that knows its width and colours. */
import { cut, plainText } from "../lib/text.ts";

export interface PageOptions {
  readonly color: boolean;
  /** Columns of the terminal. Prose is wrapped to them, rows of tables are cut. */
  readonly width: number;
}

/** Below this nothing can be laid out; above, lines are too long to read. */
const MIN_WIDTH = 40;
const MAX_WIDTH = 120;
export const INDENT = "  ";
const WARNING_MARGIN = " ".repeat(INDENT.length + "warning: ".length);
/** Between two columns of a table. */
export const GAP = "   ";

/** Where prose may be broken: at spaces, but not between a number and its unit. */
const BREAKS = / (?!(?:us|ms|s|min|%|B|[KMG]iB)(?![\w]))/;

type Style = "bold" | "dim" | "yellow";
const SGR: Readonly<Record<Style, string>> = { bold: "1", dim: "2", yellow: "33" };

/** The least that is left of a table's first column. */
const LEAST_NAME = 12;

/** Columns of a table whose first column takes `nameWidth` at the most. */
function tableWidth(rows: readonly (readonly string[])[], nameWidth: number): number {
  const columns = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return columns.reduce(
    (sum, width, column) => sum + (column === 0 ? Math.min(width, nameWidth) : width + GAP.length),
    0,
  );
}

/** Collects lines. */
export class Page {
  readonly width: number;
  readonly #color: boolean;
  readonly #lines: string[] = [];

  constructor({ width, color }: PageOptions) {
    this.width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, Math.floor(width) || MIN_WIDTH));
    this.#color = color;
  }

  /** One line, cut at the terminal's width. */
  row(text: string, style?: Style, indent = INDENT): void {
    this.#push(cut(`${indent}${text}`, this.width).trimEnd(), style);
  }

  /** One line, however long. */
  whole(text: string): void {
    this.#push(`${INDENT}${text}`);
  }

  gap(): void {
    this.#lines.push("");
  }

  /** Text broken at spaces; `hanging` is the margin of all lines but the first. */
  prose(
    text: string,
    options: { readonly style?: Style; readonly indent?: string; readonly hanging?: string } = {},
  ): void {
    const { style, indent = INDENT, hanging = indent } = options;
    let line = indent;
    for (const word of text.split(BREAKS)) {
      const isEmpty = line.trim() === "";
      if (!isEmpty && line.length + 1 + word.length > this.width) {
        this.#push(line, style);
        line = `${hanging}${word}`;
      } else {
        line += isEmpty ? word : ` ${word}`;
      }
    }
    this.#push(line, style);
  }

  /**
   * The first column stands left, the others right; the first row is the header, and one without a name goes on with the row
   * above it. Where there is no room, the first column is cut and then the columns behind the third go: the last one says most.
   */
  table(all: readonly (readonly string[])[]): void {
    const room = this.width - INDENT.length;
    let rows = all;
    while ((rows[0]?.length ?? 0) > 3 && tableWidth(rows, LEAST_NAME) > room) {
      rows = rows.map((row) => row.filter((_, column) => column !== Math.min(3, row.length - 2)));
    }
    const nameWidth = Math.max(LEAST_NAME, room - tableWidth(rows, 0));
    rows = rows.map(([name = "", ...cells]) => [cut(name, nameWidth), ...cells]);
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    for (const [index, row] of rows.entries()) {
      const cells = row.map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      });
      this.row(cells.join(GAP), index === 0 || row[0] === "" ? "dim" : undefined);
    }
  }

  /** What to know, and below it what to do about it; texts are cut where they are longer than a paragraph. */
  warning({ message, hint }: { readonly message: string; readonly hint?: string }): void {
    this.prose(`warning: ${plainText(message, 600)}`, { hanging: WARNING_MARGIN, style: "yellow" });
    if (hint !== undefined) this.prose(plainText(hint, 600), { indent: WARNING_MARGIN });
  }

  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #push(line: string, style?: Style): void {
    this.#lines.push(this.#color && style !== undefined ? `\u001b[${SGR[style]}m${line}\u001b[0m` : line);
  }
}

/** The formats of `gcspike report` and `gcspike compare`. Stands alone, so that --help does not load a renderer. */
import { extname } from "node:path";
import { usageError } from "../lib/errors.ts";

export const FORMATS = ["terminal", "json", "markdown", "html"] as const;
export type Format = (typeof FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  ".html": "html",
  ".htm": "html",
  ".json": "json",
  ".md": "markdown",
  ".markdown": "markdown",
  ".txt": "terminal",
};

export interface FormatFlags {
  readonly format?: Format;
  readonly output?: string;
}

export interface ReportFlags extends FormatFlags {
  /** ms */
  readonly spike?: number;
  /** Bytes a second. */
  readonly growth?: number;
  /** ms */
  readonly p99?: number;
  /** "s3": one spike instead of the report. */
  readonly spikeId?: string;
  readonly charts?: string;
}

/** --format, else what the file's name ends with, else terminal. Throws a usage error for an ending that says nothing. */
export function chooseFormat(flags: FormatFlags): Format {
  if (flags.format !== undefined) return flags.format;
  if (flags.output === undefined) return "terminal";
  const format = BY_EXTENSION[extname(flags.output).toLowerCase()];
  if (format !== undefined) return format;
  throw usageError(
    `-o ${flags.output} does not say which format to write.`,
    `Use a name that ends with .html, .json, .md or .txt, or add --format ${FORMATS.join("|")}`,
  );
}

/** As `chooseFormat`; a page is not printed on a terminal. Throws a usage error for one, with `example`, which writes it to a file. */
export function chooseOutput(flags: FormatFlags, outIsTerminal: boolean, example: string): Format {
  const format = chooseFormat(flags);
  if (format !== "html" || flags.output !== undefined || !outIsTerminal) return format;
  throw usageError("An HTML page is not for a terminal.", `Write it to a file: ${example}`);
}

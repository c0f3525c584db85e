/** `gcspike export`: a recording in other tools' formats. */
import { join, resolve } from "node:path";
import { type AnalyseOptions, analyse } from "../analysis/analyse.ts";
import type { ExportInput } from "../export/export-input.ts";
import {
  EXPORT_FORMAT_NAMES,
  EXPORT_FORMATS,
  type ExportFormatName,
  type PprofProfile,
  TABLE_NAMES,
  type TableName,
} from "../export/formats.ts";
import { ExitCode, GcspikeError, usageError } from "../lib/errors.ts";
import { plural } from "../lib/text.ts";
import { formatBytes } from "../lib/units.ts";
import { readRecording } from "../recording/read-recording.ts";
import { writeReportFile, writeReportFiles } from "./files.ts";
import { printJson } from "./json-output.ts";
import { type Sent, sendOtlp } from "./send-otlp.ts";
import { withSpinner } from "./spinner.ts";
import type { Terminal } from "./terminal.ts";

export interface ExportFlags {
  readonly format?: ExportFormatName;
  readonly output?: string;
  /** ms */
  readonly spike?: number;
  readonly profile?: PprofProfile;
  readonly table?: TableName;
  readonly endpoint?: string;
  readonly json?: true;
}

/** What `--json` says: docs/exported.schema.json. */
interface Exported {
  readonly schema: "gcspike.exported/1";
  readonly format: ExportFormatName;
  /** Absolute. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** To whom it was sent in the place of files. */
  readonly sent: Sent | null;
}

/** Exports one recording. Returns 0; what goes wrong is thrown. */
export async function runExport(path: string, flags: ExportFlags, terminal: Terminal): Promise<number> {
  const format = chooseExport(flags);
  requireEffect(format, flags);
  const isTables = format === "parquet" || format === "csv";
  const toFolder = isTables && flags.table === undefined;
  const { output, endpoint, json } = flags;
  if (json === true && output === undefined && endpoint === undefined) {
    throw usageError("--json says which files were written, and stdout is the export's own.", "Name a file: -o FILE");
  }
  if (toFolder && output === undefined) {
    throw usageError(
      `${format} is ${TABLE_NAMES.length} tables: ${TABLE_NAMES.join(", ")}.`,
      "Name a folder for them, -o tables/, or one of them: --table pauses",
    );
  }
  if (!EXPORT_FORMATS[format].isText && output === undefined && terminal.outIsTerminal) {
    throw usageError(
      `${format} is not for a terminal.`,
      `Write it to a file: -o NAME${EXPORT_FORMATS[format].extensions[0]}`,
    );
  }
  const input = await withSpinner(terminal, "Reading the recording", () => load(path, { spikeMs: flags.spike }));
  requireContent(format, flags, input);
  const exported = (files: Exported["files"], sent: Sent | null): Exported => ({
    schema: "gcspike.exported/1",
    format,
    files: files.map((file) => ({ path: resolve(file.path), bytes: file.bytes })),
    sent,
  });
  if (endpoint !== undefined) {
    const sent = await sendOtlp(endpoint, input);
    terminal.err(`Sent the metrics of ${plural(sent.processes, "process", "processes")} to ${sent.url}\n`);
    printJson(json, () => exported([], sent), terminal);
  } else if (toFolder && output !== undefined) {
    const files = await Promise.all(
      TABLE_NAMES.map(async (table) => ({
        name: `${table}.${format}`,
        bytes: await renderTable(format, table, input),
      })),
    );
    writeReportFiles(output, files);
    terminal.err(`Wrote ${plural(files.length, "table")} to ${output}\n`);
    const written = files.map(({ name, bytes }) => ({ path: join(output, name), bytes: bytes.length }));
    printJson(json, () => exported(written, null), terminal);
  } else {
    const bytes = await render(format, flags, input);
    if (output === undefined) {
      terminal.out(bytes);
    } else {
      writeReportFile(output, bytes);
      terminal.err(`Wrote ${output} (${formatBytes(bytes.length)})\n`);
      printJson(json, () => exported([{ path: output, bytes: bytes.length }], null), terminal);
    }
  }
  return ExitCode.ok;
}

async function load(path: string, options: AnalyseOptions): Promise<ExportInput> {
  const recording = await readRecording(path);
  return { recording, report: analyse(recording, options) };
}

/** --format, else what the file's name ends with. @throws a usage error where neither says it */
export function chooseExport({ format, output }: Pick<ExportFlags, "format" | "output">): ExportFormatName {
  if (format !== undefined) return format;
  const name = output?.toLowerCase() ?? "";
  const found = EXPORT_FORMAT_NAMES.find((one) => EXPORT_FORMATS[one].extensions.some((end) => name.endsWith(end)));
  if (found !== undefined) return found;
  const usual = EXPORT_FORMAT_NAMES.map((one) => EXPORT_FORMATS[one].extensions[0]);
  throw usageError(
    output === undefined ? "It is not said which format to write." : `-o ${output} does not say which format to write.`,
    `Add --format ${EXPORT_FORMAT_NAMES.join("|")}, or use a name that ends with ${usual.join(", ")}`,
  );
}

/** @throws a usage error for an option that would have no effect */
function requireEffect(format: ExportFormatName, { profile, table, endpoint, output }: ExportFlags): void {
  const of = (flag: string, formats: string) => usageError(`${flag} is an option of ${formats}, not of ${format}.`);
  if (profile !== undefined && format !== "pprof") throw of("--profile", "pprof");
  if (table !== undefined && format !== "parquet" && format !== "csv") throw of("--table", "parquet and csv");
  if (endpoint === undefined) return;
  if (format !== "otlp") throw of("--endpoint", "otlp");
  if (output !== undefined) throw usageError("--endpoint sends it and -o writes it to a file.", "Leave one out.");
}

/** A profile of nothing opens nowhere. @throws GcspikeError for one */
function requireContent(format: ExportFormatName, { profile = "heap" }: ExportFlags, { recording }: ExportInput): void {
  const hasSamples = recording.isolates.some(({ allocations }) => allocations !== null);
  const hasPauses = recording.isolates.some(({ pauses }) => pauses.count > 0);
  if (format === "pprof" && profile === "heap" && !hasSamples) {
    throw new GcspikeError("nothing-to-export", `No allocations were sampled in ${recording.path}.`, {
      hint: "Its pauses are a profile, too: --profile pauses",
    });
  }
  const isEmpty =
    (format === "pprof" && !hasPauses && profile === "pauses") ||
    (format === "speedscope" && !hasPauses && !hasSamples);
  if (isEmpty) {
    throw new GcspikeError(
      "nothing-to-export",
      `${recording.path} holds no pause${format === "speedscope" ? " and no allocation" : ""}.`,
    );
  }
}

async function render(format: ExportFormatName, flags: ExportFlags, input: ExportInput): Promise<Uint8Array> {
  switch (format) {
    case "pprof":
      return (await import("../export/pprof.ts")).exportPprof(input, flags.profile ?? "heap");
    case "speedscope":
      return (await import("../export/speedscope.ts")).exportSpeedscope(input);
    case "firefox":
      return (await import("../export/firefox.ts")).exportFirefox(input);
    case "perfetto":
      return (await import("../export/perfetto.ts")).exportPerfetto(input);
    case "chrome":
      return (await import("../export/chrome-trace.ts")).exportChromeTrace(input);
    case "openmetrics":
      return (await import("../export/openmetrics.ts")).exportOpenMetrics(input);
    case "otlp":
      return (await import("../export/otlp.ts")).exportOtlpLines(input);
    case "parquet":
    case "csv":
      return renderTable(format, flags.table ?? "pauses", input);
  }
}

async function renderTable(format: "parquet" | "csv", name: TableName, input: ExportInput): Promise<Uint8Array> {
  const { tableOf } = await import("../export/tables.ts");
  const table = tableOf(name, input);
  return format === "csv"
    ? (await import("../export/csv.ts")).exportCsv(table)
    : (await import("../export/parquet.ts")).exportParquet(table);
}

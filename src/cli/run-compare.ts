/** `gcspike compare`: columns of recordings side by side, as terminal text, JSON, Markdown or HTML. */
import { measuredPart, runOf } from "../analysis/run.ts";
import { ExitCode } from "../lib/errors.ts";
import { formatBytes } from "../lib/units.ts";
import type { Recording } from "../recording/model.ts";
import { readRecording } from "../recording/read-recording.ts";
import { buildComparisonView, type ComparisonView } from "../report/compare-view.ts";
import { renderComparisonJson } from "../report/json.ts";
import type { RunPictures } from "../report/run-pictures.ts";
import type { ColumnFolders } from "./compare-columns.ts";
import { writeReportFile } from "./files.ts";
import { chooseOutput, type Format, type FormatFlags } from "./report-formats.ts";
import { withSpinner } from "./spinner.ts";
import type { Terminal } from "./terminal.ts";

/** What a page on a terminal should have been. */
export const PAGE_EXAMPLE = "-o compare.html";

/** Calls `keep` with one recording after the other, of which it keeps what is small. */
async function readColumns<Kept>(
  columns: readonly ColumnFolders[],
  keep: (recording: Recording, column: string) => Kept,
): Promise<readonly { readonly name: string; readonly runs: readonly Kept[] }[]> {
  const read = [];
  for (const { name, folders } of columns) {
    const runs: Kept[] = [];
    for (const folder of folders) runs.push(keep(await readRecording(folder), name));
    read.push({ name, runs });
  }
  return read;
}

/** What the page of a comparison draws. `also` is called with each recording while it is there, and its column's name. */
export async function readForPage(
  columns: readonly ColumnFolders[],
  also: (recording: Recording, column: string) => void = () => undefined,
): Promise<{
  readonly view: ComparisonView;
  readonly pictures: readonly (readonly RunPictures[])[];
}> {
  const { runPictures } = await import("../report/run-pictures.ts");
  const read = await readColumns(columns, (recording, column) => {
    also(recording, column);
    return { run: runOf(recording), pictures: runPictures(measuredPart(recording)) };
  });
  return {
    view: buildComparisonView(read.map(({ name, runs }) => ({ name, runs: runs.map(({ run }) => run) }))),
    pictures: read.map(({ runs }) => runs.map(({ pictures }) => pictures)),
  };
}

async function renderPage(columns: readonly ColumnFolders[]): Promise<Uint8Array> {
  const [{ renderComparisonHtml }, { loadAssets }] = await Promise.all([
    import("../report/compare-html.ts"),
    import("../report/assets.ts"),
  ]);
  const assets = loadAssets("compare");
  const { view, pictures } = await readForPage(columns);
  return renderComparisonHtml(view, pictures, assets);
}

async function render(
  format: Format,
  columns: readonly ColumnFolders[],
  terminal: Terminal,
  toFile: boolean,
): Promise<Uint8Array> {
  if (format === "html") return renderPage(columns);
  const view = buildComparisonView(await readColumns(columns, (recording) => runOf(recording)));
  switch (format) {
    case "json":
      return renderComparisonJson(view);
    case "markdown":
      return (await import("../report/compare-markdown.ts")).renderComparisonMarkdown(view);
    case "terminal": {
      const { renderComparisonTerminal } = await import("../report/compare-terminal.ts");
      return renderComparisonTerminal(view, { color: terminal.outColor && !toFile, width: terminal.width() });
    }
  }
}

/**
 * Compares columns of recordings and prints the comparison, or writes it to `flags.output`. Columns have different names and
 * at least one folder each. Returns 0; what goes wrong is thrown.
 */
export async function runCompare(
  columns: readonly ColumnFolders[],
  flags: FormatFlags,
  terminal: Terminal,
): Promise<number> {
  const format = chooseOutput(flags, terminal.outIsTerminal, PAGE_EXAMPLE);
  const bytes = await withSpinner(terminal, "Reading the recordings", () =>
    render(format, columns, terminal, flags.output !== undefined),
  );
  if (flags.output === undefined) {
    terminal.out(bytes);
  } else {
    writeReportFile(flags.output, bytes);
    terminal.err(`Wrote ${flags.output} (${formatBytes(bytes.length)})\n`);
  }
  return ExitCode.ok;
}

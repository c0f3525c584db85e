/** `gcspike report`: a recording as terminal text, JSON, Markdown or HTML, and as charts. */
import { ExitCode, usageError } from "../lib/errors.ts";
import { plural } from "../lib/text.ts";
import { formatBytes } from "../lib/units.ts";
import { renderJson } from "../report/json.ts";
import type { ReportView } from "../report/view-model.ts";
import { writeReportFile, writeReportFiles } from "./files.ts";
import { loadReport, loadView } from "./load-view.ts";
import { chooseFormat, type Format, type ReportFlags } from "./report-formats.ts";
import { withSpinner } from "./spinner.ts";
import type { Terminal } from "./terminal.ts";

type ViewFormat = Exclude<Format, "json">;

async function render(format: ViewFormat, view: ReportView, recording: string, terminal: Terminal, toFile: boolean) {
  switch (format) {
    case "markdown":
      return (await import("../report/markdown.ts")).renderMarkdown(view);
    case "html": {
      const [{ renderHtml }, { loadAssets }] = await Promise.all([
        import("../report/html.ts"),
        import("../report/assets.ts"),
      ]);
      return renderHtml(view, loadAssets("report"));
    }
    case "terminal": {
      const { renderTerminal } = await import("../report/terminal.ts");
      return renderTerminal(view, { color: terminal.outColor && !toFile, width: terminal.width(), recording });
    }
  }
}

async function writeCharts(folder: string, view: ReportView, terminal: Terminal): Promise<void> {
  const { renderCharts } = await import("../report/charts.ts");
  const charts = await withSpinner(terminal, "Drawing the charts", () => renderCharts(view));
  writeReportFiles(folder, charts);
  terminal.err(`Wrote ${plural(charts.length, "chart")} to ${folder}\n`);
}

/** Reports on one recording. Returns 0; what goes wrong is thrown. */
export async function runReport(recording: string, flags: ReportFlags, terminal: Terminal): Promise<number> {
  const format = chooseFormat(flags);
  if (format === "html" && flags.output === undefined && terminal.outIsTerminal) {
    throw usageError(
      "An HTML report is not for a terminal.",
      `Write it to a file: gcspike report ${recording} -o report.html`,
    );
  }
  const reading = <T>(task: () => Promise<T>): Promise<T> => withSpinner(terminal, "Reading the recording", task);
  let bytes: Uint8Array;
  if (format === "json" && flags.charts === undefined) {
    bytes = renderJson({ report: await reading(() => loadReport(recording, flags.spike)) });
  } else {
    const view = await reading(() => loadView(recording, flags.spike));
    bytes =
      format === "json"
        ? renderJson(view)
        : await render(format, view, recording, terminal, flags.output !== undefined);
    if (flags.charts !== undefined) await writeCharts(flags.charts, view, terminal);
  }
  if (flags.output === undefined) {
    terminal.out(bytes);
  } else {
    writeReportFile(flags.output, bytes);
    terminal.err(`Wrote ${flags.output} (${formatBytes(bytes.length)})\n`);
  }
  return ExitCode.ok;
}

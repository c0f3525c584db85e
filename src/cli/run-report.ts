/** `gcspike report`: a recording as terminal text, JSON, Markdown or HTML, and as charts. */
import type { Spike } from "../analysis/report-types.ts";
import { ExitCode, usageError } from "../lib/errors.ts";
import { plural } from "../lib/text.ts";
import { formatBytes } from "../lib/units.ts";
import { renderJson } from "../report/json.ts";
import type { PageView, ReportView } from "../report/view-model.ts";
import { writeReportFile, writeReportFiles } from "./files.ts";
import { loadPageView, loadReport, loadView } from "./load-view.ts";
import { chooseOutput, type Format, type ReportFlags } from "./report-formats.ts";
import { withSpinner } from "./spinner.ts";
import type { Terminal } from "./terminal.ts";

interface RenderOptions {
  readonly recording: string;
  readonly terminal: Terminal;
  readonly toFile: boolean;
  readonly spikeId: string | undefined;
}

function spikeOf({ report: { spikes } }: ReportView, id: string): Spike {
  const spike = spikes.find((one) => one.id === id);
  if (spike !== undefined) return spike;
  const last = spikes.at(-1);
  throw usageError(
    `There is no spike "${id}".`,
    last === undefined
      ? "The recording has none: lower --spike."
      : `There are ${spikes[0]?.id} to ${last.id}, the longest first.`,
  );
}

async function renderPage(view: PageView): Promise<Uint8Array> {
  const [{ renderHtml }, { loadAssets }] = await Promise.all([
    import("../report/html.ts"),
    import("../report/assets.ts"),
  ]);
  return renderHtml(view, loadAssets("report"));
}

async function render(
  format: Exclude<Format, "html">,
  view: ReportView,
  { recording, terminal, toFile, spikeId }: RenderOptions,
): Promise<Uint8Array> {
  switch (format) {
    case "json":
      return renderJson(view);
    case "markdown":
      return (await import("../report/markdown.ts")).renderMarkdown(view);
    case "terminal": {
      const { renderSpike, renderTerminal } = await import("../report/terminal.ts");
      const options = { color: terminal.outColor && !toFile, width: terminal.width(), recording };
      return spikeId === undefined ? renderTerminal(view, options) : renderSpike(spikeOf(view, spikeId), options);
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
  const format = chooseOutput(flags, terminal.outIsTerminal, `gcspike report ${recording} -o report.html`);
  if (flags.spikeId !== undefined && format !== "terminal") {
    throw usageError(`--spike-id explains a spike as text, not as ${format}.`, "The other formats have every spike.");
  }
  const reading = <T>(task: () => Promise<T>): Promise<T> => withSpinner(terminal, "Reading the recording", task);
  const thresholds = { spikeMs: flags.spike, p99Ms: flags.p99, growthBytes: flags.growth };
  let bytes: Uint8Array;
  let view: ReportView | null = null;
  if (format === "json" && flags.charts === undefined) {
    bytes = renderJson({ report: await reading(() => loadReport(recording, thresholds)) });
  } else if (format === "html") {
    const page = await reading(() => loadPageView(recording, thresholds));
    bytes = await renderPage(page);
    view = page;
  } else {
    view = await reading(() => loadView(recording, thresholds));
    const toFile = flags.output !== undefined;
    bytes = await render(format, view, { recording, terminal, toFile, spikeId: flags.spikeId });
  }
  if (flags.charts !== undefined && view !== null) await writeCharts(flags.charts, view, terminal);
  if (flags.output === undefined) {
    terminal.out(bytes);
  } else {
    writeReportFile(flags.output, bytes);
    terminal.err(`Wrote ${flags.output} (${formatBytes(bytes.length)})\n`);
  }
  return ExitCode.ok;
}

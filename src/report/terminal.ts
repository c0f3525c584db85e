import { locationText } from "../analysis/phrases.ts";
import type { Report, Site, Spike } from "../analysis/report-types.ts";
import { shellWord } from "../lib/shell.ts";
import { cutStart, plainText, plural } from "../lib/text.ts";
import { formatMs, formatShare } from "../lib/units.ts";
import { INDENT, Page, type PageOptions } from "./page.ts";
import {
  answerParts,
  circumstances,
  commandText,
  endText,
  kindRows,
  memoryText,
  msOrDash,
  siteName,
  spikesText,
  tagsText,
  utilizationText,
} from "./phrases.ts";
import type { ReportView } from "./view-model.ts";

export interface TerminalOptions extends PageOptions {
  /** Path of the recording as the reader would type it; the name of its folder where left out. */
  readonly recording?: string;
}

const MAX_SPIKES = 10;
const MAX_SITES = 5;
const MAX_SITES_OF_SPIKE = 3;
const MAX_PHASES_OF_SPIKE = 3;
const MAX_ISOLATES = 12;
/** Of a spike's evidence, what its headline does not say already; the rest stands in the JSON and HTML reports. */
const SHOWN_EVIDENCE = new Set(["cpu", "run-queue", "probe", "trigger-stack", "steps.span", "missing"]);

/** The report for a terminal, UTF-8: the answer, the evidence, what is missing, where to read on. */
export function renderTerminal(view: ReportView, options: TerminalOptions): Uint8Array {
  const page = new Page(options);
  const { report } = view;
  page.row(commandText(report.recording.command));
  page.prose(circumstances(report.recording), { style: "dim" });
  page.gap();
  answer(page, report);
  if (report.summary.pauses.count > 0) {
    page.gap();
    kindTable(page, report);
    page.gap();
    timeline(page, view);
  }
  if (report.isolates.length > 1) isolateTable(page, report);
  facts(page, report);
  if (report.isolates.length > 0) spikes(page, view, MAX_SPIKES);
  sites(page, view.sites);
  warnings(page, report);
  fullStory(page, view, options);
  return new TextEncoder().encode(page.text());
}

/** The few lines that `gcspike record` prints when the program has ended, with a newline at their end. */
export function renderSummary(view: ReportView, options: TerminalOptions): string {
  const page = new Page(options);
  const { report } = view;
  const pauses = plural(report.summary.pauses.count, "pause");
  const isolates = plural(report.isolates.length, "isolate");
  page.prose(`${endText(report.recording)} Recorded ${pauses} in ${isolates}: ${recordingName(view, options)}`);
  page.gap();
  answer(page, report);
  if (report.spikes.length > 0) spikes(page, view, 1);
  warnings(page, report);
  fullStory(page, view, options);
  return page.text();
}

/** The parts side by side as far as they fit. */
function answer(page: Page, report: Report): void {
  const lines: string[] = [];
  for (const part of answerParts(report)) {
    const joined = lines.length === 0 ? part : `${lines.at(-1)}    ${part}`;
    if (joined.length + INDENT.length <= page.width) lines.splice(-1, 1, joined);
    else lines.push(part);
  }
  for (const line of lines) page.prose(line, { style: "bold" });
}

function kindTable(page: Page, { summary }: Report): void {
  page.table([
    ["kind", "pauses", "total", "P50", "P90", "P99", "worst"],
    ...kindRows(summary).map(({ name, statistics }) => [
      name,
      statistics.count.toLocaleString("en-US"),
      formatMs(statistics.totalMs),
      ...[statistics.p50Ms, statistics.p90Ms, statistics.p99Ms, statistics.maxMs].map(msOrDash),
    ]),
  ]);
}

function isolateTable(page: Page, { isolates }: Report): void {
  page.gap();
  page.table([
    ["thread", "pauses", "total", "P99", "worst", "GC share"],
    ...isolates
      .slice(0, MAX_ISOLATES)
      .map(({ name, pid, gc }) => [
        `${plainText(name, 30)} (pid ${pid})`,
        gc.pauses.count.toLocaleString("en-US"),
        formatMs(gc.pauses.totalMs),
        msOrDash(gc.pauses.p99Ms),
        msOrDash(gc.pauses.maxMs),
        formatShare(gc.wallShare),
      ]),
  ]);
  if (isolates.length > MAX_ISOLATES) page.row(`and ${isolates.length - MAX_ISOLATES} more`, "dim");
}

/** One character a slice of time: the worst pause of all threads that began in it. */
function timeline(page: Page, { report, isolates, spikeThresholdMs }: ReportView): void {
  const end = formatMs(report.recording.durationMs);
  const slices = page.width - INDENT.length - end.length - 7;
  const sliceMs = report.recording.durationMs / slices;
  const worst = new Float64Array(slices).fill(-1);
  const add = (startMs: number, durationMs: number) => {
    const slice = Math.min(slices - 1, Math.max(0, Math.floor(startMs / sliceMs)));
    worst[slice] = Math.max(worst[slice] ?? -1, durationMs);
  };
  for (const { startMs, durationMs } of isolates.map(({ pauses }) => pauses)) {
    for (let i = 0; i < startMs.length; i++) add(startMs[i] ?? 0, durationMs[i] ?? 0);
  }
  for (const { startMs, durationMs } of report.spikes) add(startMs, durationMs);
  const mark = (ms: number) => (ms < 0 ? " " : ms < spikeThresholdMs / 10 ? "." : ms < spikeThresholdMs ? ":" : "#");
  page.row(`0 s |${Array.from(worst, mark).join("")}| ${end}`);
  const tenth = formatMs(spikeThresholdMs / 10);
  page.prose(`. pauses under ${tenth}   : under ${formatMs(spikeThresholdMs)}   # a spike`, { style: "dim" });
}

function facts(page: Page, { summary }: Report): void {
  const texts = [utilizationText(summary), memoryText(summary)].filter((text) => text !== null);
  if (texts.length > 0) page.gap();
  for (const text of texts) page.prose(text);
}

function spikes(page: Page, view: ReportView, most: number): void {
  const { spikes: all, causes } = view.report;
  page.gap();
  page.prose(spikesText(view), { style: "bold" });
  const told = new Map<string, string>();
  for (const spike of all.slice(0, most)) {
    page.gap();
    describeSpike(page, spike, told);
  }
  const more = causes.reduce((sum, cause) => sum + cause.spikes, 0) - most;
  if (more <= 0) return;
  page.gap();
  page.row(`and ${plural(more, "more spike")}, none of them longer`, "dim");
}

/** `told`: which spike's tables of sites are on the page already. */
function describeSpike(page: Page, spike: Spike, told: Map<string, string>): void {
  const margin = INDENT + " ".repeat(spike.id.length + 2);
  page.prose(`${spike.id}  ${plainText(spike.headline, 400)}`, { hanging: margin, style: "yellow" });
  for (const { signal, text } of spike.evidence) {
    if (SHOWN_EVIDENCE.has(signal)) page.prose(plainText(text, 600), { indent: margin });
  }
  const phases = spike.phases
    .slice(0, MAX_PHASES_OF_SPIKE)
    .map(({ name, ms }) => `${plainText(name, 60)} ${formatMs(ms)}`);
  if (phases.length > 0) page.prose(`V8 spent it in ${phases.join(", ")}.`, { indent: margin });
  const tags = tagsText(spike.tags);
  if (tags !== null) page.prose(tags, { indent: margin });
  const shown = spike.sites.slice(0, MAX_SITES_OF_SPIKE);
  if (shown.length === 0) return;
  const key = shown
    .map(({ share, file, line, function: name }) => [formatShare(share), file, line, name].join())
    .join();
  const same = told.get(key);
  if (same === undefined) {
    told.set(key, spike.id);
    page.prose("Allocated before it, by user code:", { indent: margin });
    siteTable(page, shown, margin);
  } else page.prose(`Allocated before it, by user code: the same as before ${same}.`, { indent: margin });
}

function sites(page: Page, all: readonly Site[]): void {
  if (all.length === 0) return;
  page.gap();
  page.prose("Most bytes were allocated here, over the whole recording:", { style: "bold" });
  siteTable(page, all.slice(0, MAX_SITES), INDENT);
}

function siteTable(page: Page, list: readonly Site[], indent: string): void {
  const names = list.map(siteName);
  const width = Math.max(...names.map((name) => name.length));
  for (const [index, site] of list.entries()) {
    const start = `${formatShare(site.share).padStart(7)}  ${(names[index] ?? "").padEnd(width)}  `;
    const room = Math.max(20, page.width - indent.length - start.length);
    page.row(`${start}${cutStart(locationText(site.file, site.line), room)}`, undefined, indent);
  }
}

function warnings(page: Page, { recording }: Report): void {
  if (recording.complete && recording.warnings.length === 0) return;
  page.gap();
  if (!recording.complete) page.prose("This recording is not complete; everything up to its end is in this report.");
  for (const warning of recording.warnings) page.warning(warning);
}

function fullStory(page: Page, view: ReportView, options: TerminalOptions): void {
  page.gap();
  // Not cut to the terminal's width: this line is there to be copied.
  page.whole(`Full story:  gcspike report ${recordingName(view, options)} --format html -o report.html`);
}

function recordingName({ title }: ReportView, { recording }: TerminalOptions): string {
  return shellWord(plainText(recording ?? title, 4096));
}

import { SECOND_MS } from "../analysis/allocation-rate.ts";
import { formatMoment } from "../analysis/phrases.ts";
import type { CauseSum, Report, Site, Spike, Thresholds } from "../analysis/report-types.ts";
import { shellWord } from "../lib/shell.ts";
import { cutStart, listText, plainText, plural } from "../lib/text.ts";
import { formatBytes, formatMs, formatShare } from "../lib/units.ts";
import { type LaneText, laneTexts, TAG_MEANING, TAG_RATE, tagRateText } from "./lane-phrases.ts";
import { INDENT, Page, type PageOptions } from "./page.ts";
import {
  answerParts,
  causeText,
  circumstances,
  commandText,
  dumpText,
  endText,
  kindRows,
  memoryText,
  msOrDash,
  siteLocation,
  siteName,
  sitesHead,
  spikesText,
  tagsText,
  utilizationText,
} from "./phrases.ts";
import type { IsolateView, ReportView } from "./view-model.ts";

export interface TerminalOptions extends PageOptions {
  /** Path of the recording as the reader would type it; the name of its folder where left out. */
  readonly recording?: string;
}

const MAX_CAUSES = 4;
const MAX_SPIKES = 5;
const MAX_SITES = 5;
const MAX_SITES_OF_CAUSE = 3;
const MAX_ISOLATES = 12;

/** The report for a terminal, UTF-8: the answer, the evidence, what is missing, where to read on. */
export function renderTerminal(view: ReportView, options: TerminalOptions): Uint8Array {
  const page = new Page(options);
  const { report } = view;
  page.row(commandText(report.recording.command));
  page.prose(circumstances(report.recording), { style: "dim" });
  const dump = dumpText(report.recording);
  if (dump !== null) page.prose(dump);
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
  if (report.isolates.length > 0) causes(page, view, MAX_CAUSES);
  worstSpikes(page, view, options);
  secondBySecond(page, view);
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
  if (report.spikes.length > 0) causes(page, view, 1);
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
function timeline(page: Page, { report, isolates }: ReportView): void {
  const { spikeMs } = report.thresholds;
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
  const mark = (ms: number) => (ms < 0 ? " " : ms < spikeMs / 10 ? "." : ms < spikeMs ? ":" : "#");
  page.row(`0 s |${Array.from(worst, mark).join("")}| ${end}`);
  const tenth = formatMs(spikeMs / 10);
  page.prose(`. pauses under ${tenth}   : under ${formatMs(spikeMs)}   # a spike`, { style: "dim" });
}

function facts(page: Page, { summary }: Report): void {
  const texts = [utilizationText(summary), memoryText(summary)].filter((text) => text !== null);
  if (texts.length > 0) page.gap();
  for (const text of texts) page.prose(text);
}

/** What to look at first: each cause with its sites, what happened in its longest spike, and what helps. */
function causes(page: Page, view: ReportView, most: number): void {
  const { causes: all } = view.report;
  page.gap();
  page.prose(spikesText(view), { style: "bold" });
  for (const sum of all.slice(0, most)) {
    page.gap();
    describeCause(page, sum, view.report);
  }
  if (all.length <= most) return;
  const rest = all.slice(most).map(({ cause, spikes, totalMs }) => `${cause} ${formatMs(totalMs)} in ${spikes}`);
  page.gap();
  page.prose(`Also ${rest.join(", ")}.`, { style: "dim" });
}

function describeCause(page: Page, sum: CauseSum, { spikes }: Report): void {
  const margin = `${INDENT}  `;
  page.row(causeText(sum), "yellow");
  const worst = spikes.find(({ id }) => id === sum.worstSpike);
  if (worst !== undefined) {
    const longest = sum.spikes === 1 ? worst.id : `${worst.id}, the longest`;
    page.prose(`${longest}: ${plainText(worst.headline, 400)}`, { indent: margin });
    const tags = tagsText(worst.tags);
    if (tags !== null) page.prose(tags, { indent: margin });
  }
  const shown = sum.sites.slice(0, MAX_SITES_OF_CAUSE);
  if (shown.length > 0) {
    page.prose(sitesHead(shown, sum.externalShare, sum.spikes), { indent: margin });
    siteTable(page, shown, margin);
  }
  adviceLines(page, sum.advice, margin);
}

function adviceLines(page: Page, advice: Spike["advice"], indent: string): void {
  for (const [index, { text, flag }] of advice.entries()) {
    const start = index === 0 ? "Try  " : "or   ";
    const said = flag === undefined ? text : `${plainText(flag, 80)}  ${text}`;
    page.prose(`${start}${plainText(said, 600)}`, { indent, hanging: `${indent}     ` });
  }
}

/** The longest spikes, a line each. */
function worstSpikes(page: Page, view: ReportView, options: TerminalOptions): void {
  const { spikes, causes: all } = view.report;
  if (spikes.length === 0) return;
  page.gap();
  page.prose(spikes.length === 1 ? "The spike:" : "The longest spikes:", { style: "bold" });
  page.table([
    ["", "at", "length", "kind", "cause", "sure"],
    ...spikes
      .slice(0, MAX_SPIKES)
      .map(({ id, startMs, durationMs, kind, cause, confidence }) => [
        id,
        formatMoment(startMs),
        formatMs(durationMs),
        kind,
        cause,
        cause === "unknown" ? "-" : confidence.toFixed(2),
      ]),
  ]);
  const count = all.reduce((sum, cause) => sum + cause.spikes, 0);
  if (count > MAX_SPIKES) page.row(`and ${plural(count - MAX_SPIKES, "more spike")}, none of them longer`, "dim");
  page.whole(`One of them whole:  gcspike report ${recordingName(view, options)} --spike-id ${spikes[0]?.id ?? "s1"}`);
}

interface Lane extends LaneText {
  /** A value a second, and 1 for those that are marked. */
  readonly values: Float64Array;
  readonly marks: Uint8Array | null;
  readonly show: (value: number) => string;
  /** Of what is not marked. */
  readonly usual?: string;
}

/** The lanes of which anything is known. */
function lanesOf({ seconds, tagLanes }: IsolateView, thresholds: Thresholds): readonly Lane[] {
  const { allocation, growth, p99 } = laneTexts(thresholds);
  const perSecond = (bytes: number) => `${formatBytes(bytes)}/s`;
  const all: readonly Lane[] = [
    { ...allocation, values: seconds.allocation, marks: seconds.isBurst, show: perSecond },
    { ...growth, values: seconds.growth, marks: seconds.isGrowing, show: perSecond },
    { ...p99, values: seconds.p99Ms, marks: seconds.isSlow, show: formatMs },
    ...tagLanes.map(({ name, rate, usual }) => ({
      title: `${plainText(name, 60) || "(unnamed)"}, ${TAG_RATE}`,
      marked: null,
      meaning: TAG_MEANING,
      values: rate,
      marks: null,
      show: tagRateText,
      usual: `mean of the whole run ${tagRateText(usual)}`,
    })),
  ];
  return all.filter(({ values }) => values.some((value) => !Number.isNaN(value)));
}

/** What led to the longest spike's thread's pauses: each lane with its highest second, and with what its marks mean. */
function secondBySecond(page: Page, { report, isolates }: ReportView): void {
  const isolate = isolates.find(({ id }) => id === report.spikes[0]?.isolate) ?? isolates[0];
  if (isolate === undefined) return;
  const lanes = lanesOf(isolate, report.thresholds);
  if (lanes.length === 0) return;
  page.gap();
  const whose = isolates.length > 1 ? ` of ${plainText(isolate.name, 30)}` : "";
  if (lanes.every(({ marks }) => marks !== null && !marks.includes(1))) {
    const thresholds = lanes.map(({ marked }) => marked).join("; ");
    page.prose(`Second by second${whose} nothing is over its threshold (${thresholds}).`, { style: "dim" });
    return;
  }
  page.prose(`Second by second${whose}:`, { style: "bold" });
  for (const [i, lane] of lanes.entries()) {
    page.prose(highestText(lane, isolate.seconds.fromMs));
    const { marked, meaning } = lane;
    // Several tags have one meaning.
    if (lanes[i + 1]?.meaning === meaning) continue;
    page.prose(marked === null ? meaning : `Marked: ${marked}. ${meaning}`, { indent: `${INDENT}  `, style: "dim" });
  }
}

/** "Allocation rate: at most 180 MiB/s, at 18.0 s; 3 s of 72 marked." */
function highestText({ title, values, marks, show, usual }: Lane, fromMs: number): string {
  let highest = -1;
  for (const [second, value] of values.entries()) {
    if (value > (values[highest] ?? Number.NEGATIVE_INFINITY)) highest = second;
  }
  const most = `at most ${show(values[highest] ?? 0)}, at ${formatMoment(fromMs + highest * SECOND_MS)}`;
  const seconds = marks?.reduce((sum, mark) => sum + mark, 0);
  const rest = seconds === undefined ? usual : `${seconds} s of ${values.length} marked`;
  return `${title}: ${most}; ${rest}.`;
}

/** One spike with everything that is known about it. */
export function renderSpike(spike: Spike, options: PageOptions): Uint8Array {
  const page = new Page(options);
  const { id, cause, confidence, contributing } = spike;
  page.prose(`${id}  ${plainText(spike.headline, 400)}`, {
    hanging: `${INDENT}${" ".repeat(id.length + 2)}`,
    style: "bold",
  });
  page.gap();
  page.prose(
    cause === "unknown"
      ? "Its cause is unknown: the signals do not decide."
      : `Cause: ${cause}, confidence ${confidence.toFixed(2)}${contributing.length === 0 ? "" : `; ${listText(contributing)} contributed`}.`,
  );
  for (const { text } of spike.evidence) page.prose(`- ${plainText(text, 600)}`, { hanging: `${INDENT}  ` });
  const tags = tagsText(spike.tags);
  if (tags !== null) page.prose(`- ${tags}`, { hanging: `${INDENT}  ` });
  if (spike.phases.length > 0) {
    page.gap();
    page.table([["V8's phase", "itself"], ...spike.phases.map(({ name, ms }) => [plainText(name, 60), formatMs(ms)])]);
  }
  if (spike.sites.length > 0) {
    page.gap();
    page.prose(sitesHead(spike.sites, spike.external?.share ?? null, 1));
    siteTable(page, spike.sites, INDENT);
  }
  if (spike.advice.length > 0) page.gap();
  adviceLines(page, spike.advice, INDENT);
  return new TextEncoder().encode(page.text());
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
    page.row(`${start}${cutStart(siteLocation(site), room)}`, undefined, indent);
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

/**
 * The report as one HTML file that needs no network: style, script and data stand in it, and its content security policy
 * lets nothing else in. Whatever came from the recording travels as data and is only ever shown as text.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Spike } from "../analysis/report-types.ts";
import { extremesPerColumn, largestIndexPerColumn, type Range } from "./charts/decimate.ts";
import { type AllocationData, type IsolateData, pack, type ReportData } from "./client/wire.ts";
import type { AllocationView, IsolateView, ReportView, Series } from "./view-model.ts";

export interface HtmlAssets {
  readonly script: string;
  readonly style: string;
}

/** Longer texts are cut: a function's name can be as long as the program likes. */
const MAX_TEXT = 600;
const MAX_ARGUMENTS = 200;
/** The page shows 50 and then more on request; beyond this many the JSON report is the better reader. */
const MAX_SPIKES = 1000;
/** V8 samples at most 64 frames; a forged recording could nest deeper than the page can draw. */
const MAX_STACK = 256;
/** Pictures are at most a few thousand pixels wide; pauses are never thinned, curves beyond this are, to their extremes. */
const MAX_POINTS = 40_000;

const LINE_BREAKS = /[\t\n\v\f\r\u2028\u2029]/g;
/** Control characters, marks and overrides of the writing direction, and halves of surrogate pairs. */
const INVISIBLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text that cannot rearrange or flood the page around it: one line, bounded, nothing invisible. */
function boundedText(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
  return cut.replace(LINE_BREAKS, " ").replace(INVISIBLE, "\ufffd");
}

/** JSON inside a script element ends at the first `</script`, so no `<` may stand in it. */
function inertJson(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function escapeHtml(text: string): string {
  return text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function thinSeries(series: Series, range: Range): Series {
  if (series.timeMs.length <= MAX_POINTS) return series;
  const points = extremesPerColumn(series.timeMs, series.value, range, MAX_POINTS / 2);
  return { timeMs: Float64Array.from(points, (p) => p.x), value: Float64Array.from(points, (p) => p.y) };
}

function pick(values: Float64Array, indices: readonly number[]): Float64Array {
  return Float64Array.from(indices, (i) => values[i] ?? Number.NaN);
}

/** All layers keep the same moments, those at which the heap was largest. */
function thinSpaces(isolate: IsolateView, range: Range): Pick<IsolateView, "spaces" | "spacesTimeMs"> {
  const { spacesTimeMs, spaces } = isolate;
  if (spacesTimeMs.length <= MAX_POINTS) return { spacesTimeMs, spaces };
  const totals = spacesTimeMs.map((_, i) => spaces.reduce((sum, { usedBytes }) => sum + (usedBytes[i] ?? 0), 0));
  const kept = largestIndexPerColumn(spacesTimeMs, totals, range, MAX_POINTS);
  return {
    spacesTimeMs: pick(spacesTimeMs, kept),
    spaces: spaces.map(({ name, usedBytes }) => ({ name, usedBytes: pick(usedBytes, kept) })),
  };
}

/** Where each list ends once they all stand one behind the other. */
function ends(lengths: readonly number[]): Int32Array {
  let end = 0;
  return Int32Array.from(lengths, (length) => {
    end += length;
    return end;
  });
}

function allocationData({ frames, stacks: allStacks, windows }: AllocationView): AllocationData {
  const stacks = allStacks.map((stack) => stack.slice(0, MAX_STACK));
  const entries = windows.flatMap((window) => window.stacks);
  return {
    frames,
    stackEnds: ends(stacks.map((stack) => stack.length)),
    stackFrames: Int32Array.from(stacks.flat()),
    windows: windows.map(({ startMs, endMs, bytes }) => ({ startMs, endMs, bytes })),
    entryEnds: ends(windows.map((window) => window.stacks.length)),
    entryStacks: Int32Array.from(entries, (entry) => entry.stack),
    entryBytes: Float64Array.from(entries, (entry) => entry.bytes),
  };
}

function isolateData(isolate: IsolateView, range: Range): IsolateData {
  return {
    ...isolate,
    ...thinSpaces(isolate, range),
    heapUsed: thinSeries(isolate.heapUsed, range),
    external: thinSeries(isolate.external, range),
    loopDelayMs: thinSeries(isolate.loopDelayMs, range),
    loopUtilization: thinSeries(isolate.loopUtilization, range),
    allocations: isolate.allocations === null ? null : allocationData(isolate.allocations),
  };
}

function reportData(view: ReportView): ReportData {
  const range = { from: 0, to: view.report.recording.durationMs };
  const worstFirst = (a: Spike, b: Spike): number => b.durationMs - a.durationMs;
  const recording = { ...view.report.recording, command: view.report.recording.command.slice(0, MAX_ARGUMENTS) };
  return {
    ...view,
    report: { ...view.report, recording, spikes: [] },
    isolates: view.isolates.map((isolate) => isolateData(isolate, range)),
    rss: view.rss.map(({ pid, series }) => ({ pid, series: thinSeries(series, range) })),
    spikes: view.report.spikes.toSorted(worstFirst).slice(0, MAX_SPIKES),
    spikeCount: view.report.causes.reduce((sum, { spikes }) => sum + spikes, 0),
  };
}

function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/**
 * Renders the report as a self-contained HTML page, UTF-8. A million pauses make about 10 MB.
 * `assets` come from loadAssets; the page runs no other script and takes no other style.
 */
export function renderHtml(view: ReportView, assets: HtmlAssets): Uint8Array {
  const { json, blob } = pack(reportData(view), boundedText);
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(assets.script)}`,
    `style-src ${hashSource(assets.style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return new TextEncoder().encode(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(boundedText(view.title))} - gcspike</title>
<link rel="icon" href="data:,">
<style>${assets.style}</style>
<script>${assets.script}</script>
</head>
<body>
<noscript>This report draws itself with JavaScript, which is off here. The same figures without it: gcspike report --format markdown</noscript>
<script type="application/json" id="report-data">${inertJson(json)}</script>
<script type="text/plain" id="report-columns">${gzipSync(blob).toString("base64")}</script>
</body>
</html>
`);
}

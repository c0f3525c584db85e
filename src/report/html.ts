/** The report as one HTML file. */
import { MAX_DEPTH } from "../analysis/flame-tree.ts";
import type { Spike } from "../analysis/report-types.ts";
import { MOST_FLAMED, type SpikeFlames } from "../analysis/spike-flames.ts";
import { largestIndexPerColumn, type Range, thinSeries } from "./charts/decimate.ts";
import { flattenTree } from "./client/flame-columns.ts";
import { type AllocationData, type IsolateData, pack, type ReportData, type SpikeFlamesData } from "./client/wire.ts";
import { boundedText, type HtmlAssets, htmlPage } from "./html-page.ts";
import type { AllocationView, IsolateView, PageView } from "./view-model.ts";

const MAX_ARGUMENTS = 200;
/** The page shows 50 and then more on request; beyond this many the JSON report is the better reader. */
const MAX_SPIKES = 1000;
/** Pictures are at most a few thousand pixels wide; pauses are never thinned, curves beyond this are, to their extremes. */
const MAX_POINTS = 40_000;

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
  const stacks = allStacks.map((stack) => stack.slice(0, MAX_DEPTH));
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
    heapUsed: thinSeries(isolate.heapUsed, range, MAX_POINTS),
    external: thinSeries(isolate.external, range, MAX_POINTS),
    loopDelayMs: thinSeries(isolate.loopDelayMs, range, MAX_POINTS),
    loopUtilization: thinSeries(isolate.loopUtilization, range, MAX_POINTS),
    allocations: isolate.allocations === null ? null : allocationData(isolate.allocations),
  };
}

function flamesData({ spike, flames }: SpikeFlames): SpikeFlamesData {
  return { spike, flames: flames.map(({ selection, tree }) => ({ selection, calls: flattenTree(tree) })) };
}

function reportData(view: PageView): ReportData {
  const range = { from: 0, to: view.report.recording.durationMs };
  const worstFirst = (a: Spike, b: Spike): number => b.durationMs - a.durationMs;
  const recording = { ...view.report.recording, command: view.report.recording.command.slice(0, MAX_ARGUMENTS) };
  return {
    ...view,
    report: { ...view.report, recording, spikes: [] },
    isolates: view.isolates.map((isolate) => isolateData(isolate, range)),
    rss: view.rss.map(({ pid, series }) => ({ pid, series: thinSeries(series, range, MAX_POINTS) })),
    spikes: view.report.spikes.toSorted(worstFirst).slice(0, MAX_SPIKES),
    spikeCount: view.report.causes.reduce((sum, { spikes }) => sum + spikes, 0),
    flames: view.flames.map(flamesData),
    mostFlamed: MOST_FLAMED,
  };
}

/** Renders the report as a self-contained HTML page, UTF-8. A million pauses make about 10 MB. `assets` come from loadAssets. */
export function renderHtml(view: PageView, assets: HtmlAssets): Uint8Array {
  return htmlPage({
    title: view.title,
    withoutScript:
      "This report draws itself with JavaScript, which is off here. The same figures without it: gcspike report --format markdown",
    data: pack(reportData(view), boundedText),
    assets,
  });
}

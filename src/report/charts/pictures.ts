/** The eight pictures of an isolate, as drawings: pure functions from the view to what chart.js needs. */
import type { ChartDataset, Plugin } from "chart.js";
import type { GcSummary } from "../../analysis/report-types.ts";
import { formatBytes, formatMs, formatNumber, formatShare } from "../../lib/units.ts";
import { PAUSE_KINDS } from "../../recording/model.ts";
import type { IsolateView, ReportView } from "../view-model.ts";
import {
  extremesPerColumn,
  largestIndexPerColumn,
  largestPerColumn,
  type Point,
  type Range,
  sumRuns,
} from "./decimate.ts";
import { flame } from "./flame.ts";
import {
  axisTitle,
  COLUMNS,
  type Drawing,
  HEAP_COLOUR,
  INK,
  INSIDE_COLOUR,
  KIND_COLOURS,
  LAYER_COLOURS,
  LOOP_COLOUR,
  MMU_COLOUR,
  OUTSIDE_COLOUR,
  plainText,
  THRESHOLD_COLOUR,
  UTILIZATION_COLOUR,
} from "./style.ts";

type Dataset = ChartDataset<"bar" | "line">;

/** What a picture is drawn from. */
export interface Scene {
  readonly view: ReportView;
  readonly isolate: IsolateView;
  /** Program and isolate, for the titles. */
  readonly name: string;
  readonly gc: GcSummary | undefined;
  readonly range: Range;
  readonly time: { readonly unit: string; readonly ms: number };
}

const MIB = 1024 ** 2;
const NO_PAUSE = "No garbage collection paused this isolate while it was recorded.";

/** The unit that keeps the numbers of a time axis short. */
function timeUnit(durationMs: number): Scene["time"] {
  if (durationMs < 2000) return { unit: "ms", ms: 1 };
  if (durationMs < 600_000) return { unit: "s", ms: 1000 };
  return { unit: "min", ms: 60_000 };
}

function lastFinite(values: Float64Array): number {
  const last = values.findLast((value) => Number.isFinite(value));
  return last ?? 0;
}

/** The scene of one isolate: its time runs from the recording's start to the last thing known. */
export function sceneOf(view: ReportView, isolate: IsolateView): Scene {
  const { startMs, durationMs } = isolate.pauses;
  const duration = view.report.recording.durationMs;
  const to = Math.max(Number.isFinite(duration) ? duration : 0, lastFinite(startMs) + lastFinite(durationMs), 1);
  const program = plainText(view.report.recording.command.join(" ")) || plainText(view.title);
  return {
    view,
    isolate,
    name: view.isolates.length > 1 ? `${program}, ${plainText(isolate.name, 32)}` : program,
    gc: view.report.isolates.find((entry) => entry.id === isolate.id)?.gc,
    range: { from: 0, to },
    time: timeUnit(to),
  };
}

function timeAxis(scene: Scene): Record<string, unknown> {
  return {
    type: "linear",
    min: 0,
    max: scene.range.to / scene.time.ms,
    // Bars ask for room beside the axis; time has none before its start.
    offset: false,
    title: axisTitle(`time since the recording started, ${scene.time.unit}`),
    ticks: { maxTicksLimit: 13, includeBounds: false },
  };
}

function inTime(points: readonly Point[], scene: Scene, yDivisor = 1): Point[] {
  return points.map(({ x, y }) => ({ x: x / scene.time.ms, y: y / yDivisor }));
}

function line(label: string, data: readonly Point[], colour: string, more: Partial<Dataset> = {}): Dataset {
  return {
    type: "line",
    label,
    data: [...data],
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 2,
    // A single point has no line to show it.
    pointRadius: data.length === 1 ? 3 : 0,
    pointStyle: "line",
    parsing: false,
    ...more,
  } as Dataset;
}

function pausesInWords(scene: Scene): string {
  const pauses = scene.gc?.pauses;
  if (pauses === undefined || pauses.p99Ms === null || pauses.maxMs === null) return "";
  const count = pauses.count.toLocaleString("en-US");
  return `${count} pauses, ${formatMs(pauses.totalMs)} in all, P99 ${formatMs(pauses.p99Ms)}, worst ${formatMs(pauses.maxMs)}`;
}

/** Pauses as bars of their duration, the used heap behind them. */
function timeline(scene: Scene): Drawing {
  const { pauses, heapUsed } = scene.isolate;
  const perKind = largestPerColumn(
    pauses.startMs,
    pauses.durationMs,
    pauses.kind,
    PAUSE_KINDS.length,
    scene.range,
    COLUMNS,
  );
  const bars = PAUSE_KINDS.map(
    (kind, i) =>
      ({
        type: "bar",
        label: kind,
        data: inTime(perKind[i] ?? [], scene),
        backgroundColor: KIND_COLOURS[kind],
        barThickness: 2,
        minBarLength: 2,
        grouped: false,
        parsing: false,
        yAxisID: "left",
        // Shorter bars stand in front of longer ones.
        order: 1 + meanHeight(perKind[i] ?? []),
        pointStyle: "rect",
      }) as Dataset,
  ).filter((dataset) => dataset.data.length > 0);
  const heap = inTime(extremesPerColumn(heapUsed.timeMs, heapUsed.value, scene.range, COLUMNS), scene, MIB);
  const heapLine = line("heap used", heap, HEAP_COLOUR, {
    yAxisID: "right",
    order: Number.MAX_SAFE_INTEGER,
    borderWidth: 1,
    fill: "origin",
    backgroundColor: `${HEAP_COLOUR}24`,
  } as Partial<Dataset>);
  const threshold = thresholdLine(scene);
  return {
    title: `GC pauses: ${scene.name}`,
    subtitle: pausesInWords(scene),
    datasets: [...bars, ...threshold, ...(heap.length > 0 ? [heapLine] : [])],
    scales: {
      x: timeAxis(scene),
      left: { type: "linear", position: "left", min: 0, title: axisTitle("pause, ms") },
      right: {
        type: "linear",
        position: "right",
        min: 0,
        display: heap.length > 0,
        title: axisTitle("heap used, MiB"),
      },
    },
    empty: bars.length === 0 ? NO_PAUSE : null,
  };
}

function meanHeight(points: readonly Point[]): number {
  return points.reduce((sum, { y }) => sum + y, 0) / Math.max(1, points.length);
}

/** The spike threshold, where pauses come near enough for it to mean something. */
function thresholdLine(scene: Scene): readonly Dataset[] {
  const threshold = scene.view.report.thresholds.spikeMs;
  if (!((scene.gc?.pauses.maxMs ?? 0) >= threshold / 2)) return [];
  const points = inTime(
    [scene.range.from, scene.range.to].map((x) => ({ x, y: threshold })),
    scene,
  );
  const style = { borderDash: [6, 5], borderWidth: 1.5, yAxisID: "left", order: 0 } as Partial<Dataset>;
  return [line(`spike threshold ${formatMs(threshold)}`, points, THRESHOLD_COLOUR, style)];
}

/** "99.9 %" of 1,000: one over the share of pauses that are longer. */
function quantileLabel(inverse: number): string {
  return `${Number(((1 - 1 / inverse) * 100).toPrecision(8))} %`;
}

/** Pause duration over quantiles, each further nine as wide as the one before. */
function percentiles(scene: Scene): Drawing {
  const count = Math.max(1, scene.gc?.pauses.count ?? 1);
  const points = scene.isolate.percentiles
    .filter(({ q, ms }) => Number.isFinite(ms) && ms > 0 && q >= 0 && q <= 1)
    // The largest pause has no longer one beside it: it stands where one of twice as many would be longer.
    .map(({ q, ms }) => ({ x: Math.min(1 / (1 - q), 2 * count), y: ms }));
  const right = Math.max(10, ...points.map((point) => point.x));
  // The last part of the axis belongs to the word at its end.
  const marks = [1, 2, 4, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].filter((value) => value <= right ** 0.93);
  return {
    title: `Pause duration by percentile: ${scene.name}`,
    subtitle: pausesInWords(scene),
    datasets: [line("pauses no longer than", points, KIND_COLOURS["mark-compact"])],
    scales: {
      x: {
        type: "logarithmic",
        min: 1,
        max: right,
        title: axisTitle("share of pauses"),
        afterBuildTicks: (axis: { ticks: { value: number }[] }) => {
          axis.ticks = [...marks, right].map((value) => ({ value }));
        },
        ticks: {
          callback: (value: number | string) => (value === right ? "worst" : quantileLabel(Number(value))),
          autoSkip: false,
        },
      },
      y: { type: "linear", min: 0, title: axisTitle("pause, ms") },
    },
    empty: points.length === 0 ? NO_PAUSE : null,
  };
}

/** The number above each bar: tall bars beside it make a bar of three pauses invisible, and those three matter most. */
function countsAboveBars(totals: readonly number[], family: string): Plugin<"bar" | "line"> {
  return {
    id: "counts",
    afterDatasetsDraw(chart) {
      const x = chart.scales.x;
      const y = chart.scales.y;
      if (x === undefined || y === undefined || totals.length > 60) return;
      chart.ctx.save();
      chart.ctx.font = `12px "${family}"`;
      chart.ctx.fillStyle = INK;
      chart.ctx.textAlign = "center";
      for (const [i, total] of totals.entries()) {
        if (total > 0) chart.ctx.fillText(compactCount(total), x.getPixelForValue(i), y.getPixelForValue(total) - 5);
      }
      chart.ctx.restore();
    },
  };
}

function compactCount(count: number): string {
  if (count < 10_000) return String(count);
  return count < 1e6 ? `${formatNumber(count / 1000)}k` : `${formatNumber(count / 1e6)}M`;
}

/** How many pauses took how long, in the view's logarithmic buckets. */
function histogram(scene: Scene): Drawing {
  const count = (bucket: IsolateView["histogram"][number]): number => bucket.countByKind.reduce((sum, n) => sum + n, 0);
  const all = scene.isolate.histogram;
  const isUsed = (bucket: IsolateView["histogram"][number]): boolean => count(bucket) > 0;
  const buckets = all.slice(Math.max(0, all.findIndex(isUsed)), all.findLastIndex(isUsed) + 1);
  const totals = buckets.map(count);
  const datasets = PAUSE_KINDS.map(
    (kind, i) =>
      ({
        type: "bar",
        label: kind,
        data: buckets.map((bucket) => bucket.countByKind[i] ?? 0),
        backgroundColor: KIND_COLOURS[kind],
        categoryPercentage: 1,
        barPercentage: 0.92,
        stack: "all",
        pointStyle: "rect",
      }) as Dataset,
  ).filter((dataset) => dataset.data.some((value) => Number(value) > 0));
  return {
    title: `Pause durations: ${scene.name}`,
    subtitle: pausesInWords(scene),
    labels: buckets.map((bucket) => formatMs(bucket.fromMs)),
    datasets,
    scales: {
      x: { type: "category", stacked: true, title: axisTitle("pause, from"), ticks: { autoSkip: true } },
      y: { type: "linear", stacked: true, min: 0, grace: "6%", title: axisTitle("pauses"), ticks: { precision: 0 } },
    },
    empty: datasets.length === 0 ? NO_PAUSE : null,
    plugins: [countsAboveBars(totals, "gcspike sans")],
  };
}

/** The worst share of any window that was left to the program. */
function mmu(scene: Scene): Drawing {
  const points = scene.isolate.mmu
    .filter(({ windowMs, utilization }) => windowMs > 0 && Number.isFinite(utilization))
    .map(({ windowMs, utilization }) => ({ x: windowMs, y: utilization * 100 }));
  const marks = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7];
  return {
    title: `Minimum mutator utilisation: ${scene.name}`,
    subtitle: "In the worst window of this length, the program had at least this share of the time.",
    datasets: [
      line("left to the program", points, MMU_COLOUR, {
        fill: "origin",
        backgroundColor: `${MMU_COLOUR}24`,
      } as Partial<Dataset>),
    ],
    scales: {
      x: {
        type: "logarithmic",
        title: axisTitle("length of the window"),
        afterBuildTicks: (axis: { ticks: { value: number }[]; min: number; max: number }) => {
          axis.ticks = marks.filter((value) => value >= axis.min && value <= axis.max).map((value) => ({ value }));
        },
        ticks: { callback: (value: number | string) => formatMs(Number(value)), autoSkip: false },
      },
      y: { type: "linear", min: 0, max: 100, title: axisTitle("time left to the program, %") },
    },
    empty: points.length === 0 ? "The recording is too short for this picture." : null,
  };
}

/** "old_space" as people say it. */
function spaceLabel(name: string): string {
  return plainText(name.replace(/_space$/, "").replaceAll("_", " "), 32);
}

/** Used bytes of each heap space, stacked; the sum at a moment is the used heap. */
function heapSpaces(scene: Scene): Drawing {
  const { spaces, spacesTimeMs } = scene.isolate;
  const total = spacesTimeMs.map((_, i) => spaces.reduce((sum, space) => sum + (space.usedBytes[i] ?? 0), 0));
  const moments = largestIndexPerColumn(spacesTimeMs, total, scene.range, COLUMNS);
  const layers = spaces
    .map((space) => ({ space, peak: Math.max(0, ...moments.map((i) => space.usedBytes[i] ?? 0)) }))
    .filter(({ peak }) => peak > 0)
    .sort((a, b) => b.peak - a.peak);
  const datasets = layers.map(({ space, peak }, i) => {
    const colour = LAYER_COLOURS[Math.min(i, LAYER_COLOURS.length - 1)] ?? INK;
    const points = moments.map((m) => ({ x: spacesTimeMs[m] ?? 0, y: space.usedBytes[m] ?? 0 }));
    const style = {
      pointStyle: "rect",
      fill: i === 0 ? "origin" : "-1",
      backgroundColor: `${colour}b0`,
      borderWidth: 1,
    } as Partial<Dataset>;
    return line(`${spaceLabel(space.name)} (peak ${formatBytes(peak)})`, inTime(points, scene, MIB), colour, style);
  });
  const limit = scene.isolate.heapLimitBytes;
  return {
    title: `Heap by space: ${scene.name}`,
    subtitle: limit === null ? "" : `The heap may grow to ${formatBytes(limit)}.`,
    datasets,
    scales: { x: timeAxis(scene), y: { type: "linear", stacked: true, min: 0, title: axisTitle("used, MiB") } },
    empty: datasets.length === 0 ? "No heap sizes were recorded." : null,
  };
}

/** The main thread's GC work, inside and outside pauses, as a share of the time. */
function gcWork(scene: Scene): Drawing {
  const { bucketMs, insideMs, outsideMs } = scene.isolate.gcWork;
  const inside = sumRuns(insideMs, COLUMNS / 3);
  const outside = outsideMs === null ? null : sumRuns(outsideMs, COLUMNS / 3);
  const step = bucketMs * inside.length;
  const bars = (label: string, sums: readonly number[], colour: string): Dataset =>
    ({
      type: "bar",
      label,
      data: sums.map((ms, i) => ({ x: ((i + 0.5) * step) / scene.time.ms, y: (ms / step) * 100 })),
      backgroundColor: colour,
      barThickness: Math.max(2, Math.floor((1080 * step) / scene.range.to) - 1),
      parsing: false,
      stack: "all",
      pointStyle: "rect",
    }) as Dataset;
  const peak = Math.max(0, ...inside.sums.map((ms, i) => ((ms + (outside?.sums[i] ?? 0)) / step) * 100));
  const total = (values: readonly number[]): number => values.reduce((sum, ms) => sum + ms, 0);
  const observedMs = scene.gc?.observedMs ?? scene.range.to;
  const words = `${formatMs(total(inside.sums))} inside pauses (${formatShare(total(inside.sums) / observedMs)} of the thread's time)`;
  return {
    title: `GC work on the thread: ${scene.name}`,
    subtitle:
      outside === null
        ? `${words}; work outside pauses was not recorded`
        : `${words}, ${formatMs(total(outside.sums))} outside them, in marking and sweeping steps`,
    datasets: [
      bars("inside pauses", inside.sums, INSIDE_COLOUR),
      ...(outside === null ? [] : [bars("outside pauses", outside.sums, OUTSIDE_COLOUR)]),
    ],
    scales: {
      x: { ...timeAxis(scene), stacked: true },
      y: {
        type: "linear",
        stacked: true,
        min: 0,
        ...(peak > 70 ? { max: 100 } : {}),
        title: axisTitle(`share of each ${formatMs(step)}, %`),
      },
    },
    empty: total(inside.sums) + total(outside?.sums ?? []) > 0 ? null : NO_PAUSE,
  };
}

/** How long the event loop was not there for events, and how busy it was. */
function loopDelay(scene: Scene): Drawing {
  const { loopDelayMs, loopUtilization } = scene.isolate;
  const delay = inTime(extremesPerColumn(loopDelayMs.timeMs, loopDelayMs.value, scene.range, COLUMNS), scene);
  const busy = inTime(
    extremesPerColumn(loopUtilization.timeMs, loopUtilization.value, scene.range, COLUMNS),
    scene,
    0.01,
  );
  const worst = delay.reduce((most, point) => Math.max(most, point.y), 0);
  const delayStyle = { yAxisID: "left", order: 1 } as Partial<Dataset>;
  const busyStyle = { yAxisID: "right", order: 2, borderWidth: 1.5 } as Partial<Dataset>;
  return {
    title: `Event loop: ${scene.name}`,
    subtitle: delay.length === 0 ? "" : `An event waited up to ${formatMs(worst)} for the loop.`,
    datasets: [
      ...(delay.length > 0 ? [line("longest delay", delay, LOOP_COLOUR, delayStyle)] : []),
      ...(busy.length > 0 ? [line("utilisation", busy, UTILIZATION_COLOUR, busyStyle)] : []),
    ],
    scales: {
      x: timeAxis(scene),
      left: { type: "linear", position: "left", min: 0, title: axisTitle("delay, ms") },
      right: { type: "linear", position: "right", min: 0, max: 100, title: axisTitle("utilisation, %") },
    },
    empty: delay.length + busy.length === 0 ? "No event-loop samples were recorded." : null,
  };
}

/** Every picture, by the name of its file. */
export const PICTURES: Readonly<Record<string, (scene: Scene) => Drawing>> = {
  timeline,
  percentiles,
  histogram,
  mmu,
  "heap-spaces": heapSpaces,
  "gc-work": gcWork,
  "loop-delay": loopDelay,
  allocations: ({ name, isolate }) => flame(name, isolate.allocations),
};

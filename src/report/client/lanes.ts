/**
 * What led to a spike, second by second: thin lanes above the pauses, on their time axis. Seconds over a threshold stand out in every
 * lane the same way, so that a burst, growth and a spike that come together are seen to.
 */
import type uPlot from "uplot";
import { SECOND_MS } from "../../analysis/allocation-rate.ts";
import type { Spike } from "../../analysis/report-types.ts";
import { type LaneText, laneTexts, TAG_MEANING, TAG_RATE, tagRateText } from "../lane-phrases.ts";
import { h } from "./dom.ts";
import { bytes, count, moment, ms, plural } from "./format.ts";
import { type LegendItem, swatch } from "./plot.ts";
import { largest } from "./series.ts";
import { drawSpikeBand } from "./spike-band.ts";
import type { Store } from "./store.ts";
import { color } from "./theme.ts";
import type { TimeAxis, TimePlotSpec } from "./time-axis.ts";
import type { Range } from "./time-view.ts";
import type { Tip } from "./tooltip.ts";
import type { IsolateData } from "./wire.ts";

const HEIGHT = 38;
const PADDING_TOP = 10;
/** Of a second that stands out, at the upper edge: so that it is seen without colour too, and where its bar is short. */
const CAP_HEIGHT = 3;
/** More spikes in view than this are no marks any more, but a hatching. */
const MOST_SPIKE_MARKS = 100;
/** CSS pixels: marks that are closer become one, so that they stay lines. */
const MARKS_APART = 3;
const WIDTH_BEFORE_LAYOUT = 800;

interface Lane extends LaneText {
  /** A value a second; NaN: not known. */
  readonly values: Float64Array;
  readonly show: (value: number) => string;
  /** Labels of the scale, with less room. */
  readonly scale: (value: number) => string;
  /** Drawn dashed. */
  readonly line?: { readonly label: string; readonly at: (second: number) => number };
  /** What else the tooltip says of a second. */
  readonly also?: { readonly label: string; readonly at: (second: number) => number };
  /** 1 for the seconds that are marked. */
  readonly marks?: Uint8Array;
  readonly label?: string;
}

/** Seconds that are drawn as one bar, with the largest of their values. */
interface Bar {
  readonly from: number;
  readonly to: number;
  readonly value: number;
  readonly isMarked: boolean;
}

type Grid = Pick<IsolateData["seconds"], "fromMs" | "toMs">;

function beginOf({ fromMs }: Grid, second: number): number {
  return fromMs + second * SECOND_MS;
}

/** The seconds in view, put together where there are more than pixels. A power of two, so that bars do not shift while the view moves. */
function barsInView({ values, marks }: Lane, { fromMs }: Grid, { min, max }: Range, plot: uPlot): readonly Bar[] {
  const first = Math.max(0, Math.floor((min - fromMs) / SECOND_MS));
  const end = Math.min(values.length, Math.ceil((max - fromMs) / SECOND_MS));
  const width = plot.bbox.width || WIDTH_BEFORE_LAYOUT;
  const size = 2 ** Math.max(0, Math.ceil(Math.log2((end - first) / width)));
  const bars: Bar[] = [];
  for (let from = first - (first % size); from < end; from += size) {
    const to = Math.min(from + size, values.length);
    const isMarked = marks?.subarray(from, to).includes(1) ?? false;
    bars.push({ from, to, value: largest(values.subarray(from, to)), isMarked });
  }
  return bars;
}

/** The largest value in view, or the line above it; a line far above would press the bars flat. */
function topOf(lane: Lane, bars: readonly Bar[]): number {
  const most = Math.max(0, ...bars.map(({ value }) => value).filter(Number.isFinite));
  const line = Math.max(0, ...bars.map(({ from }) => lane.line?.at(from) ?? 0).filter(Number.isFinite));
  return line < most * 3 ? Math.max(most, line) : most;
}

function drawBars(plot: uPlot, grid: Grid, bars: readonly Bar[]): void {
  const { ctx, bbox } = plot;
  const bottom = bbox.top + bbox.height;
  const place = (second: number): number => plot.valToPos(Math.min(beginOf(grid, second), grid.toMs), "x", true);
  for (const { from, to, value, isMarked } of bars) {
    const left = Math.round(place(from));
    const right = Math.max(left + 1, Math.round(place(to)));
    // A gap between bars that are wide enough to have one.
    const width = right - left > 4 * devicePixelRatio ? right - left - devicePixelRatio : right - left;
    if (isMarked) {
      ctx.fillStyle = color("over-area");
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.fillStyle = color("over");
      ctx.fillRect(left, bbox.top, width, CAP_HEIGHT * devicePixelRatio);
    }
    if (!(value > 0)) continue;
    const top = Math.min(plot.valToPos(value, "y", true), bottom - 2 * devicePixelRatio);
    ctx.fillStyle = color(isMarked ? "over" : "lane");
    ctx.fillRect(left, top, width, bottom - top);
  }
}

function drawLine(plot: uPlot, grid: Grid, bars: readonly Bar[], at: (second: number) => number): void {
  const { ctx } = plot;
  ctx.strokeStyle = color("ink");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  let isDrawing = false;
  for (const { from, to } of bars) {
    const y = plot.valToPos(at(from), "y", true);
    if (Number.isFinite(y)) {
      const left = plot.valToPos(beginOf(grid, from), "x", true);
      if (isDrawing) ctx.lineTo(left, y);
      else ctx.moveTo(left, y);
      ctx.lineTo(plot.valToPos(Math.min(beginOf(grid, to), grid.toMs), "x", true), y);
    }
    isDrawing = Number.isFinite(y);
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

function drawSpikes(plot: uPlot, spikes: readonly Spike[], { min, max }: Range): void {
  const { ctx, bbox } = plot;
  const inView = spikes.filter(({ startMs }) => startMs >= min && startMs <= max);
  const apart = MARKS_APART * devicePixelRatio;
  const columns = new Set(inView.map(({ startMs }) => Math.round(plot.valToPos(startMs, "x", true) / apart) * apart));
  if (columns.size > MOST_SPIKE_MARKS) return;
  ctx.globalAlpha = 0.45;
  ctx.fillStyle = color("ink");
  for (const column of columns) ctx.fillRect(column, bbox.top, devicePixelRatio, bbox.height);
  ctx.globalAlpha = 1;
}

function tipOf({ title, values, show, line, also, marks, marked }: Lane, grid: Grid, second: number): Tip {
  const isMarked = marks?.[second] === 1;
  const end = Math.min(beginOf(grid, second + 1), grid.toMs);
  const others = [also, line].filter((one) => one !== undefined && !Number.isNaN(one.at(second)));
  return {
    title: `${moment(beginOf(grid, second))} to ${moment(end)}`,
    rows: [
      { label: title, value: show(values[second] ?? Number.NaN), color: isMarked ? "over" : "lane" },
      ...others.flatMap((one) => (one === undefined ? [] : [{ label: one.label, value: show(one.at(second)) }])),
    ],
    ...(isMarked && marked !== null && { note: marked }),
  };
}

function legendOf({ values, show, line, marks, marked, label }: Lane, grid: Grid): readonly LegendItem[] {
  const secondAt = (at: number): number => Math.floor((at - grid.fromMs) / SECOND_MS);
  const items: LegendItem[] = [
    { label: label ?? "each second", icon: swatch("lane"), valueAt: (at) => show(values[secondAt(at)] ?? Number.NaN) },
  ];
  if (line !== undefined) items.push({ label: line.label, icon: swatch("ink", "dashed") });
  if (marked !== null) {
    const seconds = countOf(marks);
    const many = seconds === 0 ? "none" : plural(seconds, "second");
    items.push({ label: `${marked}: ${many}`, icon: swatch("over") });
  }
  return items;
}

function countOf(marks: Uint8Array | undefined): number {
  return marks?.reduce((sum, mark) => sum + mark, 0) ?? 0;
}

function laneSpec(store: Store, lane: Lane, grid: Grid, spikes: readonly Spike[]): TimePlotSpec {
  const { title, values, show, scale, line, marks, marked, meaning } = lane;
  const bars = (plot: uPlot): readonly Bar[] => barsInView(lane, grid, store.state.range, plot);
  const top = (plot: uPlot): number => topOf(lane, bars(plot));
  const over = marked === null ? "" : ` ${marked}: ${count(countOf(marks))} of ${plural(values.length, "second")}.`;
  return {
    title,
    summary: `${title}, second by second: at most ${show(largest(values))}.${over}`,
    note: meaning,
    isLane: true,
    legend: legendOf(lane, grid),
    height: HEIGHT,
    paddingTop: PADDING_TOP,
    data: [
      Float64Array.from(values, (_, second) => Math.min(beginOf(grid, second) + SECOND_MS / 2, grid.toMs)),
      values.map((value) => (Number.isNaN(value) ? 0 : value)),
    ],
    series: [{ paths: () => null, points: { show: false } }],
    y: {
      scale: { range: (plot) => [0, (top(plot) || 1) * 1.06] },
      axis: {
        splits: (plot) => (top(plot) > 0 ? [top(plot)] : []),
        values: (_plot, splits) => splits.map(scale),
        grid: { show: false },
      },
    },
    draw: (plot) => {
      const { ctx, bbox } = plot;
      const shown = bars(plot);
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      drawBars(plot, grid, shown);
      if (line !== undefined) drawLine(plot, grid, shown, line.at);
      drawSpikes(plot, spikes, store.state.range);
      drawSpikeBand(plot, store.state.spike);
      ctx.fillStyle = color("faint");
      ctx.fillRect(bbox.left, bbox.top + bbox.height - devicePixelRatio, bbox.width, devicePixelRatio);
      ctx.restore();
    },
    tip: (_index, plot) => {
      const second = Math.floor((plot.posToVal(plot.cursor.left ?? 0, "x") - grid.fromMs) / SECOND_MS);
      return second < 0 || second >= values.length ? null : tipOf(lane, grid, second);
    },
  };
}

const perSecond = (value: number): string => (Number.isFinite(value) ? `${bytes(value)}/s` : "not known");

function lanesOf({ data }: Store, { seconds, tagLanes }: IsolateData): readonly Lane[] {
  const { allocation, peakAllocation, usualAllocation, growth, p99Ms, isBurst, isGrowing, isSlow } = seconds;
  const { thresholds } = data.report;
  const texts = laneTexts(thresholds);
  const isKnown = (values: Float64Array): boolean => values.some((value) => !Number.isNaN(value));
  const rates = tagLanes.map(
    ({ name, rate, usual }): Lane => ({
      title: name === "" ? "(unnamed tag)" : name,
      marked: null,
      meaning: TAG_MEANING,
      values: rate,
      show: (value) => (Number.isFinite(value) ? tagRateText(value) : "not known"),
      scale: tagRateText,
      label: TAG_RATE,
      line: { label: `mean of the whole run ${tagRateText(usual)}`, at: () => usual },
    }),
  );
  const all: readonly Lane[] = [
    {
      ...texts.allocation,
      values: allocation,
      show: perSecond,
      scale: bytes,
      also: { label: "in its fastest 250 ms", at: (second) => peakAllocation[second] ?? Number.NaN },
      line: { label: "usual in the 10 s before", at: (second) => usualAllocation[second] ?? Number.NaN },
      marks: isBurst,
    },
    {
      ...texts.growth,
      values: growth,
      show: (value) => (value < 0 ? `shrinks by ${perSecond(-value)}` : perSecond(value)),
      scale: bytes,
      line: { label: `threshold ${perSecond(thresholds.growthBytes)}`, at: () => thresholds.growthBytes },
      marks: isGrowing,
    },
    {
      ...texts.p99,
      values: p99Ms,
      show: (value) => (Number.isFinite(value) ? ms(value) : "no pause"),
      scale: ms,
      line: { label: `threshold ${ms(thresholds.p99Ms)}`, at: () => thresholds.p99Ms },
      marks: isSlow,
    },
  ];
  return [...rates, ...all.filter(({ values }) => isKnown(values))];
}

/** Draws the lanes of the isolate in view into `host`. */
export function drawLanes(host: HTMLElement, store: Store, axis: TimeAxis): void {
  const { isolate } = store.state;
  const lanes = lanesOf(store, isolate);
  if (lanes.length === 0) return;
  const spikes = store.data.spikes.filter((spike) => spike.isolate === isolate.id);
  const group = h("div", { class: "lanes" });
  host.append(group);
  for (const lane of lanes) axis.add(group, laneSpec(store, lane, isolate.seconds, spikes));
  const isBlind = !isolate.seconds.allocation.some((rate) => !Number.isNaN(rate));
  const missing = isBlind ? " Allocation and growth are missing: heap sizes were not recorded." : "";
  group.append(
    h("p", { class: "note" }, `Each bar is a second, red over a threshold; upright lines are spikes.${missing}`),
  );
}

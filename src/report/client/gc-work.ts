/**
 * GC work over time, in pauses and in the steps between them, as a share of the thread's time. Buckets are put together
 * until a bar is wide enough to be seen, so that zooming in shows finer ones.
 */
import type uPlot from "uplot";
import { moment, ms, share } from "./format.ts";
import { empty, swatch } from "./plot.ts";
import { drawSpikeBand } from "./spike-band.ts";
import type { Store } from "./store.ts";
import { color } from "./theme.ts";
import type { TimeAxis, TimePlotSpec } from "./time-axis.ts";
import type { Tip } from "./tooltip.ts";
import type { IsolateData } from "./wire.ts";

type GcWork = IsolateData["gcWork"];

const BAR_WIDTH = 5;
const WIDTH_BEFORE_LAYOUT = 800;

/** Buckets from the first to before the second index, drawn as one bar. */
interface Bar {
  readonly startMs: number;
  readonly lengthMs: number;
  readonly insideMs: number;
  readonly outsideMs: number;
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}

function barAt({ bucketMs, insideMs, outsideMs }: GcWork, from: number, to: number): Bar {
  let inside = 0;
  let outside = 0;
  for (let i = from; i < to; i += 1) {
    inside += finite(insideMs[i]);
    outside += finite(outsideMs?.[i]);
  }
  return { startMs: from * bucketMs, lengthMs: (to - from) * bucketMs, insideMs: inside, outsideMs: outside };
}

const shareOf = ({ insideMs, outsideMs, lengthMs }: Bar): number => Math.min(1, (insideMs + outsideMs) / lengthMs);

/** Buckets a bar, for the range in view. A power of two, so that bars do not shift while the view moves. */
function bucketsABar({ bucketMs }: GcWork, store: Store, plot: uPlot): number {
  const { min, max } = store.state.range;
  const width = plot.bbox.width / devicePixelRatio || WIDTH_BEFORE_LAYOUT;
  const buckets = (BAR_WIDTH * (max - min)) / width / bucketMs;
  return 2 ** Math.max(0, Math.ceil(Math.log2(buckets)));
}

function barsInView(work: GcWork, store: Store, plot: uPlot): readonly Bar[] {
  const size = bucketsABar(work, store, plot);
  const { min, max } = store.state.range;
  const first = Math.floor(min / work.bucketMs / size) * size;
  const end = Math.min(work.insideMs.length, Math.ceil(max / work.bucketMs));
  const bars: Bar[] = [];
  for (let from = Math.max(0, first); from < end; from += size) {
    bars.push(barAt(work, from, Math.min(from + size, work.insideMs.length)));
  }
  return bars;
}

function barUnder(work: GcWork, store: Store, plot: uPlot, at: number): Bar | null {
  const size = bucketsABar(work, store, plot);
  const from = Math.floor(at / work.bucketMs / size) * size;
  if (from < 0 || from >= work.insideMs.length) return null;
  return barAt(work, from, Math.min(from + size, work.insideMs.length));
}

function drawBars(plot: uPlot, bars: readonly Bar[]): void {
  const { ctx, bbox } = plot;
  const bottom = bbox.top + bbox.height;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const bar of bars) {
    const left = Math.round(plot.valToPos(bar.startMs, "x", true));
    const right = Math.round(plot.valToPos(bar.startMs + bar.lengthMs, "x", true));
    const top = plot.valToPos(shareOf(bar), "y", true);
    const middle = plot.valToPos(bar.insideMs / bar.lengthMs, "y", true);
    const width = Math.max(right - left - devicePixelRatio, 1);
    ctx.fillStyle = color("gc-outside");
    ctx.fillRect(left, top, width, bottom - top);
    ctx.fillStyle = color("gc-inside");
    ctx.fillRect(left, middle, width, bottom - middle);
  }
  ctx.restore();
}

function tipOf(bar: Bar, hasSteps: boolean): Tip {
  const text = (part: number): string => `${ms(part)}, ${share(part / bar.lengthMs)}`;
  return {
    title: `${ms(bar.lengthMs)} from ${moment(bar.startMs)}`,
    rows: [
      { label: "in pauses", value: text(bar.insideMs), color: "gc-inside" },
      { label: "in steps", value: hasSteps ? text(bar.outsideMs) : "not recorded", color: "gc-outside" },
    ],
  };
}

function plotSpec(store: Store, work: GcWork, total: Bar): TimePlotSpec {
  const { bucketMs, insideMs, outsideMs } = work;
  const hasSteps = outsideMs !== null;
  const steps = hasSteps ? `${ms(total.outsideMs)} in steps between them` : "steps between them were not recorded";
  return {
    title: "GC work on this thread",
    summary: `Garbage collection as a share of the thread's time: ${ms(total.insideMs)} in pauses, ${steps}.`,
    ...(!hasSteps && { note: "V8's phases were not recorded, so work in steps between pauses is missing here." }),
    legend: [
      { label: "in pauses", icon: swatch("gc-inside") },
      ...(hasSteps ? [{ label: "in steps between pauses", icon: swatch("gc-outside") }] : []),
    ],
    height: 150,
    data: [insideMs.map((_, i) => (i + 0.5) * bucketMs), insideMs],
    series: [{ paths: () => null, points: { show: false } }],
    y: {
      scale: {
        range: (plot) => {
          const most = barsInView(work, store, plot).reduce((highest, bar) => Math.max(highest, shareOf(bar)), 0);
          return [0, Math.max(0.01, most * 1.08)];
        },
      },
      axis: { values: (_plot, splits) => splits.map(share) },
    },
    draw: (plot) => {
      drawBars(plot, barsInView(work, store, plot));
      drawSpikeBand(plot, store.state.spike);
    },
    tip: (_index, plot) => {
      const bar = barUnder(work, store, plot, plot.posToVal(plot.cursor.left ?? 0, "x"));
      return bar === null ? null : tipOf(bar, hasSteps);
    },
  };
}

export function drawGcWork(host: HTMLElement, store: Store, axis: TimeAxis): void {
  const { gcWork } = store.state.isolate;
  const total = barAt(gcWork, 0, gcWork.insideMs.length);
  if (total.insideMs + total.outsideMs > 0) axis.add(host, plotSpec(store, gcWork, total));
  else host.append(empty("GC work on this thread", "None was seen."));
}

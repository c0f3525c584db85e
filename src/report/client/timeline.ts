/** What led to pauses, the pauses, heap and GC work over time. */
import uPlot from "uplot";
import { bytes, moment } from "./format.ts";
import { drawGcWork } from "./gc-work.ts";
import { drawLanes } from "./lanes.ts";
import { pauseTimeline, spikeUnderCursor } from "./pauses.ts";
import { area, byteAxis, empty, gaps, type LegendItem, line, swatch } from "./plot.ts";
import { largest, valueNear } from "./series.ts";
import { drawSpikeBand } from "./spike-band.ts";
import type { Store } from "./store.ts";
import { color } from "./theme.ts";
import type { TimeAxis, TimePlotSpec } from "./time-axis.ts";
import type { IsolateData } from "./wire.ts";

function heapPlot(store: Store, isolate: IsolateData): TimePlotSpec {
  const { heapUsed, external, heapLimitBytes } = isolate;
  const [times = heapUsed.timeMs, used = [], outside = []] = uPlot.join([
    [heapUsed.timeMs, gaps(heapUsed.value)],
    [external.timeMs, gaps(external.value)],
  ]);
  const peak = largest(heapUsed.value);
  const at = (index: number): number => times[index] ?? Number.NaN;
  // A limit far above the heap would press the curve flat.
  const limit = heapLimitBytes !== null && peak > heapLimitBytes / 3 ? heapLimitBytes : null;
  const legend: LegendItem[] = [
    { label: "heap used", icon: swatch("heap"), valueAt: (at) => bytes(valueNear(heapUsed, at)) },
    { label: "external", icon: swatch("external"), valueAt: (at) => bytes(valueNear(external, at)) },
  ];
  if (heapLimitBytes !== null) {
    const label = `limit ${bytes(heapLimitBytes)}${limit === null ? ", far above" : ""}`;
    legend.push({ label, icon: swatch("limit", "dashed") });
  }
  return {
    title: "Heap",
    summary: `Heap over time: peak ${bytes(peak)}, external peak ${bytes(largest(external.value))}, limit ${bytes(heapLimitBytes)}.`,
    legend,
    height: 170,
    dots: true,
    data: [times, used, outside],
    series: [area("heap", { spanGaps: true }), line("external", { spanGaps: true })],
    y: {
      scale: { range: (_plot, _min, max) => [0, Math.max(limit ?? 0, Number.isFinite(max) ? max : 0, 1) * 1.08] },
      axis: { ...byteAxis, values: (_plot, splits) => splits.map(bytes) },
    },
    draw: (plot) => {
      drawSpikeBand(plot, store.state.spike);
      if (limit !== null) drawLimit(plot, limit);
    },
    tip: (index) => ({
      title: moment(at(index)),
      rows: [
        { label: "heap used", value: bytes(valueNear(heapUsed, at(index))), color: "heap" },
        { label: "external", value: bytes(valueNear(external, at(index))), color: "external" },
      ],
    }),
  };
}

function drawLimit(plot: uPlot, limit: number): void {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(limit, "y", true);
  ctx.save();
  ctx.strokeStyle = color("limit");
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** Draws the charts of the isolate in view into `host`. */
export function drawTimeline(host: HTMLElement, store: Store, axis: TimeAxis): void {
  const { isolate } = store.state;
  drawLanes(host, store, axis);
  if (isolate.pauses.startMs.length === 0) {
    host.append(empty("Pauses", "No collection paused this isolate while it was recorded."));
  } else {
    const plot = axis.add(
      host,
      pauseTimeline(store, () => plot.uplot.setScale("x", { ...store.state.range })),
    );
    plot.uplot.over.addEventListener("click", () => {
      const spike = spikeUnderCursor(store, plot.uplot);
      if (spike !== undefined) location.hash = encodeURIComponent(spike.id);
    });
  }
  if (isolate.heapUsed.timeMs.length > 0) axis.add(host, heapPlot(store, isolate));
  else host.append(empty("Heap", "No heap statistics were recorded."));
  drawGcWork(host, store, axis);
}

/** Pauses, heap and GC work over time, with everything that moves the view. */
import uPlot from "uplot";
import { button, h } from "./dom.ts";
import { bytes, moment, ms, share } from "./format.ts";
import { drawSpikeBand, pauseTimeline, spikeUnderCursor } from "./pauses.ts";
import { area, byteAxis, empty, gaps, type LegendItem, line, swatch } from "./plot.ts";
import { largest, valueAt } from "./series.ts";
import type { Store } from "./store.ts";
import { color } from "./theme.ts";
import type { TimeAxis, TimePlotSpec } from "./time-axis.ts";
import type { IsolateData } from "./wire.ts";

const stepped = uPlot.paths.stepped?.({ align: 1 });

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
    { label: "heap used", icon: swatch("heap"), valueAt: (i) => bytes(valueAt(heapUsed, at(i))) },
    { label: "external", icon: swatch("external"), valueAt: (i) => bytes(valueAt(external, at(i))) },
  ];
  if (heapLimitBytes !== null)
    legend.push({ label: `limit ${bytes(heapLimitBytes)}`, icon: swatch("limit", "dashed") });
  return {
    title: "Heap",
    summary: `Heap over time: peak ${bytes(peak)}, external peak ${bytes(largest(external.value))}, limit ${bytes(heapLimitBytes)}.`,
    legend,
    height: 170,
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
        { label: "heap used", value: bytes(valueAt(heapUsed, at(index))), color: "heap" },
        { label: "external", value: bytes(valueAt(external, at(index))), color: "external" },
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

/** Bucket b of the GC work, as shares of the thread's time. */
function workShares({ gcWork }: IsolateData): { times: Float64Array; inside: Float64Array; both: Float64Array } {
  const { bucketMs, insideMs, outsideMs } = gcWork;
  const finite = (value: number | undefined): number => (value !== undefined && Number.isFinite(value) ? value : 0);
  const inside = insideMs.map((value) => finite(value) / bucketMs);
  return {
    times: insideMs.map((_, i) => i * bucketMs),
    inside,
    both: inside.map((value, i) => value + finite(outsideMs?.[i]) / bucketMs),
  };
}

function workPlot(store: Store, isolate: IsolateData): TimePlotSpec {
  const { bucketMs, outsideMs, insideMs } = isolate.gcWork;
  const { times, inside, both } = workShares(isolate);
  const outsideAt = (i: number): string =>
    outsideMs === null ? "not recorded" : share((outsideMs[i] ?? 0) / bucketMs);
  const total = (values: Float64Array | null): number | null => values?.reduce((sum, value) => sum + value, 0) ?? null;
  return {
    title: "GC on the main thread",
    summary: `Garbage collection as a share of the thread's time: ${ms(total(insideMs))} inside pauses, ${ms(total(outsideMs))} outside, in steps of incremental marking and sweeping.`,
    ...(outsideMs === null && {
      note: "Work outside pauses is not in this recording: V8's phases were not recorded.",
    }),
    legend: [
      { label: "in pauses", icon: swatch("gc-inside"), valueAt: (i) => share(inside[i]) },
      ...(outsideMs === null
        ? []
        : [{ label: "in steps between pauses", icon: swatch("gc-outside"), valueAt: outsideAt }]),
    ],
    height: 150,
    data: [times, both, inside],
    series: [
      { fill: () => color("gc-outside"), width: 0, points: { show: false }, ...(stepped && { paths: stepped }) },
      { fill: () => color("gc-inside"), width: 0, points: { show: false }, ...(stepped && { paths: stepped }) },
    ],
    y: {
      scale: { range: (_plot, _min, max) => [0, Math.min(1, Math.max(0.01, Number.isFinite(max) ? max * 1.1 : 1))] },
      axis: { values: (_plot, splits) => splits.map(share) },
    },
    draw: (plot) => drawSpikeBand(plot, store.state.spike),
    tip: (i) => ({
      title: `${moment(times[i])}, ${ms(bucketMs)} long`,
      rows: [
        { label: "in pauses", value: `${ms(insideMs[i])} (${share(inside[i])})`, color: "gc-inside" },
        {
          label: "in steps",
          value: outsideMs === null ? "not recorded" : `${ms(outsideMs[i])} (${outsideAt(i)})`,
          color: "gc-outside",
        },
      ],
    }),
  };
}

/** Says what part of the recording is in view, with the buttons that change it. */
function viewBar(store: Store): HTMLElement {
  const label = h("p", { class: "view-range", "aria-live": "polite" });
  const thumb = h("span", { class: "view-thumb" });
  const reset = button("Whole recording", () => store.showAll(), { "data-action": "reset" });
  const update = (): void => {
    const { min, max } = store.state.range;
    label.textContent = store.isZoomed
      ? `${moment(min)} to ${moment(max)}, ${ms(max - min)} of ${ms(store.whole.max)}`
      : `The whole recording, ${ms(store.whole.max)}`;
    thumb.style.left = `${(min / store.whole.max) * 100}%`;
    thumb.style.width = `${((max - min) / store.whole.max) * 100}%`;
    reset.disabled = !store.isZoomed;
  };
  store.subscribe(update);
  update();
  return h(
    "div",
    { class: "view-bar" },
    label,
    h(
      "div",
      { class: "view-buttons" },
      button("Zoom in", () => store.zoom(0.5)),
      button("Zoom out", () => store.zoom(2)),
      button("Earlier", () => store.pan(-0.5)),
      button("Later", () => store.pan(0.5)),
      reset,
    ),
    h("div", { class: "view-track", "aria-hidden": "true" }, thumb),
  );
}

export function timelineControls(store: Store): readonly HTMLElement[] {
  return [
    viewBar(store),
    h(
      "p",
      { class: "hint" },
      "Drag across a chart to zoom in, double-click for the whole recording. Ctrl and wheel, or two fingers, zoom too; on the keyboard + and -, arrows, 0.",
    ),
  ];
}

/** Draws the charts of the isolate in view into `host`. */
export function drawTimeline(host: HTMLElement, store: Store, axis: TimeAxis): void {
  const { isolate } = store.state;
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
  if (isolate.gcWork.insideMs.length > 0) axis.add(host, workPlot(store, isolate));
}

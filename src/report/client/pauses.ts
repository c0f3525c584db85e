/** The pause timeline of a report: the bars, and which of them are spikes. */
import type uPlot from "uplot";
import type { Spike } from "../../analysis/report-types.ts";
import type { PauseSeries } from "../view-model.ts";
import { moment, ms, plural } from "./format.ts";
import { barScale, drawPauses, kindButtons, lanesHeight, longestUnderCursor, pauseTip } from "./pause-bars.ts";
import { kindsOf, longestWithin } from "./pause-lookup.ts";
import { drawSpikeBand } from "./spike-band.ts";
import type { Store } from "./store.ts";
import { color } from "./theme.ts";
import type { TimePlotSpec } from "./time-axis.ts";

function drawThreshold(plot: uPlot, thresholdMs: number): void {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(thresholdMs, "y", true);
  if (!(y > bbox.top && y < bbox.top + bbox.height)) return;
  ctx.strokeStyle = color("muted");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
}

/** The spike that is this pause, if it is one. */
function spikeAt(store: Store, startMs: number): Spike | undefined {
  const { data, state } = store;
  // Column times are rounded to the microsecond.
  return data.spikes.find(
    (spike) =>
      spike.isolate === state.isolate.id &&
      spike.kind !== "incremental-steps" &&
      Math.abs(spike.startMs - startMs) < 0.002,
  );
}

/** What the tooltip adds where the pause is a spike. */
function spikeNote(store: Store, startMs: number): string {
  const spike = spikeAt(store, startMs);
  return spike === undefined ? "" : `${spike.headline} Click for the whole story.`;
}

function summaryOf(pauses: PauseSeries, durationMs: number): string {
  const worst = longestWithin(pauses, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, new Set());
  const longest = `longest ${ms(pauses.durationMs[worst])} at ${moment(pauses.startMs[worst])}`;
  return `Pause timeline: ${plural(pauses.startMs.length, "pause")} in ${ms(durationMs)}, ${longest}. Arrow keys go from pause to pause, plus and minus zoom, shift and arrows move, 0 shows everything.`;
}

/** The chart's description; `redraw` is called when the choice of kinds changed. */
export function pauseTimeline(store: Store, redraw: () => void): TimePlotSpec {
  const { pauses } = store.state.isolate;
  const hidden = new Set<number>();
  const lanes = kindsOf(pauses);
  return {
    title: "Pauses",
    summary: summaryOf(pauses, store.whole.max),
    controls: [kindButtons([pauses], lanes, hidden, redraw)],
    height: 250,
    paddingTop: 8 + lanesHeight(lanes),
    data: [pauses.startMs, pauses.durationMs],
    series: [{ paths: () => null, points: { show: false } }],
    y: {
      scale: {
        range: () => [0, barScale([pauses], hidden, store.state.range)],
      },
      axis: { values: (_plot, splits) => splits.map(ms) },
    },
    draw: (plot) =>
      drawPauses(plot, pauses, hidden, lanes, {
        behind: () => drawSpikeBand(plot, store.state.spike),
        before: () => drawThreshold(plot, store.data.report.thresholds.spikeMs),
      }),
    tip: (_index, plot) => pauseTip(pauses, hidden, plot, (startMs) => spikeNote(store, startMs)),
  };
}

/** The spike under the cursor of the pause timeline, for a click on it. */
export function spikeUnderCursor(store: Store, plot: uPlot): Spike | undefined {
  const { pauses } = store.state.isolate;
  const index = longestUnderCursor(pauses, new Set(), plot);
  return index < 0 ? undefined : spikeAt(store, pauses.startMs[index] ?? 0);
}

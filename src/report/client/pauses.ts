/**
 * The pause timeline. Every pause is a bar as wide as it lasted and as high as it lasted; where many fall on one column of
 * pixels, the longest of each kind stands for them, so that a million pauses draw as fast as a thousand. Above the bars
 * each kind has a lane of its own.
 */
import type uPlot from "uplot";
import type { Spike } from "../../analysis/report-types.ts";
import type { PauseSeries } from "../view-model.ts";
import { button, h } from "./dom.ts";
import { count, moment, ms, plural } from "./format.ts";
import { drawShape, KINDS, kindOf, shapeIcon } from "./kinds.ts";
import { kindsOf, longestWithin, pausesWithin } from "./pause-lookup.ts";
import { drawSpikeBand } from "./spike-band.ts";
import type { Store } from "./store.ts";
import { color } from "./theme.ts";
import type { TimePlotSpec } from "./time-axis.ts";
import type { Tip } from "./tooltip.ts";

const LANE_HEIGHT = 7;
const LANE_GAP = 2;
const NARROWEST_BAR = 1.5;
/** Up to so many bars in view carry the shape of their kind. */
const MOST_SHAPES = 150;
const SHAPE_SIZE = 7;
/** The tooltip finds the longest pause within so many CSS pixels of the cursor. */
const REACH = 5;

interface Bar {
  readonly index: number;
  readonly left: number;
  readonly width: number;
}

/** The bars to draw, in canvas pixels: at most one a kind and column. */
function barsOf(pauses: PauseSeries, hidden: ReadonlySet<number>, plot: uPlot): readonly Bar[] {
  const { min = 0, max = 1 } = plot.scales.x ?? {};
  const { left, width } = plot.bbox;
  const scale = width / (max - min);
  const columns = Math.ceil(width) + 1;
  const longest = new Int32Array(columns * KINDS.length).fill(-1);
  const [from, to] = pausesWithin(pauses, min, max);
  for (let i = from; i < to; i += 1) {
    const kind = pauses.kind[i] ?? 0;
    if (hidden.has(kind) || kind >= KINDS.length) continue;
    const column = Math.max(0, Math.floor(((pauses.startMs[i] ?? 0) - min) * scale));
    const cell = column * KINDS.length + kind;
    const held = longest[cell] ?? -1;
    if (held < 0 || (pauses.durationMs[i] ?? 0) > (pauses.durationMs[held] ?? 0)) longest[cell] = i;
  }
  const narrowest = NARROWEST_BAR * devicePixelRatio;
  const bars: Bar[] = [];
  for (const index of longest) {
    if (index < 0) continue;
    const start = left + ((pauses.startMs[index] ?? 0) - min) * scale;
    bars.push({ index, left: start, width: Math.max(narrowest, (pauses.durationMs[index] ?? 0) * scale) });
  }
  return bars;
}

function drawBars(plot: uPlot, pauses: PauseSeries, bars: readonly Bar[], lanes: readonly number[]): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const bottom = bbox.top + bbox.height;
  const heightOf = ({ index }: Bar): number => pauses.durationMs[index] ?? 0;
  // The tall ones first, so that none hides a shorter one of another kind on the same pixels.
  const tallFirst = bars.toSorted((a, b) => heightOf(b) - heightOf(a));
  for (const bar of tallFirst) {
    const kind = pauses.kind[bar.index] ?? 0;
    const top = plot.valToPos(heightOf(bar), "y", true);
    if (!Number.isFinite(top)) continue;
    ctx.fillStyle = color(kindOf(kind).color);
    ctx.fillRect(bar.left, top, bar.width, bottom - top);
    const lane = bbox.top - (lanes.length - lanes.indexOf(kind)) * (LANE_HEIGHT + LANE_GAP) * ratio;
    ctx.fillRect(bar.left, lane, bar.width, LANE_HEIGHT * ratio);
    if (bars.length > MOST_SHAPES) continue;
    drawShape(ctx, kindOf(kind).shape, bar.left + bar.width / 2, top, SHAPE_SIZE * ratio);
  }
}

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

function highest(pauses: PauseSeries, hidden: ReadonlySet<number>, min: number, max: number): number {
  const index = longestWithin(pauses, min, max, hidden);
  const duration = index < 0 ? 0 : (pauses.durationMs[index] ?? 0);
  return Number.isFinite(duration) && duration > 0 ? duration * 1.1 : 1;
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

function tipFor(pauses: PauseSeries, hidden: ReadonlySet<number>, plot: uPlot, store: Store): Tip | null {
  const { left = -1 } = plot.cursor;
  const min = plot.posToVal(left - REACH, "x");
  const max = plot.posToVal(left + REACH, "x");
  const index = longestWithin(pauses, min, max, hidden);
  if (index < 0) return null;
  const [from, to] = pausesWithin(pauses, min, max);
  const kind = kindOf(pauses.kind[index]);
  const startMs = pauses.startMs[index] ?? 0;
  const spike = spikeAt(store, startMs);
  const others = to - from - 1;
  const note = [
    others > 0 ? `The longest of ${plural(to - from, "pause")} under the cursor.` : "",
    spike === undefined ? "" : `${spike.headline} Click for the whole story.`,
  ].filter((part) => part !== "");
  return {
    title: kind.label,
    rows: [
      { label: "paused", value: ms(pauses.durationMs[index]), color: kind.color },
      { label: "at", value: moment(startMs) },
    ],
    ...(note.length === 0 ? {} : { note: note.join(" ") }),
  };
}

/** Buttons that hide and show the kinds, in place of a legend. */
function kindButtons(
  pauses: PauseSeries,
  lanes: readonly number[],
  hidden: Set<number>,
  redraw: () => void,
): HTMLElement {
  const counts = new Array<number>(KINDS.length).fill(0);
  for (const kind of pauses.kind) counts[kind] = (counts[kind] ?? 0) + 1;
  const items = lanes.map((kind) => {
    const toggle = button(
      "",
      () => {
        if (!hidden.delete(kind)) hidden.add(kind);
        toggle.setAttribute("aria-pressed", String(!hidden.has(kind)));
        redraw();
      },
      { class: "kind", "aria-pressed": "true" },
    );
    toggle.append(
      shapeIcon(kindOf(kind)),
      kindOf(kind).label,
      h("span", { class: "legend-value" }, count(counts[kind])),
    );
    return h("li", {}, toggle);
  });
  return h("ul", { class: "legend", "aria-label": "Kinds of pauses to show" }, ...items);
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
    controls: [kindButtons(pauses, lanes, hidden, redraw)],
    height: 250,
    paddingTop: 8 + lanes.length * (LANE_HEIGHT + LANE_GAP),
    data: [pauses.startMs, pauses.durationMs],
    series: [{ paths: () => null, points: { show: false } }],
    y: {
      scale: {
        range: () => [0, highest(pauses, hidden, store.state.range.min, store.state.range.max)],
      },
      axis: { values: (_plot, splits) => splits.map(ms) },
    },
    draw: (plot) => {
      const { ctx, bbox } = plot;
      const lanesTop = bbox.top - lanes.length * (LANE_HEIGHT + LANE_GAP) * devicePixelRatio;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, lanesTop, bbox.width, bbox.top + bbox.height - lanesTop);
      ctx.clip();
      drawSpikeBand(plot, store.state.spike);
      drawBars(plot, pauses, barsOf(pauses, hidden, plot), lanes);
      drawThreshold(plot, store.data.spikeThresholdMs);
      ctx.restore();
    },
    tip: (_index, plot) => tipFor(pauses, hidden, plot, store),
  };
}

/** The spike under the cursor of the pause timeline, for a click on it. */
export function spikeUnderCursor(store: Store, plot: uPlot): Spike | undefined {
  const { left = -1 } = plot.cursor;
  const { pauses } = store.state.isolate;
  const index = longestWithin(pauses, plot.posToVal(left - REACH, "x"), plot.posToVal(left + REACH, "x"), new Set());
  return index < 0 ? undefined : spikeAt(store, pauses.startMs[index] ?? 0);
}

/**
 * Pauses as bars. Every pause is a bar as wide as it lasted and as high as it lasted; where many fall on one column of pixels,
 * the longest of each kind stands for them, so that a million pauses draw as fast as a thousand. Above the bars each kind has
 * a lane of its own.
 */
import type uPlot from "uplot";
import type { PauseSeries } from "../view-model.ts";
import { button, h } from "./dom.ts";
import { count, moment, ms, plural } from "./format.ts";
import { drawShape, KINDS, kindOf, shapeIcon } from "./kinds.ts";
import { longestWithin, pausesWithin } from "./pause-lookup.ts";
import { color } from "./theme.ts";
import type { Range } from "./time-view.ts";
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

/** Room that the lanes need above the bars, CSS pixels. */
export function lanesHeight(lanes: readonly number[]): number {
  return lanes.length * (LANE_HEIGHT + LANE_GAP);
}

/** Draws the bars of the pauses in view, and what `besides` draws, clipped to the plot and its lanes. */
export function drawPauses(
  plot: uPlot,
  pauses: PauseSeries,
  hidden: ReadonlySet<number>,
  lanes: readonly number[],
  besides: { readonly behind?: () => void; readonly before?: () => void } = {},
): void {
  const { ctx, bbox } = plot;
  const lanesTop = bbox.top - lanesHeight(lanes) * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, lanesTop, bbox.width, bbox.top + bbox.height - lanesTop);
  ctx.clip();
  besides.behind?.();
  drawBars(plot, pauses, barsOf(pauses, hidden, plot), lanes);
  besides.before?.();
  ctx.restore();
}

/** The top of the duration scale: a little above the longest shown pause in view, of all of these. */
export function barScale(all: readonly PauseSeries[], hidden: ReadonlySet<number>, { min, max }: Range): number {
  const longest = all.map((pauses) => pauses.durationMs[longestWithin(pauses, min, max, hidden)] ?? 0);
  const most = Math.max(0, ...longest.filter(Number.isFinite));
  return most > 0 ? most * 1.1 : 1;
}

function reach(plot: uPlot): readonly [number, number] {
  const { left = -1 } = plot.cursor;
  return [plot.posToVal(left - REACH, "x"), plot.posToVal(left + REACH, "x")];
}

/** Index of the longest shown pause near the cursor, or -1. */
export function longestUnderCursor(pauses: PauseSeries, hidden: ReadonlySet<number>, plot: uPlot): number {
  return longestWithin(pauses, ...reach(plot), hidden);
}

/** What the tooltip says of that pause; `noteOf` may add a sentence. */
export function pauseTip(
  pauses: PauseSeries,
  hidden: ReadonlySet<number>,
  plot: uPlot,
  noteOf: (startMs: number) => string = () => "",
): Tip | null {
  const index = longestUnderCursor(pauses, hidden, plot);
  if (index < 0) return null;
  const [from, to] = pausesWithin(pauses, ...reach(plot));
  const kind = kindOf(pauses.kind[index]);
  const startMs = pauses.startMs[index] ?? 0;
  const many = to - from > 1 ? `The longest of ${plural(to - from, "pause")} under the cursor.` : "";
  const note = [many, noteOf(startMs)].filter((part) => part !== "");
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
export function kindButtons(
  all: readonly PauseSeries[],
  lanes: readonly number[],
  hidden: Set<number>,
  redraw: () => void,
): HTMLElement {
  const counts = new Array<number>(KINDS.length).fill(0);
  for (const { kind: kinds } of all) for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
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

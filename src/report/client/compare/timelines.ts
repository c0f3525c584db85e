/** The pauses of every column, one below the other on one scale of time and one of duration, and the heaps in one chart. */
import uPlot from "uplot";
import type { PauseSeries } from "../../view-model.ts";
import { type Child, h } from "../dom.ts";
import { bytes, moment, ms, plural } from "../format.ts";
import { barScale, drawPauses, kindButtons, lanesHeight, pauseTip } from "../pause-bars.ts";
import { kindsOf, longestWithin } from "../pause-lookup.ts";
import { byteAxis, empty, fromZero, line } from "../plot.ts";
import { largest, valueNear } from "../series.ts";
import { color } from "../theme.ts";
import type { TimeAxis, TimePlotSpec } from "../time-axis.ts";
import type { Choice, ShownColumn } from "./choice.ts";
import { columnIcon, columnStyle } from "./column-style.ts";

/** The same for all, so that a pause of the same length is as tall in each. CSS pixels, lanes and axis included. */
const TIMELINE_HEIGHT = 152;

/** The choice of the run that stands for a column; null where there is only one. */
function runSelect({ index, label, runs, run }: ShownColumn, choice: Choice): HTMLElement | null {
  if (runs.length < 2) return null;
  const select = h("select", { "aria-label": `Run of ${label} to show`, class: "run", "data-column": String(index) });
  for (const [i, { title }] of runs.entries()) {
    select.append(h("option", { value: String(i) }, `run ${i + 1} of ${runs.length}: ${title}`));
  }
  select.selectedIndex = runs.indexOf(run);
  select.addEventListener("change", () => choice.showRun(index, select.selectedIndex));
  return select;
}

function summaryOf(name: string, { startMs, durationMs }: PauseSeries, lengthMs: number): string {
  const worst = longestWithin({ startMs, durationMs, kind: new Uint8Array(startMs.length) }, 0, lengthMs, new Set());
  const longest = worst < 0 ? "" : `, longest ${ms(durationMs[worst])} at ${moment(startMs[worst])}`;
  return `Pauses of ${name}: ${plural(startMs.length, "pause")} in ${ms(lengthMs)}${longest}. Arrow keys go from pause to pause, plus and minus zoom, shift and arrows move, 0 shows everything.`;
}

/** The time after the end of a run that was shorter than the others. */
function drawAfterEnd(plot: uPlot, endMs: number): void {
  const { ctx, bbox } = plot;
  const from = Math.max(plot.valToPos(endMs, "x", true), bbox.left);
  const to = bbox.left + bbox.width;
  if (from >= to) return;
  ctx.fillStyle = color("grid");
  ctx.fillRect(from, bbox.top, to - from, bbox.height);
}

interface Scales {
  readonly all: readonly PauseSeries[];
  readonly lanes: readonly number[];
  readonly hidden: ReadonlySet<number>;
}

function timeline(column: ShownColumn, choice: Choice, { all, lanes, hidden }: Scales): TimePlotSpec {
  const { index, label, run } = column;
  const { pauses, durationMs, pauseCount } = run;
  const many =
    pauses.startMs.length < pauseCount
      ? `${plural(pauseCount, "pause")}, the longest of each moment`
      : plural(pauseCount, "pause");
  const controls: readonly Child[] = [
    columnIcon(index),
    h("span", { class: "legend" }, `${many} in ${ms(durationMs)}`),
    runSelect(column, choice),
  ];
  return {
    title: label,
    summary: summaryOf(label, pauses, durationMs),
    controls,
    height: TIMELINE_HEIGHT,
    paddingTop: 6 + lanesHeight(lanes),
    data: [pauses.startMs, pauses.durationMs],
    series: [{ paths: () => null, points: { show: false } }],
    y: {
      scale: { range: () => [0, barScale(all, hidden, choice.state.range)] },
      axis: { values: (_plot, splits) => splits.map(ms) },
    },
    draw: (plot) => drawPauses(plot, pauses, hidden, lanes, { behind: () => drawAfterEnd(plot, durationMs) }),
    tip: (_index, plot) => pauseTip(pauses, hidden, plot),
  };
}

/** Draws the timelines of the shown runs into `host`. `hidden` are the kinds of pauses that are not shown; it outlives them. */
export function drawTimelines(host: HTMLElement, choice: Choice, axis: TimeAxis, hidden: Set<number>): void {
  const columns = choice.shown;
  const all = columns.map(({ run }) => run.pauses);
  const lanes = [...new Set(all.flatMap(kindsOf))].sort((a, b) => a - b);
  const redraw = (): void => choice.change({ range: { ...choice.state.range } });
  if (lanes.length > 0) host.append(kindButtons(all, lanes, hidden, redraw));
  for (const column of columns) {
    if (column.run.pauses.startMs.length === 0) {
      const nothing = empty(column.label, `No collection paused it in ${ms(column.run.durationMs)}.`);
      const select = runSelect(column, choice);
      nothing.querySelector("figcaption")?.append(columnIcon(column.index), select ?? "");
      host.append(nothing);
    } else axis.add(host, timeline(column, choice, { all, lanes, hidden }));
  }
}

/** One curve a column, on one scale. */
export function drawHeaps(host: HTMLElement, choice: Choice, axis: TimeAxis): void {
  const columns = choice.shown.filter(({ run }) => run.heapUsed.timeMs.length > 0);
  if (columns.length === 0) {
    host.append(empty("Heap", "No heap statistics were recorded."));
    return;
  }
  const [times = [], ...curves] = uPlot.join(columns.map(({ run: { heapUsed } }) => [heapUsed.timeMs, heapUsed.value]));
  const peaks = columns.map(({ label, run }) => `${label} ${bytes(largest(run.heapUsed.value))}`);
  const valueAt = ({ run }: ShownColumn, at: number): string =>
    at > run.durationMs ? "ended" : bytes(valueNear(run.heapUsed, at));
  axis.add(host, {
    title: "Heap used",
    summary: `Heap over time, peaks: ${peaks.join(", ")}.`,
    legend: columns.map((column) => ({
      label: column.label,
      icon: columnIcon(column.index),
      valueAt: (at) => valueAt(column, at),
    })),
    height: 210,
    dots: true,
    data: [times, ...curves],
    series: columns.map(({ index }) => {
      const { color: name, dash } = columnStyle(index);
      return line(name, { spanGaps: true, dash: [...dash] });
    }),
    y: { scale: fromZero, axis: { ...byteAxis, values: (_plot, splits) => splits.map(bytes) } },
    tip: (at) => ({
      title: moment(times[at] ?? Number.NaN),
      rows: columns.map((column) => ({
        label: column.label,
        value: valueAt(column, times[at] ?? Number.NaN),
        color: columnStyle(column.index).color,
      })),
    }),
  });
}

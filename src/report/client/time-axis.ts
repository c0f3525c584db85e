/** The charts that share a time axis: they zoom together and point at the same moment. */
import type uPlot from "uplot";
import { timeLabels } from "./format.ts";
import { listenToGestures } from "./gestures.ts";
import { createPlot, type Plot, type PlotSpec } from "./plot.ts";
import type { TimeControl } from "./time-view.ts";

export type TimePlotSpec = Omit<PlotSpec, "x" | "onSelect" | "onDoubleClick" | "onCursor">;

const TIME_STEPS_MS = [
  ...[0.001, 0.01, 0.1, 1, 10, 100].flatMap((unit) => [unit, 2 * unit, 5 * unit]),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400].map(
    (s) => s * 1000,
  ),
];

/** Labels of recording time. */
export const timeAxis: uPlot.Axis = {
  incrs: TIME_STEPS_MS,
  space: 76,
  values: (_plot, splits, _axis, _space, step) => timeLabels(splits, step),
};

export class TimeAxis {
  readonly #view: TimeControl;
  readonly #plots = new Set<Plot>();
  #pointing = false;
  #frame = 0;

  constructor(view: TimeControl) {
    this.#view = view;
    view.subscribe(() => this.#scheduleRange());
  }

  add(parent: HTMLElement, spec: TimePlotSpec): Plot {
    const view = this.#view;
    const plot = createPlot(parent, {
      ...spec,
      x: {
        scale: { range: () => [view.state.range.min, view.state.range.max] },
        axis: timeAxis,
      },
      onSelect: (min, max) => view.showRange({ min, max }),
      onDoubleClick: () => view.showAll(),
      onCursor: (source) => this.#pointFrom(source),
    });
    plot.uplot.over.classList.add("pan-y");
    listenToGestures(plot, view);
    this.#plots.add(plot);
    return plot;
  }

  clear(): void {
    for (const plot of this.#plots) plot.destroy();
    this.#plots.clear();
  }

  /** Several wheel events may come in one frame; drawing once is enough. */
  #scheduleRange(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const { min, max } = this.#view.state.range;
      for (const { uplot } of this.#plots) uplot.setScale("x", { min, max });
    });
  }

  #pointFrom(source: uPlot): void {
    if (this.#pointing) return;
    this.#pointing = true;
    const { left = -1 } = source.cursor;
    const at = left < 0 ? null : source.posToVal(left, "x");
    for (const plot of this.#plots) {
      const { uplot } = plot;
      if (uplot !== source) uplot.setCursor({ left: at === null ? -10 : uplot.valToPos(at, "x"), top: -10 }, false);
      plot.showLegendValues(at);
    }
    this.#pointing = false;
  }
}

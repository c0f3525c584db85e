/** The percentile curves of all columns in one chart; the other runs of a column are thin lines beside its own. */
import uPlot from "uplot";
import type { RunPictures } from "../../run-pictures.ts";
import { button, h } from "../dom.ts";
import { ms } from "../format.ts";
import { createPlot, decadeAxis, empty, fromZero, line, type Plot, type PlotSpec } from "../plot.ts";
import { nines, percentText, quantileAxis, rarest } from "../quantile-axis.ts";
import type { Choice, ShownColumn } from "./choice.ts";
import { columnIcon, columnStyle } from "./column-style.ts";

interface Curve {
  readonly column: ShownColumn;
  readonly run: RunPictures;
  readonly isShown: boolean;
}

/** How long a pause of the run is at most, for the share `q` of them. */
function pauseAt({ percentiles }: RunPictures, q: number): number | undefined {
  return percentiles.find((point) => point.q >= q - 1e-9)?.ms;
}

/** x, y of the curve; its last point is the worst pause, which is drawn where the rarest of its pauses would be. */
function pointsOf({ percentiles, pauseCount }: RunPictures): [number[], number[]] {
  const last = rarest(pauseCount);
  return [percentiles.map(({ q }) => Math.min(nines(q), last)), percentiles.map((point) => point.ms)];
}

function curvesOf(choice: Choice): readonly Curve[] {
  const all = choice.shown.flatMap((column) =>
    column.runs.map((run) => ({ column, run, isShown: run === column.run })),
  );
  // The shown ones last, so that they are drawn above the others.
  return all.filter(({ run }) => run.percentiles.length > 0).toSorted((a, b) => Number(a.isShown) - Number(b.isShown));
}

/** The logarithmic scale's bounds: whole tenfolds around all values, because zero has no place on it. */
function decades(curves: readonly Curve[]): [number, number] {
  const values = curves.flatMap(({ run }) => run.percentiles.map((point) => point.ms)).filter((value) => value > 0);
  const low = Math.min(...values, 1);
  const high = Math.max(...values, low * 10);
  return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high))];
}

function specOf(curves: readonly Curve[], isLogarithmic: boolean, toggle: HTMLElement): PlotSpec {
  const shown = curves.filter(({ isShown }) => isShown).toSorted((a, b) => a.column.index - b.column.index);
  const [xs = [], ...ys] = uPlot.join(curves.map(({ run }) => pointsOf(run)));
  const last = Math.max(...curves.map(({ run }) => rarest(run.pauseCount)));
  const summary = shown.map(
    ({ column, run }) =>
      `${column.label}: ${[0.5, 0.99, 0.999].map((q) => `${percentText(q)} at most ${ms(pauseAt(run, q))}`).join(", ")}`,
  );
  const [low, high] = decades(curves);
  return {
    title: "Percentiles of the pauses",
    summary: `Percentile curves. ${summary.join("; ")}. Arrow keys move along the curves.`,
    note: `How long a pause is at most, for a share of all pauses. The right end of each curve is its worst pause.${curves.length > shown.length ? " Thin lines are the other runs." : ""}`,
    legend: shown.map(({ column }) => ({ label: column.label, icon: columnIcon(column.index) })),
    controls: [toggle],
    height: 300,
    data: [xs, ...ys],
    series: curves.map(({ column, run, isShown }) => {
      const { color, dash } = columnStyle(column.index);
      const points = { show: run.percentiles.length < 3, size: 7 };
      return isShown
        ? line(color, { spanGaps: true, dash: [...dash], width: 2, points })
        : line(color, { spanGaps: true, width: 0.75, alpha: 0.45, points });
    }),
    x: quantileAxis(last),
    y: {
      scale: isLogarithmic ? { distr: 3, range: () => [low, high] } : fromZero,
      axis: {
        ...(isLogarithmic ? decadeAxis : {}),
        values: (_plot, splits) => splits.map((value: number | null) => (value === null ? "" : ms(value))),
      },
    },
    tip: (index) => {
      const x = xs[index];
      if (typeof x !== "number") return null;
      const q = 1 - 10 ** -x;
      return {
        title: `${percentText(q)} of pauses took at most`,
        rows: shown.map(({ column, run }) => {
          const isOver = x >= rarest(run.pauseCount);
          return {
            label: isOver ? `${column.label}, the worst` : column.label,
            value: ms(isOver ? run.percentiles.at(-1)?.ms : pauseAt(run, q)),
            color: columnStyle(column.index).color,
          };
        }),
      };
    },
  };
}

/** Moves along the curves with the arrow keys. */
function listenToKeys(plot: Plot): void {
  const { uplot, frame } = plot;
  let index = -1;
  frame.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    index = Math.min(Math.max(index + step, 0), uplot.data[0].length - 1);
    plot.pointAt(index);
  });
}

/** The chart, which is drawn anew when its scale or the choice of runs changes. */
export class PercentileChart {
  readonly #host: HTMLElement;
  readonly #choice: Choice;
  #isLogarithmic = false;
  #plot: Plot | null = null;

  constructor(host: HTMLElement, choice: Choice) {
    this.#host = host;
    this.#choice = choice;
  }

  draw(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#host.replaceChildren();
    const curves = curvesOf(this.#choice);
    if (curves.length === 0) {
      this.#host.append(empty("Percentiles of the pauses", "There is no pause whose length could be shown."));
      return;
    }
    const toggle = button("Logarithmic scale", () => this.#toggle(), {
      class: "toggle",
      "aria-pressed": String(this.#isLogarithmic),
    });
    this.#plot = createPlot(this.#host, specOf(curves, this.#isLogarithmic, h("span", {}, toggle)));
    listenToKeys(this.#plot);
  }

  #toggle(): void {
    this.#isLogarithmic = !this.#isLogarithmic;
    this.draw();
    this.#host.querySelector<HTMLElement>("button[aria-pressed]")?.focus();
  }
}

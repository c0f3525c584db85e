/** An axis of quantiles on which each further nine takes as much room as the last. */
import type { PlotSpec } from "./plot.ts";

const TICKS = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];

/** CSS pixels between two labels. */
export const TICK_SPACE = 58;

/** The ticks below `end` that stand at least `space` apart. */
export function spaced(ticks: readonly number[], space: number, end: number): number[] {
  let next = Number.NEGATIVE_INFINITY;
  return ticks.filter((tick) => {
    if (tick < next || tick >= end) return false;
    next = tick + space;
    return true;
  });
}

/** Quantile 0.999 stands at 3: each further nine takes as much room as the last. */
export const nines = (q: number): number => -Math.log10(1 - q);

function percentLabel(x: number): string {
  const percent = 100 * (1 - 10 ** -x);
  return `${Number(percent.toFixed(Math.max(0, Math.round(x) - 2)))} %`.replace(" ", "\u00a0");
}

/** Where the maximum stands, which is at infinity: where the rarest of so many pauses would be. */
export function rarest(pauses: number): number {
  return Math.max(1, Math.log10(Math.max(pauses, 1)) + 0.1);
}

/** "99.9 %". */
export function percentText(q: number): string {
  return `${Number((q * 100).toFixed(4))}\u00a0%`;
}

/** The axis from the shortest pause to `last`. */
export function quantileAxis(last: number): PlotSpec["x"] {
  return {
    scale: { range: () => [0, last] },
    axis: {
      splits: (plot) => spaced(TICKS.map(nines), (last * TICK_SPACE) / (plot.bbox.width / devicePixelRatio), last),
      values: (_plot, splits) => splits.map(percentLabel),
    },
  };
}

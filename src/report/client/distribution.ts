/** How long pauses are, whenever they were: percentile curve, histogram, minimum mutator utilisation. */
import uPlot from "uplot";
import { h } from "./dom.ts";
import { count, ms, plural, share } from "./format.ts";
import { kindOf, shapeIcon } from "./kinds.ts";
import { area, createPlot, decadeAxis, fromZero, type Plot, type PlotSpec } from "./plot.ts";
import { nines, percentText, quantileAxis, rarest, spaced, TICK_SPACE } from "./quantile-axis.ts";
import type { Store } from "./store.ts";
import { color } from "./theme.ts";
import type { IsolateData } from "./wire.ts";

/** uPlot leaves null where the axis shows nothing. */
const decadeLabel =
  (format: (value: number) => string) =>
  (value: number | null): string =>
    value === null ? "" : format(value);

function percentilePlot({ percentiles, pauses }: IsolateData): PlotSpec {
  const last = rarest(pauses.startMs.length);
  const points = percentiles.map(({ q, ms }) => ({ q, ms, x: Math.min(nines(q), last) }));
  const xs = points.map(({ x }) => x);
  return {
    title: "Percentiles",
    summary: `Percentile curve: ${[0.5, 0.9, 0.99, 0.999].map((q) => `${q * 100} % of pauses took at most ${ms(points.find((p) => p.q >= q)?.ms)}`).join(", ")}.`,
    note: "How long a pause is at most, for a share of all pauses. The right end is the worst.",
    height: 230,
    data: [xs, points.map((p) => p.ms)],
    dots: true,
    series: [area("accent", { spanGaps: true, points: { show: points.length < 3, size: 7 } })],
    x: quantileAxis(last),
    y: { scale: fromZero, axis: { values: (_plot, splits) => splits.map(ms) } },
    tip: (i) => {
      const point = points[i];
      if (point === undefined) return null;
      const title = point.q >= 1 ? "the worst pause" : `${percentText(point.q)} of pauses`;
      return { title, rows: [{ label: point.q >= 1 ? "took" : "took at most", value: ms(point.ms), color: "accent" }] };
    },
  };
}

type Histogram = IsolateData["histogram"];

/** Durations that may be labelled, 1 us to 5 min, as powers of ten. */
const DURATION_TICKS = Array.from({ length: 9 }, (_, decade) =>
  [1, 2, 5].map((n) => Math.log10(n) + decade - 3),
).flat();

function histogramPlot(histogram: Histogram, kind: number, isLast: boolean): PlotSpec {
  const counts = histogram.map(({ countByKind }) => countByKind[kind] ?? 0);
  const edges = { min: Math.log10(histogram[0]?.fromMs ?? 1), max: Math.log10(histogram.at(-1)?.toMs ?? 10) };
  const { label, color: colorName } = kindOf(kind);
  const total = counts.reduce((sum, n) => sum + n, 0);
  const most = Math.max(...counts, 1);
  const bars = uPlot.paths.bars?.({ size: [0.9, 60, 1] });
  const ticks = (plot: uPlot): number[] => {
    const space = (TICK_SPACE * (edges.max - edges.min)) / (plot.bbox.width / devicePixelRatio);
    return spaced(
      DURATION_TICKS.filter((tick) => tick >= edges.min),
      space,
      edges.max,
    );
  };
  return {
    title: label,
    summary: `Histogram of ${label} durations: ${plural(total, "pause")}.`,
    legend: [{ label: plural(total, "pause"), icon: shapeIcon(kindOf(kind)) }],
    height: isLast ? 116 : 92,
    data: [
      histogram.map(({ fromMs, toMs }) => Math.log10(Math.sqrt(fromMs * toMs))),
      counts.map((n) => (n === 0 ? null : n)),
    ],
    series: [{ fill: () => color(colorName), width: 0, points: { show: false }, ...(bars && { paths: bars }) }],
    x: {
      scale: { range: () => [edges.min, edges.max] },
      axis: { show: isLast, splits: ticks, values: (_plot, splits) => splits.map((power) => ms(10 ** power)) },
    },
    y: {
      scale: { distr: 3, range: () => [0.5, Math.max(most * 1.5, 10)] },
      axis: { ...decadeAxis, space: 18, values: (_plot, splits) => splits.map(decadeLabel(count)) },
    },
    tip: (i) => {
      const bucket = histogram[i];
      if (bucket === undefined) return null;
      const value = plural(counts[i] ?? 0, "pause");
      return { title: `${ms(bucket.fromMs)} to ${ms(bucket.toMs)}`, rows: [{ label, value, color: colorName }] };
    },
  };
}

function mmuPlot({ mmu }: IsolateData): PlotSpec {
  const windows = mmu.map(({ windowMs }) => windowMs);
  const at = (windowMs: number): string => share(mmu.find((point) => point.windowMs >= windowMs)?.utilization);
  return {
    title: "Minimum mutator utilisation",
    summary: `Minimum mutator utilisation: ${at(10)} in windows of 10 ms, ${at(50)} of 50 ms, ${at(1000)} of 1 s.`,
    note: "The least share of any window of this length that was left to the program.",
    height: 230,
    data: [windows, mmu.map(({ utilization }) => utilization)],
    dots: true,
    series: [area("mmu", { spanGaps: true })],
    x: {
      scale: { distr: 3, range: (_plot, min, max) => [min, Math.max(max, min * 2)] },
      axis: {
        ...decadeAxis,
        space: 40,
        values: (_plot, splits) => splits.map(decadeLabel(ms)),
      },
    },
    y: {
      scale: { range: () => [0, 1.04] },
      axis: { incrs: [0.25], space: 20, values: (_plot, splits) => splits.map(share) },
    },
    tip: (i) => ({
      title: `any ${ms(windows[i])}`,
      rows: [{ label: "left to the program, at least", value: share(mmu[i]?.utilization), color: "mmu" }],
    }),
  };
}

/** Draws the three for the isolate in view; the plots are the caller's to destroy. */
export function drawDistribution(host: HTMLElement, store: Store): readonly Plot[] {
  const { isolate } = store.state;
  if (isolate.pauses.startMs.length === 0) {
    host.append(h("p", { class: "empty" }, "There is no pause whose length could be shown."));
    return [];
  }
  const left = h("div", {});
  const right = h("div", {});
  const middle = h("div", { class: "rows" }, h("h3", {}, "Histogram by kind"));
  host.append(left, middle, right);
  const kinds = [
    ...isolate.histogram.reduce((seen, { countByKind }) => {
      for (const [kind, n] of countByKind.entries()) if (n > 0) seen.add(kind);
      return seen;
    }, new Set<number>()),
  ].sort((a, b) => a - b);
  const plots = kinds.map((kind, i) =>
    createPlot(middle, histogramPlot(isolate.histogram, kind, i === kinds.length - 1)),
  );
  middle.append(h("p", { class: "note" }, "Number of pauses by duration; both scales are logarithmic."));
  return [createPlot(left, percentilePlot(isolate)), ...plots, createPlot(right, mmuPlot(isolate))];
}

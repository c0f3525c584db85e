/** A chart in its frame: title, legend, uPlot's canvas, tooltip, resizing, theme. Everything here is one look for all. */
import uPlot from "uplot";
import { type Child, h } from "./dom.ts";
import { color, onThemeChange, printWidth } from "./theme.ts";
import { hideTip, showTip, speak, type Tip } from "./tooltip.ts";

export interface LegendItem {
  readonly label: string;
  readonly icon: HTMLElement;
  /** The value at a moment, beside the label while the cursor is on one of the charts of the same time axis. */
  readonly valueAt?: (atMs: number) => string;
}

export interface PlotSpec {
  readonly title: string;
  /** What the picture shows, in words and figures, for those who do not see it. */
  readonly summary: string;
  readonly note?: string;
  readonly legend?: readonly LegendItem[];
  readonly controls?: readonly Child[];
  /** CSS pixels, the axis included. */
  readonly height: number;
  readonly data: uPlot.AlignedData;
  readonly series: readonly uPlot.Series[];
  readonly x: { readonly scale: uPlot.Scale; readonly axis: uPlot.Axis };
  readonly y: { readonly scale: uPlot.Scale; readonly axis: uPlot.Axis };
  /** A dot on every curve at the cursor. */
  readonly dots?: boolean;
  /** Room above the plot, CSS pixels. */
  readonly paddingTop?: number;
  /** A thin one without an axis of its own: it stands above a chart with the same. */
  readonly isLane?: boolean;
  readonly draw?: (plot: uPlot) => void;
  /** What the tooltip says; `index` is the nearest one in view, `plot.cursor.left` the exact place. */
  readonly tip: (index: number, plot: uPlot) => Tip | null;
  readonly onSelect?: (fromX: number, toX: number) => void;
  readonly onDoubleClick?: () => void;
  readonly onCursor?: (plot: uPlot) => void;
}

export interface Plot {
  readonly element: HTMLElement;
  readonly uplot: uPlot;
  /** Where the keyboard focus goes. */
  readonly frame: HTMLElement;
  showLegendValues(atMs: number | null): void;
  /** Points at a data index as the mouse would, and says it. */
  pointAt(index: number): void;
  destroy(): void;
}

const GUTTER = 62;
const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif";
const SMALLEST_DRAG = 4;

/** Sizes stand on powers of two: 64 MiB, not 67.1 MiB. */
const BYTE_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);

const axisStyle = (axis: uPlot.Axis): uPlot.Axis => ({
  font: FONT,
  stroke: () => color("muted"),
  ticks: { show: false },
  ...axis,
  grid: { stroke: () => color("grid"), width: 1, ...axis.grid },
});

function decadesOnly(_plot: uPlot, splits: number[]): (number | null)[] {
  return splits.map((value) => (Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-6 ? value : null));
}

/** Of a logarithmic axis, only 1, 10, 100 and so on. */
export const decadeAxis: uPlot.Axis = { filter: decadesOnly, grid: { filter: decadesOnly } };

export const byteAxis: uPlot.Axis = { incrs: BYTE_STEPS };

/** From zero to a little above the largest value. */
export const fromZero: uPlot.Scale = {
  range: (_plot, _min, max) => [0, Number.isFinite(max) && max > 0 ? max * 1.08 : 1],
};

/** uPlot takes null for "no value" and would draw NaN through. */
export function gaps(values: Float64Array): Float64Array | (number | null)[] {
  return values.some(Number.isNaN) ? Array.from(values, (value) => (Number.isNaN(value) ? null : value)) : values;
}

export function area(name: string, options: uPlot.Series = {}): uPlot.Series {
  return {
    stroke: () => color(name),
    fill: () => color(`${name}-area`),
    width: 1.5,
    points: { show: false },
    ...options,
  };
}

export function line(name: string, options: uPlot.Series = {}): uPlot.Series {
  return { stroke: () => color(name), width: 1.5, points: { show: false }, ...options };
}

/** Stands where a chart would, and says why there is none. */
export function empty(title: string, text: string): HTMLElement {
  return h("figure", { class: "plot" }, h("figcaption", {}, h("h3", {}, title)), h("p", { class: "empty" }, text));
}

export function swatch(name: string, className = ""): HTMLElement {
  const icon = h("span", { class: `swatch ${className}`, "aria-hidden": "true" });
  icon.style.background = `var(--${name})`;
  return icon;
}

function legendRow(items: readonly LegendItem[]): { row: HTMLElement | null; show: (atMs: number | null) => void } {
  const values = items.map(() => h("span", { class: "legend-value" }));
  const show = (atMs: number | null): void => {
    for (const [i, { valueAt }] of items.entries()) {
      const place = values[i];
      if (place !== undefined && valueAt !== undefined) place.textContent = atMs === null ? "" : valueAt(atMs);
    }
  };
  if (items.length === 0) return { row: null, show };
  const entries = items.map(({ icon, label }, i) => h("li", {}, icon, h("bdi", {}, label), values[i] ?? ""));
  return { row: h("ul", { class: "legend" }, ...entries), show };
}

function options(spec: PlotSpec, width: number, onCursor: (plot: uPlot) => void): uPlot.Options {
  const select = (plot: uPlot): void => {
    const { left, width: selected } = plot.select;
    if (selected < SMALLEST_DRAG) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    spec.onSelect?.(plot.posToVal(left, "x"), plot.posToVal(left + selected, "x"));
  };
  return {
    width,
    height: spec.height,
    padding: [spec.paddingTop ?? 8, 24, 0, 0],
    legend: { show: false },
    scales: { x: { time: false, ...spec.x.scale }, y: spec.y.scale },
    axes: [
      axisStyle({ size: 30, gap: 6, ...spec.x.axis, show: spec.isLane !== true && spec.x.axis.show !== false }),
      axisStyle({ size: GUTTER, gap: 8, space: 28, ...spec.y.axis }),
    ],
    series: [{}, ...spec.series],
    cursor: {
      y: false,
      points: spec.dots === true ? { size: 7, width: 2, fill: () => color("panel") } : { show: false },
      drag: { x: spec.onSelect !== undefined, y: false, setScale: false },
      bind: {
        dblclick: () => () => {
          spec.onDoubleClick?.();
          return null;
        },
      },
    },
    hooks: {
      draw: spec.draw === undefined ? [] : [spec.draw],
      setCursor: [onCursor],
      setSelect: [select],
    },
  };
}

/** Calls back with the element's width whenever it changed. */
function watchWidth(element: HTMLElement, onWidth: (width: number) => void): () => void {
  let last = element.clientWidth;
  const observer = new ResizeObserver(() => {
    const width = element.clientWidth;
    if (width === last || width === 0) return;
    last = width;
    onWidth(width);
  });
  observer.observe(element);
  return () => observer.disconnect();
}

/** Builds the chart into `parent`, which is on the page already, because the chart takes its width from it. */
export function createPlot(parent: HTMLElement, spec: PlotSpec): Plot {
  const legend = legendRow(spec.legend ?? []);
  const host = h("div", { class: "plot-host" });
  const frame = h(
    "div",
    { class: "plot-frame", tabindex: "0", role: "group", "aria-roledescription": "chart", "aria-label": spec.summary },
    host,
  );
  const element = h(
    "figure",
    { class: spec.isLane === true ? "plot lane" : "plot" },
    h("figcaption", {}, h("h3", {}, h("bdi", {}, spec.title)), ...(spec.controls ?? []), legend.row),
    frame,
    spec.note !== undefined && h("p", { class: "note" }, spec.note),
  );
  parent.append(element);

  const onCursor = (plot: uPlot): void => {
    spec.onCursor?.(plot);
    const { left = -1, top = -1, idx } = plot.cursor;
    const tip = left < 0 || idx === null || idx === undefined ? null : spec.tip(idx, plot);
    const area = plot.over.getBoundingClientRect();
    if (tip === null) hideTip();
    else showTip(tip, area.left + left, area.top + Math.max(top, 0));
  };
  const uplot = new uPlot(options(spec, host.clientWidth, onCursor), spec.data, host);
  const stopWidth = watchWidth(host, (width) => uplot.setSize({ width, height: spec.height }));
  const stopTheme = onThemeChange(() => {
    uplot.setSize({ width: printWidth() ?? host.clientWidth, height: spec.height });
    uplot.redraw(true);
  });

  return {
    element,
    uplot,
    frame,
    showLegendValues: legend.show,
    pointAt(index) {
      const at = spec.data[0]?.[index];
      if (typeof at !== "number") return;
      uplot.setCursor({ left: uplot.valToPos(at, "x"), top: uplot.over.clientHeight / 3 });
      const tip = spec.tip(index, uplot);
      if (tip !== null) speak(tip);
    },
    destroy() {
      stopWidth();
      stopTheme();
      uplot.destroy();
      element.remove();
    },
  };
}

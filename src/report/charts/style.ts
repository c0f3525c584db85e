/** What all charts share: size, colours, letters, and the frame around a drawing. */
import type { Chart, ChartConfiguration, ChartDataset, Plugin, ScaleOptionsByType } from "chart.js";
import type { PauseKind } from "../../recording/model.ts";

export const WIDTH = 1200;
export const HEIGHT = 640;
/** Columns of the drawing that data is thinned to: a bar two pixels wide each. */
export const COLUMNS = 540;
export const FONT_FAMILY = "gcspike sans";

/** The colours of report.css, light theme: Okabe and Ito's palette for the kinds, which colour-blind people tell apart. */
export const KIND_COLOURS: Readonly<Record<PauseKind, string>> = {
  scavenge: "#0072b2",
  "minor-mark-sweep": "#009e73",
  "mark-compact": "#d55e00",
  "incremental-start": "#e69f00",
  "weak-callbacks": "#cc79a7",
};
export const HEAP_COLOUR = "#41607c";
export const INSIDE_COLOUR = "#41607c";
export const OUTSIDE_COLOUR = "#e69f00";
export const THRESHOLD_COLOUR = "#a8380b";
export const MMU_COLOUR = "#00805d";
export const LOOP_COLOUR = "#00805d";
export const UTILIZATION_COLOUR = "#7d6bb5";
export const LAYER_COLOURS = [
  "#56b4e9",
  "#0072b2",
  "#009e73",
  "#e69f00",
  "#d55e00",
  "#cc79a7",
  "#7d6bb5",
  "#8a97a5",
  "#c9b458",
];
export const FLAME_COLOURS = { user: "#f3c15f", node: "#8ecbee", native: "#cbd2da", gcspike: "#e3e6ea" } as const;
export const INK = "#1f2933";
const SOFT_INK = "#52606d";
const GRID = "#e4e7eb";

const MAX_TITLE = 72;

/**
 * A name from a recording as one line of text: control, format and unassigned characters become a space, because they
 * would break the line or reverse its order, and what is too long is cut.
 */
export function plainText(text: string, limit: number = MAX_TITLE): string {
  const clean = text
    .slice(0, limit * 8)
    .replace(/\p{C}+/gu, " ")
    .replace(/\s+/gu, " ")
    .trim();
  const letters = Array.from(clean);
  return letters.length <= limit ? clean : `${letters.slice(0, limit - 1).join("")}…`;
}

export type Scale = Partial<ScaleOptionsByType<"linear" | "logarithmic" | "category">> | Record<string, unknown>;

/** One picture before it is drawn. `empty` is what to say where there is nothing to draw; what there is, is drawn too. */
export interface Drawing {
  readonly title: string;
  readonly subtitle: string;
  readonly datasets: readonly ChartDataset<"bar" | "line">[];
  readonly labels?: readonly string[];
  readonly scales: Readonly<Record<string, Scale>>;
  readonly empty: string | null;
  readonly plugins?: readonly Plugin<"bar" | "line">[];
}

export function axisTitle(text: string): Record<string, unknown> {
  return { display: true, text, color: SOFT_INK, font: { size: 14 } };
}

function scaleDefaults(id: string, scale: Scale, display: boolean): Record<string, unknown> {
  const drawsGrid = id !== "right";
  return {
    display,
    grid: { color: GRID, drawOnChartArea: drawsGrid },
    border: { color: GRID },
    ...scale,
    ticks: { color: SOFT_INK, font: { size: 13 }, maxRotation: 0, ...(scale as { ticks?: object }).ticks },
  };
}

/** Words in the middle of an empty drawing, so that nobody takes it for a broken one. */
function wordsInTheMiddle(text: string): Plugin<"bar" | "line"> {
  return {
    id: "empty",
    afterDraw(chart: Chart) {
      const { ctx, chartArea } = chart;
      ctx.save();
      ctx.font = `20px "${FONT_FAMILY}"`;
      ctx.fillStyle = SOFT_INK;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.fillText(text, (chartArea.left + chartArea.right) / 2, (chartArea.top + chartArea.bottom) / 2);
      ctx.restore();
    },
  };
}

/** The configuration that chart.js draws: no animation, no parsing, no interaction. */
export function configuration(drawing: Drawing): ChartConfiguration<"bar" | "line"> {
  const font = { family: FONT_FAMILY, size: 14 };
  const drawsData = drawing.datasets.some(({ data }) => data.length > 0);
  const scales = Object.entries(drawing.scales).map(([id, scale]) => [id, scaleDefaults(id, scale, drawsData)]);
  const plugins = [...(drawing.plugins ?? []), ...(drawing.empty === null ? [] : [wordsInTheMiddle(drawing.empty)])];
  return {
    type: "line",
    data: {
      datasets: [...drawing.datasets],
      ...(drawing.labels === undefined ? {} : { labels: [...drawing.labels] }),
    },
    options: {
      animation: false,
      responsive: false,
      normalized: true,
      font,
      layout: { padding: { top: 18, right: 28, bottom: 16, left: 18 } },
      plugins: {
        title: {
          display: true,
          text: drawing.title,
          align: "start",
          color: INK,
          font: { family: FONT_FAMILY, size: 21, weight: "normal" },
          padding: { bottom: 6 },
        },
        subtitle: {
          display: true,
          text: drawing.subtitle,
          align: "start",
          color: SOFT_INK,
          font: { family: FONT_FAMILY, size: 14, weight: "normal" },
          padding: { bottom: 12 },
        },
        legend: {
          display: drawing.datasets.length > 1,
          position: "bottom",
          align: "start",
          labels: {
            color: INK,
            font,
            boxHeight: 13,
            padding: 18,
            usePointStyle: true,
            pointStyleWidth: 22,
            // By default the legend follows the order of drawing, from front to back.
            sort: (a, b) => (a.datasetIndex ?? 0) - (b.datasetIndex ?? 0),
          },
        },
      },
      scales: Object.fromEntries(scales),
    },
    plugins,
  };
}

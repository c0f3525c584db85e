/** PNG charts, for a terminal-only CI or a chat message: the HTML report's pictures without the HTML. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ChartJSNodeCanvas } from "chartjs-node-canvas";
import { GcspikeError } from "../lib/errors.ts";
import { packageRoot } from "../lib/package.ts";
import { PICTURES, sceneOf } from "./charts/pictures.ts";
import { configuration, FONT_FAMILY, HEIGHT, WIDTH } from "./charts/style.ts";
import type { IsolateView, ReportView } from "./view-model.ts";

/** A cluster of a hundred workers would make 800 files; the HTML report has them all. */
const MAX_ISOLATES = 8;
const FONT = join("assets", "fonts", "DejaVuSans.ttf");

/** Path of the font that the package ships. */
function findFont(): string {
  const path = join(packageRoot(), FONT);
  if (existsSync(path)) return path;
  throw new GcspikeError("charts-font", `The charts' font, ${FONT}, is missing from the installation.`, {
    hint: "Install gcspike again, or write the HTML report: it draws the same charts.",
  });
}

/** Loaded on demand: the canvas is a native library of 30 MB that no other command needs. */
async function loadCanvas(): Promise<ChartJSNodeCanvas> {
  const font = findFont();
  try {
    const { GlobalFonts } = await import("canvas");
    const { ChartJSNodeCanvas } = await import("chartjs-node-canvas");
    // Without a font of its own, a machine that has none installed would get charts without a single letter.
    if (!GlobalFonts.has(FONT_FAMILY)) GlobalFonts.registerFromPath(font, FONT_FAMILY);
    return new ChartJSNodeCanvas({ width: WIDTH, height: HEIGHT, backgroundColour: "#ffffff" });
  } catch (cause) {
    throw new GcspikeError(
      "charts-canvas",
      "The PNG charts need a canvas library that does not load on this machine.",
      {
        kept: "The recording is untouched; every other report format works.",
        hint: "gcspike report --format html -o report.html draws the same charts in a browser; gcspike doctor has details.",
        cause,
      },
    );
  }
}

function totalPauseMs(isolate: IsolateView): number {
  return isolate.pauses.durationMs.reduce((sum, ms) => sum + (Number.isFinite(ms) ? ms : 0), 0);
}

/** The first isolate, which is the program's own main thread, and those that paused longest in all. */
function drawnIsolates(view: ReportView): readonly IsolateView[] {
  const [first, ...others] = view.isolates;
  if (first === undefined) return [];
  const ranked = others.map((isolate) => ({ isolate, ms: totalPauseMs(isolate) })).sort((a, b) => b.ms - a.ms);
  return [first, ...ranked.slice(0, MAX_ISOLATES - 1).map(({ isolate }) => isolate)];
}

/** Isolate ids come from the recording: only what is safe in a file name stays. */
function fileName(picture: string, isolate: IsolateView, index: number): string {
  if (index === 0) return `${picture}.png`;
  return `${picture}.${index}-${isolate.id.replace(/[^A-Za-z0-9-]+/g, "_").slice(0, 40)}.png`;
}

/**
 * The report's charts as PNG files of 1200 x 640 pixels: timeline, percentiles, histogram, mmu, heap-spaces, gc-work,
 * loop-delay and allocations of the first isolate (`timeline.png`), and of the up to seven others that paused most (`timeline.1-<id>.png`).
 * Throws a GcspikeError (charts-canvas, charts-font) where they cannot be drawn.
 */
export async function renderCharts(
  view: ReportView,
): Promise<readonly { readonly name: string; readonly bytes: Uint8Array }[]> {
  const canvas = await loadCanvas();
  return drawnIsolates(view).flatMap((isolate, index) => {
    const scene = sceneOf(view, isolate);
    return Object.entries(PICTURES).map(([picture, draw]) => ({
      name: fileName(picture, isolate, index),
      bytes: canvas.renderToBufferSync(configuration(draw(scene)), "image/png"),
    }));
  });
}

/** The chosen spike on every chart of the time axis. */
import type uPlot from "uplot";
import type { Spike } from "../../analysis/report-types.ts";
import { color } from "./theme.ts";

/** A light band over the moment of the chosen spike; used by every chart of the time axis. */
export function drawSpikeBand(plot: uPlot, spike: Spike | null): void {
  if (spike === null) return;
  const { ctx, bbox } = plot;
  const from = Math.max(plot.valToPos(spike.startMs, "x", true), bbox.left);
  const end = plot.valToPos(spike.startMs + spike.durationMs, "x", true);
  const to = Math.min(Math.max(end, from + 2 * devicePixelRatio), bbox.left + bbox.width);
  if (to <= from) return;
  ctx.save();
  ctx.fillStyle = color("accent");
  ctx.globalAlpha = 0.16;
  ctx.fillRect(from, bbox.top, to - from, bbox.height);
  ctx.restore();
}

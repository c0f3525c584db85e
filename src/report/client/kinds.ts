/** The kinds of pauses: one colour and one shape each, so that colour alone never has to tell them apart. */
import type { Spike } from "../../analysis/report-types.ts";
import { PAUSE_KINDS } from "../../recording/model.ts";

export type Shape = "circle" | "diamond" | "square" | "triangle" | "cross";

export interface Kind {
  readonly label: string;
  /** Custom property of report.css. */
  readonly color: string;
  readonly shape: Shape;
}

const SHAPES: readonly Shape[] = ["circle", "diamond", "square", "triangle", "cross"];

/** By index into PAUSE_KINDS. */
export const KINDS: readonly Kind[] = PAUSE_KINDS.map((kind, i) => ({
  label: kind,
  color: kind,
  shape: SHAPES[i] ?? "circle",
}));

const OTHER: Kind = { label: "other", color: "muted", shape: "cross" };

export function kindOf(index: number | undefined): Kind {
  return (index === undefined ? undefined : KINDS[index]) ?? OTHER;
}

/** "incremental-steps" is no pause and has its own colour. */
export function spikeColor(kind: Spike["kind"]): string {
  return kind === "incremental-steps" ? "gc-outside" : kind;
}

/** Draws a filled shape of about `size` pixels around (x, y). */
export function drawShape(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, size: number): void {
  const r = size / 2;
  context.beginPath();
  if (shape === "circle") context.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape === "square") context.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  else if (shape === "cross") {
    context.rect(x - r, y - r / 3, 2 * r, (2 * r) / 3);
    context.rect(x - r / 3, y - r, (2 * r) / 3, 2 * r);
  } else {
    context.moveTo(x, y - r);
    context.lineTo(x + r, shape === "diamond" ? y : y + r);
    context.lineTo(shape === "diamond" ? x : x - r, y + r);
    if (shape === "diamond") context.lineTo(x - r, y);
    context.closePath();
  }
  context.fill();
}

/** The shape as a small picture for legends. */
export function shapeIcon({ shape, color }: Pick<Kind, "shape" | "color">): HTMLElement {
  const icon = document.createElement("span");
  icon.className = `shape shape-${shape}`;
  icon.style.background = `var(--${color})`;
  icon.setAttribute("aria-hidden", "true");
  return icon;
}

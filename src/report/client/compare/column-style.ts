/** How a column is told apart in every picture: a colour and a dash each, so that colour alone never has to do it. */

import { h } from "../dom.ts";
import type { ComparisonData } from "./data.ts";

interface ColumnStyle {
  /** Custom property of compare.css. */
  readonly color: string;
  /** CSS pixels on and off; empty: a line without gaps. */
  readonly dash: readonly number[];
}

const COLORS = 6;
const DASHES: readonly (readonly number[])[] = [[], [9, 4], [2, 3], [9, 3, 2, 3]];

/** As many columns as there are pairs of them have pairs of their own, and neighbours differ in both. */
export function columnStyle(index: number): ColumnStyle {
  const round = Math.floor(index / (2 * COLORS));
  return { color: `column-${index % COLORS}`, dash: DASHES[(index + round) % DASHES.length] ?? [] };
}

/** The column's line and its name, cut to what there is room for. */
export function columnTitle(
  index: number,
  { name, label }: ComparisonData["columns"][number],
): readonly [HTMLElement, HTMLElement] {
  return [columnIcon(index), h("bdi", { class: "column-name", title: name }, label)];
}

const SVG = "http://www.w3.org/2000/svg";

/** A piece of the column's line, for legends and headings. */
export function columnIcon(index: number): HTMLElement {
  const { color, dash } = columnStyle(index);
  const icon = document.createElement("span");
  icon.className = "column-icon";
  icon.setAttribute("aria-hidden", "true");
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 26 10");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", "M1 5H25");
  line.setAttribute("stroke-dasharray", dash.join(" "));
  line.style.stroke = `var(--${color})`;
  picture.append(line);
  icon.append(picture);
  return icon;
}

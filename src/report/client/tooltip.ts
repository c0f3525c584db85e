/** One tooltip for the page, beside whatever is pointed at. */
import { h } from "./dom.ts";

interface TipRow {
  readonly label: string;
  readonly value: string;
  /** Custom property of report.css, for the mark before the label. */
  readonly color?: string;
}

export interface Tip {
  readonly title: string;
  readonly rows: readonly TipRow[];
  readonly note?: string;
}

const GAP = 14;
const MARGIN = 8;

const box = h("div", { class: "tip", role: "presentation", hidden: true });
/** What the tooltip says, for those who move with the keyboard and listen. */
const spoken = h("div", { class: "visually-hidden", "aria-live": "polite" });

export function installTooltip(): void {
  document.body.append(box, spoken);
  addEventListener("scroll", hideTip, { passive: true });
}

function row({ label, value, color }: TipRow): HTMLElement {
  const mark = h("span", { class: "tip-mark" });
  if (color !== undefined) mark.style.background = `var(--${color})`;
  return h("div", { class: "tip-row" }, mark, h("bdi", { class: "tip-label" }, label), h("span", {}, value));
}

/** Shows the tip near a point of the window, on the side where there is room. */
export function showTip(tip: Tip, x: number, y: number): void {
  box.replaceChildren(
    h("bdi", { class: "tip-title" }, tip.title),
    ...tip.rows.map(row),
    tip.note === undefined ? "" : h("div", { class: "tip-note" }, tip.note),
  );
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  const right = x + GAP + width > innerWidth - MARGIN;
  const left = Math.max(MARGIN, right ? x - GAP - width : x + GAP);
  const top = Math.min(Math.max(MARGIN, y - height / 2), innerHeight - height - MARGIN);
  box.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

export function hideTip(): void {
  box.hidden = true;
}

export function speak(tip: Tip): void {
  const rows = tip.rows.map(({ label, value }) => `${label} ${value}`);
  spoken.textContent = [tip.title, ...rows, tip.note ?? ""].filter((part) => part !== "").join(", ");
}

/** What stretch of time is in view, and the buttons that move it. */
import { button, h } from "./dom.ts";
import { moment, ms } from "./format.ts";
import type { TimeControl } from "./time-view.ts";

/** Says what part of the recording is in view, with the buttons that change it. */
function viewBar(view: TimeControl, what: string): HTMLElement {
  const label = h("p", { class: "view-range", "aria-live": "polite" });
  const thumb = h("span", { class: "view-thumb" });
  const reset = button(`Whole ${what}`, () => view.showAll(), { "data-action": "reset" });
  const update = (): void => {
    const { min, max } = view.state.range;
    label.textContent = view.isZoomed
      ? `${moment(min)} to ${moment(max)}, ${ms(max - min)} of ${ms(view.whole.max)}`
      : `The whole ${what}, ${ms(view.whole.max)}`;
    thumb.style.left = `${(min / view.whole.max) * 100}%`;
    thumb.style.width = `${((max - min) / view.whole.max) * 100}%`;
    reset.disabled = !view.isZoomed;
  };
  view.subscribe(update);
  update();
  return h(
    "div",
    { class: "view-bar" },
    label,
    h(
      "div",
      { class: "view-buttons" },
      button("Zoom in", () => view.zoom(0.5)),
      button("Zoom out", () => view.zoom(2)),
      button("Earlier", () => view.pan(-0.5)),
      button("Later", () => view.pan(0.5)),
      reset,
    ),
    h("div", { class: "view-track", "aria-hidden": "true" }, thumb),
  );
}

/** `what` is all that can be in view. */
export function timelineControls(view: TimeControl, what: "recording" | "time"): readonly HTMLElement[] {
  return [
    viewBar(view, what),
    h(
      "p",
      { class: "hint" },
      `Drag across a chart to zoom in, double-click for the whole ${what}. Ctrl and wheel, or two fingers, zoom too; on the keyboard + and -, arrows, 0.`,
    ),
  ];
}

/** Moving in time with wheel, fingers and keys; dragging with the mouse is uPlot's own. */
import type { Plot } from "./plot.ts";
import type { TimeControl } from "./time-view.ts";

const WHEEL_ZOOM = 1.0025;
const KEY_ZOOM = 0.6;
const KEY_PAN = 0.25;

/** Ctrl and wheel zooms (a trackpad's pinch arrives as just that), wheeling sideways moves; the plain wheel scrolls on. */
function onWheel(event: WheelEvent, { uplot }: Plot, view: TimeControl): void {
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    const left = event.clientX - uplot.over.getBoundingClientRect().left;
    view.zoom(WHEEL_ZOOM ** event.deltaY, uplot.posToVal(left, "x"));
  } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && view.isZoomed) {
    event.preventDefault();
    view.pan(event.deltaX / uplot.over.clientWidth);
  }
}

/** Two fingers zoom and move; one finger moves the cursor sideways, and up and down scrolls the page (touch-action). */
function listenToTouch({ uplot }: Plot, view: TimeControl): void {
  const { over } = uplot;
  const fingers = new Map<number, number>();
  const place = (event: PointerEvent): number => event.clientX - over.getBoundingClientRect().left;
  const pinch = (id: number, left: number): void => {
    const [other] = [...fingers].filter(([finger]) => finger !== id).map(([, at]) => at);
    const before = fingers.get(id);
    if (other === undefined || before === undefined) return;
    const factor = Math.max(Math.abs(before - other), 1) / Math.max(Math.abs(left - other), 1);
    view.zoom(factor, uplot.posToVal(other, "x"));
  };
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") fingers.set(event.pointerId, place(event));
  });
  over.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const left = place(event);
    if (fingers.size === 1) uplot.setCursor({ left, top: 20 });
    else pinch(event.pointerId, left);
    fingers.set(event.pointerId, left);
  });
  const lift = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
  };
  over.addEventListener("pointerup", lift);
  over.addEventListener("pointercancel", lift);
}

/** The data index that the arrow keys go to: the next one that is at least a pixel away. */
function nextIndex({ uplot }: Plot, direction: 1 | -1, view: TimeControl): number | null {
  const times = uplot.data[0];
  const { min, max } = view.state.range;
  const from =
    uplot.cursor.left !== undefined && uplot.cursor.left >= 0 ? uplot.posToVal(uplot.cursor.left, "x") : null;
  const pixel = (max - min) / Math.max(uplot.over.clientWidth, 1);
  const start = from === null ? (direction === 1 ? min : max) : from + direction * pixel;
  let index = uplot.valToIdx(start);
  while ((times[index] ?? Number.NaN) * direction < start * direction) index += direction;
  const at = times[index];
  return typeof at === "number" && at >= min && at <= max ? index : null;
}

function onKey(event: KeyboardEvent, plot: Plot, view: TimeControl): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : null;
  if (event.key === "+" || event.key === "=") view.zoom(KEY_ZOOM);
  else if (event.key === "-") view.zoom(1 / KEY_ZOOM);
  else if (event.key === "0" || event.key === "Escape") view.showAll();
  else if (arrow !== null && event.shiftKey) view.pan(arrow * KEY_PAN);
  else if (arrow !== null) {
    const index = nextIndex(plot, arrow, view);
    if (index !== null) plot.pointAt(index);
  } else return;
  event.preventDefault();
}

export function listenToGestures(plot: Plot, view: TimeControl): void {
  const { over } = plot.uplot;
  over.addEventListener("wheel", (event) => onWheel(event, plot, view), { passive: false });
  listenToTouch(plot, view);
  plot.frame.addEventListener("keydown", (event) => onKey(event, plot, view));
}

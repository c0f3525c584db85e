/** Who allocated, and when: a strip of windows to choose from, the flame graph of the choice, its top functions. */
import type uPlot from "uplot";
import { button, h, meter, name } from "./dom.ts";
import { createFlameGraph, type FlameGraph, flameLegend } from "./flame-graph.ts";
import { bytes, moment, plural, share } from "./format.ts";
import { byteAxis, createPlot, fromZero, type Plot } from "./plot.ts";
import type { Store } from "./store.ts";
import { color } from "./theme.ts";
import { timeAxis } from "./time-axis.ts";
import { topFunctions, type WindowRange, windowsTree } from "./window-flame.ts";
import type { AllocationData } from "./wire.ts";

const TOP_FUNCTIONS = 10;
/** What was allocated this long before a spike is what fed it. */
const BEFORE_SPIKE_MS = 2000;

/** The windows that touch a stretch of time; empty where none does. */
function windowsWithin({ windows }: AllocationData, min: number, max: number): WindowRange {
  const from = windows.findIndex((window) => window.endMs > min);
  const to = windows.findLastIndex((window) => window.startMs < max) + 1;
  return from < 0 || to <= from ? { from: 0, to: 0 } : { from, to };
}

function drawStrip(plot: uPlot, { windows }: AllocationData, chosen: WindowRange): void {
  const { ctx, bbox } = plot;
  const bottom = bbox.top + bbox.height;
  for (const [i, window] of windows.entries()) {
    const left = Math.round(plot.valToPos(window.startMs, "x", true));
    const right = Math.round(plot.valToPos(window.endMs, "x", true));
    const top = plot.valToPos(window.bytes, "y", true);
    if (!Number.isFinite(top)) continue;
    ctx.fillStyle = color(i >= chosen.from && i < chosen.to ? "accent" : "faint");
    ctx.fillRect(left, top, Math.max(right - left - devicePixelRatio, devicePixelRatio), bottom - top);
  }
}

class Allocations {
  readonly #store: Store;
  readonly #data: AllocationData;
  readonly #graph: FlameGraph;
  readonly #label = h("p", { class: "view-range", "aria-live": "polite" });
  readonly #top = h("div", { class: "top-functions" });
  readonly #found = h("span", { class: "legend-value", "aria-live": "polite" });
  readonly #search = h("input", {
    type: "search",
    placeholder: "Find a function or file",
    "aria-label": "Find a function or file",
  });
  readonly #all: WindowRange;
  #chosen: WindowRange;
  #strip: Plot | null = null;

  constructor(store: Store, data: AllocationData) {
    this.#store = store;
    this.#data = data;
    this.#graph = createFlameGraph(data.frames, { label: "Allocation flame graph" });
    this.#all = { from: 0, to: data.windows.length };
    this.#chosen = this.#all;
  }

  draw(host: HTMLElement): void {
    const strip = h("div", {});
    host.append(strip, this.#controls(), this.#legend(), this.#graph.element, this.#top);
    this.#strip = this.#drawStrip(strip);
    this.#search.addEventListener("input", () => this.#showMatches());
    this.choose(this.#all);
  }

  destroy(): void {
    this.#strip?.destroy();
    this.#graph.destroy();
  }

  choose(range: WindowRange): void {
    this.#chosen = range;
    this.#strip?.uplot.redraw(false);
    const { windows } = this.#data;
    const tree = windowsTree(this.#data, range);
    const from = windows[range.from]?.startMs;
    const to = windows[range.to - 1]?.endMs;
    this.#label.textContent =
      range.to === range.from
        ? "No allocations were sampled in this range."
        : `${bytes(tree.total)} allocated from ${moment(from)} to ${moment(to)}, ${plural(range.to - range.from, "window")}`;
    this.#graph.show(tree, "all allocations");
    this.#showMatches();
    this.#drawTop(tree.total);
  }

  chooseWithin(min: number, max: number): void {
    this.choose(windowsWithin(this.#data, min, max));
  }

  #step(by: 1 | -1): void {
    const { from, to } = this.#chosen;
    const length = to - from === this.#all.to ? 1 : Math.max(to - from, 1);
    const start = to - from === this.#all.to ? (by === 1 ? 0 : this.#all.to - 1) : from + by * length;
    const first = Math.min(Math.max(start, 0), this.#all.to - length);
    this.choose({ from: first, to: first + length });
  }

  #drawStrip(parent: HTMLElement): Plot {
    const { windows } = this.#data;
    const { max } = this.#store.whole;
    return createPlot(parent, {
      title: "Allocation over time",
      summary: `Allocated bytes in ${plural(windows.length, "window")} of about a second. Drag across it to choose windows, or use the buttons below.`,
      height: 110,
      data: [windows.map((w) => (w.startMs + w.endMs) / 2), windows.map((w) => w.bytes)],
      series: [{ paths: () => null, points: { show: false } }],
      x: {
        scale: { range: () => [0, max] },
        axis: timeAxis,
      },
      y: { scale: fromZero, axis: { ...byteAxis, space: 26, values: (_plot, splits) => splits.map(bytes) } },
      draw: (plot) => drawStrip(plot, this.#data, this.#chosen),
      tip: (i) => {
        const window = windows[i];
        if (window === undefined) return null;
        const title = `${moment(window.startMs)} to ${moment(window.endMs)}`;
        return { title, rows: [{ label: "allocated", value: bytes(window.bytes), color: "accent" }] };
      },
      onSelect: (from, to) => this.chooseWithin(from, to),
      onDoubleClick: () => this.choose(this.#all),
    });
  }

  #controls(): HTMLElement {
    const inView = (): void => this.chooseWithin(this.#store.state.range.min, this.#store.state.range.max);
    return h(
      "div",
      { class: "view-bar" },
      this.#label,
      h(
        "div",
        { class: "view-buttons" },
        button("Earlier", () => this.#step(-1), { "aria-label": "Earlier allocation window" }),
        button("Later", () => this.#step(1), { "aria-label": "Later allocation window" }),
        button("What the timeline shows", inView),
        button("All", () => this.choose(this.#all), { "aria-label": "All allocation windows" }),
      ),
    );
  }

  #legend(): HTMLElement {
    const search = h("div", { class: "flame-search" }, this.#search, this.#found);
    return h("div", { class: "flame-head" }, flameLegend(this.#data.frames), search);
  }

  #showMatches(): void {
    const found = this.#graph.search(this.#search.value);
    this.#found.textContent = this.#search.value.trim() === "" ? "" : `${share(found)} of the bytes`;
  }

  #drawTop(total: number): void {
    const top = topFunctions(this.#data, this.#chosen, TOP_FUNCTIONS);
    this.#top.hidden = top.length === 0;
    const rows = top.map(({ frame, bytes: allocated }) => {
      const { name: label = "", location = "" } = this.#data.frames[frame] ?? {};
      return h(
        "tr",
        {},
        h("td", {}, name(label), " ", name(location, "where")),
        h("td", { class: "number" }, bytes(allocated)),
        h("td", { class: "number" }, share(allocated / total)),
        h("td", { class: "bar" }, meter(allocated / total)),
      );
    });
    this.#top.replaceChildren(
      h("h3", {}, "What your code allocates most"),
      h("p", { class: "note" }, "Bytes go to the innermost function of your code or its packages."),
      h("table", {}, h("tbody", {}, ...rows)),
    );
  }
}

export interface AllocationSection {
  /** Shows what was allocated before and in a spike. */
  showBefore(spike: { readonly startMs: number; readonly durationMs: number }): void;
  destroy(): void;
}

export function drawAllocations(host: HTMLElement, store: Store): AllocationSection {
  const data = store.state.isolate.allocations;
  if (data === null || data.windows.length === 0) {
    const text =
      data === null
        ? "Allocations were not sampled in this recording."
        : "No allocations were sampled in this isolate.";
    host.append(h("p", { class: "empty" }, text));
    return { showBefore: () => undefined, destroy: () => undefined };
  }
  const allocations = new Allocations(store, data);
  allocations.draw(host);
  return {
    showBefore: ({ startMs, durationMs }) => allocations.chooseWithin(startMs - BEFORE_SPIKE_MS, startMs + durationMs),
    destroy: () => allocations.destroy(),
  };
}

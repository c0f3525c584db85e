/** The flame graph: root above, a function's callees below it, as wide as the bytes they allocated; and the same as a table. */
import { type FlameTree, OTHER } from "../../analysis/flame-tree.ts";
import { h } from "./dom.ts";
import { createFlameTable, type FlameTable } from "./flame-table.ts";
import { bytes, share } from "./format.ts";
import { swatch } from "./plot.ts";
import { color, onThemeChange, printWidth } from "./theme.ts";
import { hideTip, showTip, speak, type Tip } from "./tooltip.ts";
import type { AllocationData } from "./wire.ts";

const ROW = 21;
const FONT = "12px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
/** Narrower than that nobody can point at it, and towers of such boxes would leave the rest of the graph empty. */
const NARROWEST = 3;
const NARROWEST_DRAWN = 0.5;
const NARROWEST_TEXT = 28;
const TEXT_INSET = 5;
const SHADES = 3;
/** Length of a stitch and of the gap behind it. */
const SEAM = 4;

interface Box {
  readonly node: FlameTree;
  readonly parent: Box | null;
  readonly depth: number;
  /** CSS pixels. */
  readonly left: number;
  readonly width: number;
}

export interface FlameOptions {
  /** What assistive technology calls it. */
  readonly label: string;
  /** What stands beside it on paper, CSS pixels. */
  readonly besideOnPaper?: number;
  /** Of a graph that shows a change: bytes more than before, below 0 for less; null: not known. Colours then say this. */
  readonly grownBy?: (node: FlameTree) => number | null;
}

export interface FlameGraph {
  readonly element: HTMLElement;
  /** `name`: what the root is called. */
  show(root: FlameTree, name: string): void;
  /** Marks the functions whose name or file contains the text; "" marks none. Returns their share of the bytes in view. */
  search(text: string): number;
  destroy(): void;
}

/** Lays out what is wide enough to be seen, callees by size. The path to `focus` is drawn above it, full width. */
function layOut(root: FlameTree, focus: readonly FlameTree[], width: number): Box[] {
  const boxes: Box[] = [];
  const place = (node: FlameTree, parent: Box | null, depth: number, left: number, scale: number): void => {
    const box: Box = { node, parent, depth, left, width: node.total * scale };
    boxes.push(box);
    let x = left;
    for (const child of node.children) {
      if (child.total * scale >= NARROWEST) place(child, box, depth + 1, x, scale);
      x += child.total * scale;
    }
  };
  let parent: Box | null = null;
  const path = [root, ...focus];
  for (const [depth, node] of path.slice(0, -1).entries()) {
    parent = { node, parent, depth, left: 0, width };
    boxes.push(parent);
  }
  const last = path.at(-1) ?? root;
  if (last.total > 0) place(last, parent, path.length - 1, 0, width / last.total);
  return boxes;
}

type Frames = AllocationData["frames"];

interface Names {
  readonly frames: Frames;
  /** What the root is called. */
  readonly root: string;
  readonly grownBy: FlameOptions["grownBy"];
}

const nameOf = ({ frames, root }: Names, { frame }: FlameTree): string =>
  frame === OTHER ? "other" : (frames[frame]?.name ?? root);

function matches(frames: Frames, frame: number, needle: string): boolean {
  const text = frames[frame];
  return text !== undefined && `${text.name} ${text.location}`.toLowerCase().includes(needle);
}

/** Bytes under matching functions, each counted once however deep they call each other. */
function matchedBytes(frames: Frames, node: FlameTree, needle: string): number {
  if (matches(frames, node.frame, needle)) return node.total;
  return node.children.reduce((sum, child) => sum + matchedBytes(frames, child, needle), 0);
}

interface Look extends Names {
  /** Bytes of the whole graph. */
  readonly whole: number;
  readonly needle: string;
  readonly pointed: Box | null;
  readonly focusDepth: number;
}

function fillOf(
  { node, depth }: Box,
  { frames, needle, focusDepth, grownBy, whole }: Look,
): { fill: string; alpha: number } {
  if (needle !== "" && matches(frames, node.frame, needle)) return { fill: color("flame-match"), alpha: 1 };
  const name = grownBy === undefined ? colorName(frames, node) : changeColor(grownBy(node), whole);
  return { fill: color(name), alpha: needle !== "" || depth < focusDepth ? 0.45 : 1 };
}

/** Most of its bytes were allocated where the optimiser had put it into its caller. */
function isInlined({ inlined, total }: FlameTree): boolean {
  return inlined > total / 2;
}

function colorName(frames: Frames, { frame }: FlameTree): string {
  const known = frames[frame];
  if (known !== undefined) return `flame-${known.origin}-${frame % SHADES}`;
  return frame === OTHER ? "flame-other" : "flame-root";
}

/** Parts of the whole graph from which on a change is strong, clear, and worth a colour at all. */
const CHANGES = [0.1, 0.02, 0.002];

function changeColor(grownBy: number | null, whole: number): string {
  if (grownBy === null) return "flame-other";
  const rank = CHANGES.findIndex((part) => Math.abs(grownBy) >= part * whole);
  return rank < 0 ? "flame-same" : `flame-${grownBy > 0 ? "more" : "less"}-${rank}`;
}

/** Along the border to the caller: there is no call. */
function drawSeam(context: CanvasRenderingContext2D, left: number, top: number, width: number): void {
  context.fillStyle = color("flame-ink");
  for (let x = 0; x < width - 1; x += 2 * SEAM) context.fillRect(left + x, top, Math.min(SEAM, width - 1 - x), 1.5);
}

function drawBox(context: CanvasRenderingContext2D, box: Box, look: Look, characterWidth: number): void {
  const { left, width, depth, node } = box;
  const top = depth * ROW;
  const { fill, alpha } = fillOf(box, look);
  context.globalAlpha = alpha;
  context.fillStyle = fill;
  context.fillRect(left, top, Math.max(width - 1, NARROWEST_DRAWN), ROW - 1);
  context.globalAlpha = 1;
  if (isInlined(node)) drawSeam(context, left, top, width);
  if (look.pointed === box) {
    context.strokeStyle = color("ink");
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, top + 0.75, Math.max(width - 2.5, 1), ROW - 2.5);
  }
  if (width < NARROWEST_TEXT) return;
  const room = Math.floor((width - 2 * TEXT_INSET) / characterWidth);
  const text = nameOf(look, node);
  context.fillStyle = color(alpha < 1 ? "ink" : "flame-ink");
  context.fillText(
    text.length > room ? `${text.slice(0, Math.max(room - 1, 1))}…` : text,
    left + TEXT_INSET,
    top + ROW / 2,
  );
}

function tipOf(names: Names, { node }: Box, whole: number): Tip {
  const inlined = { label: "inlined into its caller", value: share(node.inlined / node.total) };
  return {
    title: nameOf(names, node),
    rows: [
      { label: "with what it calls", value: `${bytes(node.total)}, ${share(node.total / whole)}` },
      { label: "itself", value: `${bytes(node.self)}, ${share(node.self / whole)}` },
      ...changeRow(names.grownBy?.(node) ?? null),
      ...(node.inlined > 0 ? [inlined] : []),
    ],
    note: noteOf(names.frames, node),
  };
}

function changeRow(grownBy: number | null): readonly { readonly label: string; readonly value: string }[] {
  if (grownBy === null) return [];
  return [{ label: "against before", value: `${grownBy < 0 ? "-" : "+"}${bytes(Math.abs(grownBy))}` }];
}

function noteOf(frames: Frames, { frame }: FlameTree): string {
  if (frame === OTHER) return "Smaller calls, which are not in this file one by one.";
  const known = frames[frame];
  if (known === undefined) return "The whole graph.";
  return known.location === "" ? `${known.origin} code` : known.location;
}

/** The box that an arrow key leads to from `from`. */
function neighbour(boxes: readonly Box[], from: Box, key: string): Box | undefined {
  if (key === "ArrowUp") return from.parent ?? undefined;
  if (key === "ArrowDown") return boxes.find((box) => box.parent === from);
  const row = boxes.filter((box) => box.depth === from.depth);
  return row[row.indexOf(from) + (key === "ArrowRight" ? 1 : -1)];
}

/** One graph: what it draws, and what is pointed at. */
class Graph implements FlameGraph {
  readonly element: HTMLElement;
  readonly #canvas = h("canvas", {
    tabindex: "0",
    role: "group",
    "aria-roledescription": "flame graph",
  });
  readonly #trail = h("nav", { class: "trail", "aria-label": "Path of the flame graph" });
  readonly #table: FlameTable;
  readonly #besideOnPaper: number;
  #names: Names;
  #root: FlameTree | null = null;
  #focus: readonly FlameTree[] = [];
  #boxes: readonly Box[] = [];
  #pointed: Box | null = null;
  #needle = "";
  readonly #stop: readonly (() => void)[];

  constructor(frames: Frames, { label, besideOnPaper = 0, grownBy }: FlameOptions) {
    this.#names = { frames, root: "", grownBy };
    this.#besideOnPaper = besideOnPaper;
    this.#canvas.setAttribute("aria-label", `${label}. Arrow keys move, Enter zooms in, Escape zooms out.`);
    this.#table = createFlameTable(label);
    const scroll = h("div", { class: "flame-scroll" }, this.#canvas);
    this.element = h("div", { class: "flame" }, this.#trail, scroll, this.#table.element);
    this.#listen();
    const resizing = new ResizeObserver(() => this.#layOut());
    resizing.observe(this.element);
    this.#stop = [() => resizing.disconnect(), onThemeChange(() => this.#layOut())];
  }

  destroy(): void {
    for (const stop of this.#stop) stop();
    this.element.remove();
  }

  show(root: FlameTree, name: string): void {
    this.#root = root;
    this.#names = { ...this.#names, root: name };
    this.#zoom([]);
  }

  search(text: string): number {
    this.#needle = text.trim().toLowerCase();
    this.#draw();
    const view = this.#focus.at(-1) ?? this.#root;
    if (view === null || this.#needle === "" || view.total === 0) return 0;
    return matchedBytes(this.#names.frames, view, this.#needle) / view.total;
  }

  #zoom(path: readonly FlameTree[]): void {
    this.#focus = path;
    this.#pointed = null;
    hideTip();
    this.#drawTrail();
    this.#layOut();
    const view = path.at(-1) ?? this.#root;
    if (view === null) return;
    this.#table.show(view, (node) => ({
      name: nameOf(this.#names, node),
      location: this.#names.frames[node.frame]?.location ?? "",
      isInlined: isInlined(node),
    }));
  }

  #drawTrail(): void {
    const path = [null, ...this.#focus];
    this.#trail.replaceChildren(
      ...path.map((node, depth) => {
        const label = node === null ? this.#names.root : nameOf(this.#names, node);
        const crumb = h("button", { type: "button", ...(depth === path.length - 1 && { "aria-current": "true" }) });
        crumb.append(h("bdi", {}, label));
        crumb.addEventListener("click", () => this.#zoom(this.#focus.slice(0, depth)));
        return crumb;
      }),
    );
    this.#trail.hidden = this.#focus.length === 0;
  }

  #layOut(): void {
    const paper = printWidth();
    const width = paper === null ? this.element.clientWidth : paper - this.#besideOnPaper;
    if (this.#root === null || width === 0) return;
    this.#boxes = layOut(this.#root, this.#focus, width);
    // The page may be laid out anew at any time: what is pointed at stays so, in its new box.
    this.#pointed = this.#boxes.find(({ node }) => node === this.#pointed?.node) ?? null;
    const height = ROW * (1 + this.#boxes.reduce((deepest, box) => Math.max(deepest, box.depth), 0));
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#canvas.style.height = `${height}px`;
    this.#draw();
  }

  #draw(): void {
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.font = FONT;
    context.textBaseline = "middle";
    context.direction = "ltr";
    const characterWidth = context.measureText("m").width;
    const look = {
      ...this.#names,
      whole: this.#root?.total ?? 0,
      needle: this.#needle,
      pointed: this.#pointed,
      focusDepth: this.#focus.length,
    };
    for (const box of this.#boxes) drawBox(context, box, look, characterWidth);
  }

  #boxAt(event: MouseEvent): Box | null {
    const area = this.#canvas.getBoundingClientRect();
    const x = event.clientX - area.left;
    const depth = Math.floor((event.clientY - area.top) / ROW);
    return this.#boxes.findLast((box) => box.depth === depth && x >= box.left && x < box.left + box.width) ?? null;
  }

  #point(box: Box | null): Tip | null {
    if (box !== this.#pointed) {
      this.#pointed = box;
      this.#draw();
    }
    return box === null ? null : tipOf(this.#names, box, this.#root?.total ?? Number.NaN);
  }

  #zoomTo(box: Box): void {
    if (box.node.frame === OTHER) return;
    const path: FlameTree[] = [];
    for (let at: Box | null = box; at !== null && at.depth > 0; at = at.parent) path.unshift(at.node);
    this.#zoom(path);
  }

  #listen(): void {
    this.#canvas.addEventListener("mousemove", (event) => {
      const tip = this.#point(this.#boxAt(event));
      if (tip === null) hideTip();
      else showTip(tip, event.clientX, event.clientY);
    });
    this.#canvas.addEventListener("mouseleave", () => {
      this.#point(null);
      hideTip();
    });
    this.#canvas.addEventListener("click", (event) => {
      const box = this.#boxAt(event);
      if (box !== null) this.#zoomTo(box);
    });
    this.#canvas.addEventListener("keydown", (event) => this.#onKey(event));
  }

  #onKey(event: KeyboardEvent): void {
    const at = this.#pointed ?? this.#boxes.find((box) => box.depth === this.#focus.length) ?? null;
    if (at === null) return;
    if (event.key === "Enter") this.#zoomTo(at);
    else if (event.key === "Escape") this.#zoom(this.#focus.slice(0, -1));
    else if (event.key.startsWith("Arrow")) {
      const next = this.#pointed === null ? at : (neighbour(this.#boxes, at, event.key) ?? at);
      const tip = this.#point(next);
      const area = this.#canvas.getBoundingClientRect();
      if (tip !== null) {
        showTip(tip, area.left + next.left, area.top + (next.depth + 1) * ROW);
        speak(tip);
      }
    } else return;
    event.preventDefault();
  }
}

export function createFlameGraph(frames: Frames, options: FlameOptions): FlameGraph {
  return new Graph(frames, options);
}

/** What the colours say, and the seams where there are any. */
export function flameLegend(frames: Frames): HTMLElement {
  const origins = [
    ["flame-user-0", "your code and its packages"],
    ["flame-node-0", "Node's own JavaScript"],
    ["flame-native-0", "native"],
  ] as const;
  const seam = h("li", {}, swatch("flame-user-0", "seam"), "inlined into its caller");
  return h(
    "ul",
    { class: "legend" },
    ...origins.map(([key, label]) => h("li", {}, swatch(key), label)),
    frames.some(({ inlinedOf }) => inlinedOf !== undefined) && seam,
  );
}

/** A flame graph as a table, for those who listen to the page and those who copy from it. */
import type { FlameTree } from "../../analysis/flame-tree.ts";
import { h, name } from "./dom.ts";
import { bytes, share } from "./format.ts";

/** Calls with less of the bytes are not in the table, nor is what is behind so many. */
const LEAST_SHARE = 0.01;
const MOST_ROWS = 100;
/** Deeper calls are moved in no further. */
const MOST_STEPS = 24;
const STEP = 10;

export interface CallText {
  readonly name: string;
  readonly location: string;
  readonly isInlined: boolean;
}

interface Call {
  readonly node: FlameTree;
  readonly depth: number;
}

export interface FlameTable {
  readonly element: HTMLElement;
  /** Shows a tree, or the part of one that is in view; `textOf` says what a call is called. */
  show(tree: FlameTree, textOf: (node: FlameTree) => CallText): void;
}

/** Callers before what they called. */
function largeCalls(tree: FlameTree): readonly Call[] {
  const calls: Call[] = [];
  const add = (node: FlameTree, depth: number): void => {
    if (node.total < tree.total * LEAST_SHARE) return;
    calls.push({ node, depth });
    for (const child of node.children) add(child, depth + 1);
  };
  add(tree, 0);
  return calls;
}

function row({ node, depth }: Call, whole: number, text: CallText): HTMLElement {
  const level = h("span", { class: "visually-hidden" }, `level ${depth}: `);
  const inlined = text.isInlined && h("span", { class: "where" }, " (inlined)");
  const call = h("th", { scope: "row" }, level, name(text.name), inlined, " ", name(text.location, "where"));
  call.style.paddingLeft = `${Math.min(depth, MOST_STEPS) * STEP}px`;
  const cell = (value: string): HTMLElement => h("td", { class: "number" }, value);
  return h("tr", {}, call, cell(bytes(node.total)), cell(share(node.total / whole)), cell(bytes(node.self)));
}

function head(): HTMLElement {
  const titles = ["With what it calls", "Share", "Itself"];
  const cells = titles.map((title) => h("th", { scope: "col", class: "number" }, title));
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Call"), ...cells));
}

/** Closed, and empty until somebody opens it. */
export function createFlameTable(label: string): FlameTable {
  const host = h("div", { class: "flame-rows" });
  const element = h("details", { class: "flame-table" }, h("summary", {}, "As a table"), host);
  let draw = (): void => undefined;
  element.addEventListener("toggle", () => {
    if (element.open) draw();
  });
  const show: FlameTable["show"] = (tree, textOf) => {
    draw = () => {
      const calls = largeCalls(tree);
      const rows = calls.slice(0, MOST_ROWS).map((call) => row(call, tree.total, textOf(call.node)));
      const caption = h("caption", { class: "visually-hidden" }, label);
      const left = calls.length > MOST_ROWS ? `, and all behind the first ${MOST_ROWS},` : "";
      host.replaceChildren(
        h("table", {}, caption, head(), h("tbody", {}, ...rows)),
        h("p", { class: "note" }, `Calls with less than ${share(LEAST_SHARE)} of the bytes${left} are left out.`),
      );
    };
    if (element.open) draw();
  };
  return { element, show };
}

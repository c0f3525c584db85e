/** Who allocates more: both sides of a check as flame graphs, coloured by what changed. */
import type { FlameTree } from "../../../analysis/flame-tree.ts";
import { OTHER } from "../../../analysis/flame-tree.ts";
import { button, h } from "../dom.ts";
import { growTree } from "../flame-columns.ts";
import { createFlameGraph } from "../flame-graph.ts";
import { bytes } from "../format.ts";
import { swatch } from "../plot.ts";
import type { FlameDifferenceData } from "./data.ts";

const WHAT = {
  allocated: "What was allocated in a run",
  survived: "What survived a collection, of a run",
  kept: "What is kept at the end of a run",
} as const;

/** Bytes of every call of `of` in the other tree, which has none of a call that it lacks; not known below an OTHER. */
function counterparts(of: FlameTree, other: FlameTree | null, into: Map<FlameTree, number | null>): void {
  into.set(of, other?.total ?? 0);
  const hasRest = other?.children.some(({ frame }) => frame === OTHER) === true;
  for (const child of of.children) {
    const found = other?.children.find(({ frame }) => frame === child.frame) ?? null;
    if (child.frame === OTHER || (found === null && hasRest)) into.set(child, null);
    else counterparts(child, found, into);
  }
}

function legend(): HTMLElement {
  const items = [
    ["flame-more-0", "more than before"],
    ["flame-less-0", "less"],
    ["flame-same", "as before"],
  ] as const;
  return h("ul", { class: "legend" }, ...items.map(([key, label]) => h("li", {}, swatch(key), label)));
}

/** To be put into the page before it is drawn. */
export function drawCheckFlames({ measure, frames, baseline, candidate }: FlameDifferenceData): HTMLElement {
  const [before, now] = [growTree(baseline), growTree(candidate)];
  const others = new Map<FlameTree, number | null>();
  counterparts(now, before, others);
  counterparts(before, now, others);
  const ofBefore = new Set<FlameTree>();
  const collect = (node: FlameTree): void => {
    ofBefore.add(node);
    node.children.forEach(collect);
  };
  collect(before);
  const grownBy = (node: FlameTree): number | null => {
    const other = others.get(node) ?? null;
    if (other === null) return null;
    return ofBefore.has(node) ? other - node.total : node.total - other;
  };
  const graph = createFlameGraph(frames, { label: "Flame graph of what changed", grownBy });
  const choices = [
    { name: "Now", tree: now },
    { name: "Before", tree: before },
  ].map((side) => ({
    side,
    choice: button(`${side.name}: ${bytes(side.tree.total)}`, () => show(side.tree, side.name)),
  }));
  const show = (tree: FlameTree, name: string): void => {
    for (const { side, choice } of choices) choice.setAttribute("aria-pressed", String(side.tree === tree));
    graph.show(tree, name);
  };
  const group = { class: "view-buttons choices", role: "group", "aria-label": "Which side the flame graph shows" };
  show(now, "Now");
  return h(
    "div",
    { class: "panel check-flames" },
    h("div", { class: "flame-head" }, h("div", group, ...choices.map(({ choice }) => choice)), legend()),
    h("p", { class: "note" }, `${WHAT[measure]}, estimated from samples; the mean of the runs of each side.`),
    graph.element,
  );
}

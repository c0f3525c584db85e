/** In a spike's card: who allocated the bytes that it is about, and who allocated at all, as flame graphs. */
import { type FlameTree, OTHER } from "../../analysis/flame-tree.ts";
import type { Spike } from "../../analysis/report-types.ts";
import type { Selection } from "../../analysis/stack-bytes.ts";
import { inlinedText } from "../phrases.ts";
import { button, h } from "./dom.ts";
import { growTree } from "./flame-columns.ts";
import { createFlameGraph, flameLegend } from "./flame-graph.ts";
import { bytes, moment } from "./format.ts";
import type { AllocationData, ReportData } from "./wire.ts";

/** What stands left of a card's story on paper, CSS pixels: as in report.css. */
const CARD_MARGIN = 152;

interface Flame {
  readonly selection: Selection;
  readonly tree: FlameTree;
}

export interface SpikeFlameBlock {
  readonly element: HTMLElement;
  /** When somebody can see it for the first time. */
  draw(): void;
}

/** On the button. */
function nameOf({ of, measure, aliveMs, leastBytes }: Selection): string {
  if (of === "buffers") return aliveMs === null ? "Buffers allocated before it" : "Buffers kept";
  if (leastBytes > 0) return "Large objects";
  if (measure === "survived") return "Survived it";
  return measure === "retained" ? "Kept" : "Allocated before it";
}

/** "Objects allocated from 12.100 s to 12.310 s, those that the collection found alive." */
function aboutText({ of, measure, fromMs, toMs, aliveMs, leastBytes }: Selection): string {
  const what = of === "buffers" ? "Buffers and ArrayBuffers" : "Objects";
  const size = leastBytes > 0 ? ` of ${bytes(leastBytes)} or more` : "";
  const found = aliveMs === "young" ? "the first young collection" : "the collection";
  const alive = measure === "survived" ? `that ${found} found alive` : "that were alive when it ended";
  const which = aliveMs === null ? "dead or alive" : `those ${alive}`;
  return `${what}${size} allocated from ${moment(fromMs)} to ${moment(toMs)}, ${which}.`;
}

function hasOther({ frame, children }: FlameTree): boolean {
  return frame === OTHER || children.some(hasOther);
}

function drawFlames(
  host: HTMLElement,
  { id, exact }: { readonly id: string; readonly exact: boolean },
  flames: readonly Flame[],
  { frames }: AllocationData,
): void {
  const about = h("p", { class: "note", "aria-live": "polite" });
  const label = `Flame graph of spike ${id}`;
  const graph = createFlameGraph(frames, { label, besideOnPaper: CARD_MARGIN });
  const choices = flames.map((flame) =>
    button(`${nameOf(flame.selection)}: ${bytes(flame.tree.total)}`, () => show(flame)),
  );
  const show = (chosen: Flame): void => {
    const { selection, tree } = chosen;
    const other = hasOther(tree) ? " Calls too small for this file are summed up as “other”." : "";
    about.textContent = `${aboutText(selection)} Estimated from samples; ${inlinedText({ exact })}.${other}`;
    for (const [i, choice] of choices.entries()) choice.setAttribute("aria-pressed", String(flames[i] === chosen));
    graph.show(tree, nameOf(selection));
  };
  const group = { class: "view-buttons choices", role: "group", "aria-label": "What the flame graph shows" };
  host.append(
    h("div", { class: "flame-head" }, h("div", group, ...choices), flameLegend(frames)),
    about,
    graph.element,
  );
  const [first] = flames;
  if (first !== undefined) show(first);
}

/** A block for a spike whose sites are those of bytes; null for another. It says where the file has no graph of this spike. */
export function spikeFlameBlock(data: ReportData, spike: Spike): SpikeFlameBlock | null {
  const flames = data.flames.find((one) => one.spike === spike.id)?.flames;
  const allocations = data.isolates.find(({ id }) => id === spike.isolate)?.allocations ?? null;
  const [site] = spike.sites;
  if (site === undefined || site.measure === "asked") return null;
  const element = h("div", { class: "block spike-flame" }, h("h4", {}, "Who allocated it"));
  if (flames === undefined || allocations === null) {
    const text = `Only the ${data.mostFlamed} longest spikes have a flame graph of their own in this file.`;
    element.append(h("p", { class: "note" }, text));
    return { element, draw: () => undefined };
  }
  let isDrawn = false;
  const draw = (): void => {
    if (isDrawn) return;
    isDrawn = true;
    const grown = flames.map(({ selection, calls }) => ({ selection, tree: growTree(calls) }));
    drawFlames(element, { id: spike.id, exact: site.exact }, grown, allocations);
  };
  return { element, draw };
}

/** The spikes, worst first, and the way from each to its moment in the timeline. */
import type { Spike } from "../../analysis/report-types.ts";
import { listText } from "../../lib/text.ts";
import { liftText } from "../phrases.ts";
import { button, type Child, h, meter, name } from "./dom.ts";
import { count, moment, ms, plural } from "./format.ts";
import { spikeColor } from "./kinds.ts";
import { swatch } from "./plot.ts";
import { spikeFlameBlock } from "./spike-flames.ts";
import {
  adviceBlock,
  block,
  causeName,
  confidenceText,
  type SpikeActions,
  siteBlock,
  spikeLink,
} from "./spike-parts.ts";
import type { Store } from "./store.ts";
import type { ReportData } from "./wire.ts";

/** So many that the timeline below them is not out of sight. */
const FIRST_SHOWN = 10;
const MORE_SHOWN = 50;
const MOST_ROWS = 8;
const LEAST_PHASE_SHARE = 0.01;

/** V8.GC_MC_EVACUATE as "mark-compact evacuate". */
function phaseLabel(name: string): string {
  if (!name.startsWith("V8.GC_")) return name;
  const words = name.slice("V8.GC_".length).toLowerCase().replaceAll("_", " ");
  return words.replace(/^mc\b/, "mark-compact");
}

function phases({ phases, durationMs }: Spike): HTMLElement | null {
  if (phases.length === 0) return null;
  const rows = phases
    .filter((phase, i) => i === 0 || phase.ms >= durationMs * LEAST_PHASE_SHARE)
    .slice(0, MOST_ROWS)
    .map((phase) =>
      h(
        "li",
        {},
        name(phaseLabel(phase.name)),
        h("span", { class: "number" }, ms(phase.ms)),
        meter(phase.ms / durationMs),
      ),
    );
  return block("Where the time went", h("ul", { class: "rows" }, ...rows));
}

function evidence({ evidence }: Spike): HTMLElement | null {
  if (evidence.length === 0) return null;
  return block("Evidence", h("ul", { class: "texts" }, ...evidence.map(({ text }) => h("li", {}, h("bdi", {}, text)))));
}

function tags({ tags }: Spike): HTMLElement | null {
  if (tags.length === 0) return null;
  const rows = tags.slice(0, MOST_ROWS).map((tag) => {
    const times = tag.count === 1 ? "once" : `${count(tag.count)} times`;
    return h(
      "li",
      {},
      name(tag.name === "" ? "(unnamed)" : tag.name),
      h("span", { class: "number" }, `${times}${liftText(tag.lift)}`),
    );
  });
  return block("What happened in the 3 s before", h("ul", { class: "rows" }, ...rows));
}

/** "likely survivor-copy": how sure the cause is, in words and as a number, and what had a part in it. */
function causeText({ cause, confidence, contributing }: Spike): string {
  const also = contributing.length === 0 ? "" : `; ${listText(contributing)} contributed`;
  return `${causeName(cause)}, ${confidenceText(cause, confidence)}${also}`;
}

/** What the headline does not say. */
function factsOf(spike: Spike): readonly Child[] {
  return [`at ${moment(spike.startMs)}`, spike.cpuMs === null ? null : `CPU ${ms(spike.cpuMs)}`, causeText(spike)]
    .filter((text) => text !== null)
    .map((text) => h("li", {}, h("bdi", {}, text)));
}

interface Card {
  readonly element: HTMLElement;
  /** Opens its story. It has to be in the page: a graph has no size before. */
  open(): void;
}

function card(spike: Spike, data: ReportData, actions: SpikeActions): Card {
  const blocks = [
    siteBlock(spike.sites, { externalShare: spike.external?.share ?? null, spikes: 1 }, MOST_ROWS),
    evidence(spike),
    phases(spike),
    tags(spike),
    adviceBlock(spike.advice),
  ].filter((b) => b !== null);
  const flames = spikeFlameBlock(data, spike);
  const story = h(
    "details",
    {},
    h("summary", {}, spike.advice.length === 0 ? "Why" : "Why, and what to try"),
    h("div", { class: "blocks" }, ...blocks),
    flames?.element ?? null,
    h(
      "div",
      { class: "view-buttons" },
      button("Show in the timeline", () => actions.show(spike)),
      button("What was allocated before it", () => actions.showAllocations(spike)),
    ),
  );
  story.addEventListener("toggle", () => {
    if (story.open) flames?.draw();
  });
  const element = h(
    "li",
    { class: "spike", "data-id": spike.id },
    h(
      "div",
      { class: "spike-size" },
      h("span", { class: "spike-ms" }, ms(spike.durationMs)),
      h("span", { class: "spike-kind" }, swatch(spikeColor(spike.kind)), spike.kind),
    ),
    h(
      "div",
      { class: "spike-story" },
      h("h3", {}, spikeLink(spike, actions, spike.headline === "" ? spike.kind : spike.headline)),
      h("ul", { class: "inline" }, ...factsOf(spike)),
      story,
    ),
  );
  const open = (): void => {
    story.open = true;
    // Not when the browser comes to tell that it opened: whoever scrolls to it has to know how high it is.
    flames?.draw();
  };
  return { element, open };
}

export interface SpikeList {
  readonly content: readonly Child[];
  /** Once the content is in the page: opens the worst. */
  draw(): void;
  /** Scrolls to a spike's card and opens it. */
  reveal(spike: Spike): void;
}

function emptyText({ data }: Store): string {
  if (data.report.summary.pauses.count === 0) return "There was no collection.";
  return `Nothing took ${ms(data.report.thresholds.spikeMs)} or more.`;
}

/** The list, worst first; cards beyond the first few are built when somebody asks for them. */
export function createSpikeList(store: Store, actions: SpikeActions): SpikeList {
  const { spikes, spikeCount } = store.data;
  const list = h("ol", { class: "spikes" });
  const cards: Card[] = [];
  const more = button("", () => append(MORE_SHOWN), { class: "more" });
  const append = (number: number): void => {
    const added = spikes.slice(cards.length, cards.length + number).map((spike) => card(spike, store.data, actions));
    cards.push(...added);
    list.append(...added.map(({ element }) => element));
    const left = spikes.length - cards.length;
    more.hidden = left === 0;
    more.textContent =
      left <= MORE_SHOWN ? `Show the other ${count(left)}` : `Show ${MORE_SHOWN} more of ${count(left)}`;
  };
  append(FIRST_SHOWN);
  store.subscribe(({ spike }) => {
    for (const [i, { element }] of cards.entries()) element.classList.toggle("chosen", spikes[i] === spike);
  });
  const reveal = (spike: Spike): void => {
    const rank = spikes.indexOf(spike);
    append(Math.max(0, rank + 1 - cards.length));
    cards[rank]?.open();
    cards[rank]?.element.scrollIntoView({ block: "center" });
  };
  const draw = (): void => cards[0]?.open();
  if (spikes.length === 0) return { content: [h("p", { class: "empty" }, emptyText(store))], draw, reveal };
  const left = spikeCount - spikes.length;
  const rest = `${plural(left, "shorter spike")} left out: gcspike report --format json has them all.`;
  return { content: [list, more, left > 0 && h("p", { class: "note" }, rest)], draw, reveal };
}

/** Above the timeline: the chosen spike, its neighbours, and the way to its story. */
export function spikeBar(store: Store, show: (spike: Spike) => void, reveal: (spike: Spike) => void): HTMLElement {
  const bar = h("div", { class: "spike-bar", "aria-live": "polite", hidden: true });
  const { spikes, spikeCount } = store.data;
  const step = (label: string, to: Spike | undefined): HTMLElement => {
    const go = button(label, () => to !== undefined && show(to));
    go.disabled = to === undefined;
    return go;
  };
  store.subscribe(({ spike }, previous) => {
    if (spike === previous.spike) return;
    bar.hidden = spike === null;
    if (spike === null) return;
    const rank = spikes.indexOf(spike);
    const size = `Spike ${count(rank + 1)} of ${count(spikeCount)}: ${ms(spike.durationMs)} `;
    const buttons = [step("Previous", spikes[rank - 1]), step("Next", spikes[rank + 1])];
    bar.replaceChildren(
      h("p", {}, h("strong", {}, size), h("bdi", {}, spike.headline)),
      h(
        "div",
        { class: "view-buttons" },
        ...buttons,
        button("Its story", () => reveal(spike)),
      ),
    );
  });
  return bar;
}

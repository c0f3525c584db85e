/** The comparison's page: reads the data that stands in the file and draws it. */

import { h, section } from "../dom.ts";
import { themeButton } from "../page-parts.ts";
import { readData, startPage } from "../start.ts";
import { TimeAxis } from "../time-axis.ts";
import { timelineControls } from "../view-bar.ts";
import { drawCheck } from "./check.ts";
import { drawCheckFlames } from "./check-flames.ts";
import { Choice } from "./choice.ts";
import { columnTitle } from "./column-style.ts";
import type { ComparisonData } from "./data.ts";
import { drawOverview } from "./overview.ts";
import { PercentileChart } from "./percentiles.ts";
import { drawTable } from "./table.ts";
import { drawHeaps, drawTimelines } from "./timelines.ts";

const CHECK = ["check", "Check"] as const;
const SECTIONS: readonly (readonly [string, string])[] = [
  ["answer", "In short"],
  ["timeline", "Timelines"],
  ["distribution", "Percentiles"],
  ["memory", "Heap"],
  ["metrics", "All metrics"],
];

/** Of more columns the heading names the first ones: all of them have a card below it. */
const MOST_IN_TITLE = 6;

function header({ columns, check }: ComparisonData): HTMLElement {
  const linked = check === null ? SECTIONS.slice(1) : SECTIONS;
  const links = linked.map(([id, title]) => h("a", { href: `#${id}` }, title));
  const title = columns
    .slice(0, MOST_IN_TITLE)
    .flatMap((column, index) => [
      index === 0 ? "" : h("span", { class: "versus" }, " / "),
      h("span", { class: "title-part" }, ...columnTitle(index, column)),
    ]);
  const more = columns.length - MOST_IN_TITLE;
  return h(
    "header",
    {},
    h(
      "div",
      { class: "top-bar" },
      h("span", { class: "brand" }, "gcspike"),
      h("nav", { "aria-label": "Sections" }, ...links),
      themeButton(),
    ),
    h("h1", {}, ...title, more > 0 && h("span", { class: "title-more" }, `and ${more} more`)),
  );
}

function footer(): HTMLElement {
  return h(
    "footer",
    {},
    h(
      "p",
      {},
      "A pause is one outermost stop of an isolate's thread for garbage collection. Quantiles are exact, nearest-rank, over all pauses of a recording; timelines and curves are of all its isolates together. This file holds everything it shows and asks no network for anything.",
    ),
    h("p", {}, "Charts: uPlot, © Leon Sorokin, MIT licence."),
  );
}

/** The parts that follow the choice of runs. */
function drawCharts(choice: Choice, timelines: HTMLElement, percentiles: HTMLElement, memory: HTMLElement): void {
  const axis = new TimeAxis(choice);
  const chart = new PercentileChart(percentiles, choice);
  const hidden = new Set<number>();
  const draw = (): void => {
    axis.clear();
    for (const host of [timelines, memory]) host.replaceChildren();
    drawTimelines(timelines, choice, axis, hidden);
    drawHeaps(memory, choice, axis);
    chart.draw();
  };
  choice.subscribe((state, previous) => {
    if (state.runs === previous.runs) return;
    const changed = state.runs.findIndex((run, column) => run !== previous.runs[column]);
    draw();
    timelines.querySelector<HTMLElement>(`select[data-column="${changed}"]`)?.focus();
  });
  draw();
}

function whichRun({ columns }: ComparisonData): HTMLElement {
  const several = columns.some(({ runs }) => runs.length > 1);
  const text =
    "Of several runs the one whose P99 pause is in the middle is shown; choose another beside the column's name.";
  return h("p", { class: "hint", hidden: !several }, text);
}

async function start(): Promise<void> {
  const data = await readData<ComparisonData>();
  const choice = new Choice(data);
  const timelines = h("div", { class: "panel timelines" });
  const percentiles = h("div", { class: "panel" });
  const memory = h("div", { class: "panel" });
  const metrics = h("div", { class: "panel" });
  const contents: Readonly<Record<string, readonly HTMLElement[]>> = {
    answer: drawOverview(choice),
    timeline: [...timelineControls(choice, "time"), whichRun(data), timelines],
    distribution: [percentiles],
    memory: [memory],
    metrics: [metrics],
  };
  const sections = SECTIONS.map(([id, title]) => section(id, title, ...(contents[id] ?? [])));
  if (data.check !== null) {
    const flames = data.flames === null ? [] : [drawCheckFlames(data.flames)];
    sections.unshift(section(...CHECK, ...drawCheck(data.check), ...flames));
  }
  document.body.append(header(data), h("main", {}, ...sections), footer());
  drawTable(metrics, choice);
  drawCharts(choice, timelines, percentiles, memory);
}

startPage(start);

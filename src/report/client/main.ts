/** The report's page: reads the data that stands in the file and draws it. */
import type { Spike } from "../../analysis/report-types.ts";
import { type AllocationSection, drawAllocations } from "./allocations.ts";
import { causeSection } from "./causes.ts";
import { drawDistribution } from "./distribution.ts";
import { h, section } from "./dom.ts";
import { drawFigures } from "./figures.ts";
import { pageHeader } from "./header.ts";
import type { Plot } from "./plot.ts";
import { drawResources } from "./resources.ts";
import { createSpikeList, spikeBar } from "./spikes.ts";
import { readData, startPage } from "./start.ts";
import { Store } from "./store.ts";
import { TimeAxis } from "./time-axis.ts";
import { drawTimeline } from "./timeline.ts";
import { timelineControls } from "./view-bar.ts";
import type { IsolateData, ReportData } from "./wire.ts";

function footer({ report }: ReportData): HTMLElement {
  return h(
    "footer",
    {},
    h(
      "p",
      {},
      "A pause is one outermost stop of an isolate's thread for garbage collection. Quantiles are exact, nearest-rank, over all pauses. Recorded with ",
      report.recording.collectors.join(", ") || "no collector",
      ". This file holds everything it shows and asks no network for anything.",
    ),
    h("p", {}, "Charts: uPlot, © Leon Sorokin, MIT licence."),
  );
}

/** The parts that follow the choice of isolate. */
class IsolateParts {
  readonly #store: Store;
  readonly #axis: TimeAxis;
  readonly #figures = h("div", {});
  readonly #timeline = h("div", { class: "panel" });
  readonly #distribution = h("div", { class: "panel distribution" });
  readonly #memory = h("div", { class: "panel" });
  readonly #allocations = h("div", { class: "panel" });
  #plots: readonly Plot[] = [];
  #allocationSection: AllocationSection | null = null;

  constructor(store: Store) {
    this.#store = store;
    this.#axis = new TimeAxis(store);
    store.subscribe((state, previous) => {
      if (state.isolate !== previous.isolate) this.draw();
    });
  }

  sections(spikes: readonly HTMLElement[], timelineHead: readonly HTMLElement[]): readonly HTMLElement[] {
    return [
      section("answer", "In short", this.#figures),
      ...spikes,
      section("timeline", "Timeline", ...timelineHead, this.#timeline),
      section("distribution", "How long pauses are", this.#distribution),
      section("memory", "Memory and event loop", this.#memory),
      section("allocations", "Who allocates", this.#allocations),
    ];
  }

  draw(): void {
    this.#axis.clear();
    for (const plot of this.#plots) plot.destroy();
    this.#allocationSection?.destroy();
    for (const host of [this.#figures, this.#timeline, this.#distribution, this.#memory, this.#allocations]) {
      host.replaceChildren();
    }
    this.#figures.append(...drawFigures(this.#store).filter((child) => child !== null && child !== false));
    drawTimeline(this.#timeline, this.#store, this.#axis);
    this.#plots = drawDistribution(this.#distribution, this.#store);
    drawResources(this.#memory, this.#store, this.#axis);
    this.#allocationSection = drawAllocations(this.#allocations, this.#store);
  }

  showAllocationsBefore(spike: Spike): void {
    this.#allocationSection?.showBefore(spike);
  }
}

function scrollToSection(id: string): void {
  document.getElementById(id)?.scrollIntoView({ block: "start" });
}

/** Opens the spike that the address names, as in report.html#s3. */
function followAddress(store: Store, show: (spike: Spike) => void): void {
  const id = new URLSearchParams(`id=${location.hash.slice(1)}`).get("id");
  const spike = store.data.spikes.find((candidate) => candidate.id === id);
  if (spike !== undefined && spike !== store.state.spike) show(spike);
}

function drawPage(data: ReportData, isolate: IsolateData): void {
  const store = new Store(data, isolate);
  const parts = new IsolateParts(store);
  const actions = {
    show: (spike: Spike) => {
      store.showSpike(spike);
      location.hash = encodeURIComponent(spike.id);
      scrollToSection("timeline");
    },
    showAllocations: (spike: Spike) => {
      store.showSpike(spike);
      parts.showAllocationsBefore(spike);
      scrollToSection("allocations");
    },
  };
  const list = createSpikeList(store, actions);
  const causes = causeSection(data, actions);
  const spikes = [...(causes === null ? [] : [causes]), section("spikes", "Spikes, worst first", ...list.content)];
  const timelineHead = [spikeBar(store, actions.show, list.reveal), ...timelineControls(store, "recording")];
  document.body.append(pageHeader(data, store), h("main", {}, ...parts.sections(spikes, timelineHead)), footer(data));
  list.draw();
  parts.draw();
  const follow = (): void => followAddress(store, actions.show);
  addEventListener("hashchange", follow);
  follow();
}

/** The page opens with the isolate that was stopped longest: `main` is often only a launcher (npx, cluster). */
function mostPaused(isolates: ReportData["isolates"]): ReportData["isolates"][number] | undefined {
  const total = (isolate: ReportData["isolates"][number]): number =>
    isolate.pauses.durationMs.reduce((sum, ms) => sum + ms, 0);
  return [...isolates].sort((a, b) => total(b) - total(a))[0];
}

async function start(): Promise<void> {
  const data = await readData<ReportData>();
  const isolate = mostPaused(data.isolates);
  if (isolate === undefined) {
    const text =
      "No isolate was recorded: the program ended before Node.js started in it, or it was no Node.js program.";
    document.body.append(pageHeader(data, null), h("main", {}, h("p", { class: "empty" }, text)), footer(data));
  } else drawPage(data, isolate);
}

startPage(start);

/** The answer first: one sentence and the key figures of the isolate in view. */
import type { GcSummary } from "../../analysis/report-types.ts";
import { type Child, h } from "./dom.ts";
import { bytes, count, isolateKind, moment, ms, plural, share } from "./format.ts";
import type { Store } from "./store.ts";
import type { ReportData } from "./wire.ts";

function summaryOf(store: Store): GcSummary {
  const { report } = store.data;
  return report.isolates.find(({ id }) => id === store.state.isolate.id)?.gc ?? report.summary;
}

/** The spikes of all isolates in a sentence or three. */
function answer({ data }: Store): string {
  const threshold = ms(data.report.thresholds.spikeMs);
  const worst = data.spikes[0];
  if (worst === undefined) {
    return data.report.summary.pauses.count === 0
      ? "Nothing was collected: no pause in this recording."
      : `No spike: no pause and no run of marking steps reached ${threshold}.`;
  }
  const isolate = data.isolates.length > 1 ? data.isolates.find(({ id }) => id === worst.isolate) : undefined;
  const where = isolate === undefined ? "" : ` in ${isolate.name}`;
  const many = `${plural(data.spikeCount, "spike")} of ${threshold} or more`;
  return `${many}. The worst took ${ms(worst.durationMs)}, at ${moment(worst.startMs)}${where}. ${mainCause(data)}`;
}

/** "4 of them, 81 % of their time, have one cause: survivor-copy." Nothing where no cause was found. */
function mainCause({ report, spikeCount }: ReportData): string {
  const [main] = report.causes;
  if (main === undefined || main.cause === "unknown" || spikeCount === 1) return "";
  if (main.spikes === spikeCount) return `All have one cause: ${main.cause}.`;
  const total = report.causes.reduce((sum, { totalMs }) => sum + totalMs, 0);
  const have = main.spikes === 1 ? "has the cause" : "have one cause:";
  return `${count(main.spikes)} of them, ${share(main.totalMs / total)} of their time, ${have} ${main.cause}.`;
}

interface Figure {
  readonly label: string;
  readonly value: string;
  readonly detail: Child;
}

function sharesOf(gc: GcSummary): Figure {
  const paused = gc.pauses.totalMs / gc.observedMs;
  const steps = gc.outsidePausesMs === null ? null : gc.outsidePausesMs / gc.observedMs;
  return {
    label: "of the thread's time went to GC",
    value: share(gc.wallShare),
    detail:
      steps === null
        ? `${share(paused)} paused; steps between pauses were not recorded`
        : `${share(paused)} paused, ${share(steps)} in steps`,
  };
}

function figuresOf(gc: GcSummary, heapLimitBytes: number | null): readonly Figure[] {
  const { pauses } = gc;
  const longest = (value: number | null): string => (pauses.count === 0 ? "none" : ms(value));
  const mmu = gc.mmu.find(({ windowMs }) => windowMs === 50);
  return [
    {
      label: "P99 pause",
      value: longest(pauses.p99Ms),
      detail: `P50\u00a0${longest(pauses.p50Ms)}, P99.9\u00a0${longest(pauses.p999Ms)}`,
    },
    {
      label: "worst pause",
      value: longest(pauses.maxMs),
      detail: `${plural(pauses.count, "pause")}, ${ms(pauses.totalMs)} in all`,
    },
    sharesOf(gc),
    { label: "heap peak", value: bytes(gc.peakHeapUsedBytes), detail: `limit ${bytes(heapLimitBytes)}` },
    { label: "RSS peak", value: bytes(gc.peakRssBytes), detail: `external peak ${bytes(gc.peakExternalBytes)}` },
    {
      label: "MMU 50 ms",
      value: share(mmu?.utilization),
      detail: "least left to the program in any 50 ms",
    },
  ];
}

/** The section's content for the isolate in view. */
export function drawFigures(store: Store): readonly Child[] {
  const { name, kind, heapLimitBytes } = store.state.isolate;
  const figures = figuresOf(summaryOf(store), heapLimitBytes);
  return [
    h("p", { class: "answer" }, answer(store)),
    store.data.isolates.length > 1 &&
      h("p", { class: "whose" }, "Figures and pictures of ", h("bdi", {}, name), ` (${isolateKind(kind)}):`),
    h(
      "dl",
      { class: "figures" },
      ...figures.map(({ label, value, detail }) =>
        h("div", {}, h("dt", {}, label), h("dd", { class: "value" }, value), h("dd", { class: "detail" }, detail)),
      ),
    ),
  ];
}

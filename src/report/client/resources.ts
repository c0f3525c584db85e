/** Heap spaces, event loop and resident set over time. */
import { bytes, moment, ms, share } from "./format.ts";
import { area, byteAxis, empty, fromZero, gaps, line, swatch } from "./plot.ts";
import { largest, nearest, valueNear } from "./series.ts";
import { drawSpikeBand } from "./spike-band.ts";
import type { Store } from "./store.ts";
import { color } from "./theme.ts";
import type { TimeAxis, TimePlotSpec } from "./time-axis.ts";
import type { IsolateData, ReportData } from "./wire.ts";

/** A space keeps its colour, whichever others V8 has beside it. report.css has one more, for all that are not here. */
const SPACES_WITH_COLOR = [
  "new_space",
  "old_space",
  "code_space",
  "large_object_space",
  "new_large_object_space",
  "trusted_space",
  "trusted_large_object_space",
  "code_large_object_space",
];

function spaceColor(name: string): string {
  const index = SPACES_WITH_COLOR.indexOf(name);
  return `space-${index < 0 ? SPACES_WITH_COLOR.length : index}`;
}

const byteScale = {
  scale: fromZero,
  axis: { ...byteAxis, values: (_plot: unknown, splits: number[]) => splits.map(bytes) },
};

/** V8's "new_large_object_space" as "new large object". */
function spaceLabel(name: string): string {
  return name.replace(/_space$/, "").replaceAll("_", " ");
}

/** Layer k is the sum of the spaces up to k, so that drawing the last one first stacks them. */
function stack(isolate: IsolateData): Float64Array[] {
  let below = new Float64Array(isolate.spacesTimeMs.length);
  return isolate.spaces.map(({ usedBytes }) => {
    below = below.map((sum, i) => sum + (usedBytes[i] ?? 0));
    return below;
  });
}

function spacesPlot(store: Store, isolate: IsolateData): TimePlotSpec {
  const times = isolate.spacesTimeMs;
  // Spaces that are never used would only fill the legend.
  const spaces = isolate.spaces.filter(({ usedBytes }) => usedBytes.some((value) => value > 0));
  const layers = stack({ ...isolate, spaces }).reverse();
  return {
    title: "Heap by space",
    summary: `Heap by space, peaks: ${spaces.map(({ name, usedBytes }) => `${spaceLabel(name)} ${bytes(largest(usedBytes))}`).join(", ")}.`,
    legend: spaces.map(({ name, usedBytes }) => ({
      label: spaceLabel(name),
      icon: swatch(spaceColor(name)),
      valueAt: (at) => bytes(usedBytes[nearest(times, at)]),
    })),
    height: 210,
    data: [times, ...layers.map(gaps)],
    series: layers.map((_, i) => ({
      fill: () => color(spaceColor(spaces[spaces.length - 1 - i]?.name ?? "")),
      width: 0,
      points: { show: false },
    })),
    y: byteScale,
    draw: (plot) => drawSpikeBand(plot, store.state.spike),
    tip: (at) => ({
      title: moment(times[at]),
      rows: spaces
        .map(({ name, usedBytes }) => ({
          label: spaceLabel(name),
          value: bytes(usedBytes[at]),
          color: spaceColor(name),
        }))
        .reverse(),
    }),
  };
}

function loopPlot(store: Store, { loopDelayMs, loopUtilization }: IsolateData): TimePlotSpec {
  const times = loopDelayMs.timeMs;
  const busy = (at: number): string => share(valueNear(loopUtilization, at));
  return {
    title: "Event-loop delay",
    summary: `Longest event-loop delay in each tenth of a second; worst ${ms(largest(loopDelayMs.value))}.`,
    legend: [{ label: "longest delay", icon: swatch("loop"), valueAt: (at) => ms(valueNear(loopDelayMs, at)) }],
    height: 150,
    data: [times, gaps(loopDelayMs.value)],
    dots: true,
    series: [area("loop")],
    y: { scale: fromZero, axis: { values: (_plot, splits) => splits.map(ms) } },
    draw: (plot) => drawSpikeBand(plot, store.state.spike),
    tip: (i) => ({
      title: moment(times[i]),
      rows: [
        { label: "longest delay", value: ms(loopDelayMs.value[i]), color: "loop" },
        { label: "loop busy", value: busy(times[i] ?? Number.NaN) },
      ],
    }),
  };
}

function rssPlot(store: Store, { pid, series }: ReportData["rss"][number]): TimePlotSpec {
  return {
    title: `Resident set of process ${pid}`,
    summary: `Resident set of the process over time: peak ${bytes(largest(series.value))}.`,
    legend: [{ label: "RSS", icon: swatch("rss"), valueAt: (at) => bytes(valueNear(series, at)) }],
    height: 150,
    data: [series.timeMs, gaps(series.value)],
    dots: true,
    series: [line("rss")],
    y: byteScale,
    draw: (plot) => drawSpikeBand(plot, store.state.spike),
    tip: (i) => ({
      title: moment(series.timeMs[i]),
      rows: [{ label: "RSS", value: bytes(series.value[i]), color: "rss" }],
    }),
  };
}

export function drawResources(host: HTMLElement, store: Store, axis: TimeAxis): void {
  const { isolate } = store.state;
  if (isolate.spacesTimeMs.length > 0 && isolate.spaces.length > 0) axis.add(host, spacesPlot(store, isolate));
  else host.append(empty("Heap by space", "The collector of this recording does not see V8's heap spaces."));
  if (isolate.loopDelayMs.timeMs.length > 0) axis.add(host, loopPlot(store, isolate));
  else host.append(empty("Event-loop delay", "No event-loop statistics were recorded."));
  const pid = store.data.report.isolates.find(({ id }) => id === isolate.id)?.pid;
  const process = store.data.rss.find((entry) => entry.pid === pid);
  if (process !== undefined && process.series.timeMs.length > 0) axis.add(host, rssPlot(store, process));
  else host.append(empty("Resident set", "The memory of this process was not recorded."));
}

import { callStacks } from "../analysis/call-stacks.ts";
import { type GcTime, gcTime } from "../analysis/gc-time.ts";
import { heapSeries } from "../analysis/heap-series.ts";
import type { Intervals } from "../analysis/intervals.ts";
import { locationText } from "../analysis/phrases.ts";
import type { Report } from "../analysis/report-types.ts";
import { secondsOf } from "../analysis/seconds.ts";
import { overallSites } from "../analysis/sites.ts";
import { spikeFlames } from "../analysis/spike-flames.ts";
import { tagLanes } from "../analysis/tag-lanes.ts";
import {
  type Allocations,
  type HeapColumns,
  type IsolateData,
  PAUSE_KINDS,
  type PauseColumns,
  type Recording,
} from "../recording/model.ts";
import { percentileCurve } from "./percentile-curve.ts";
import type { AllocationView, IsolateView, PageView, ReportView } from "./view-model.ts";

/** More buckets than a wide screen has pixels show nothing more. */
const MAX_GC_WORK_BUCKETS = 2000;
/** Histogram buckets for each tenfold step of pause duration. */
const BUCKETS_A_DECADE = 8;
/** The shortest pause that has a histogram bucket of its own; shorter ones are counted with it. */
const SHORTEST_MS = 0.001;

/** What the renderers draw: the report and the series behind its pictures. Linear, but for sorting the durations. */
export function buildView(recording: Recording, report: Report): ReportView {
  const reported = new Map(report.isolates.map((isolate) => [isolate.id, isolate]));
  return {
    report,
    isolates: recording.isolates.map((isolate) => ({
      ...isolateView(isolate, recording.durationMs, reported.get(isolate.id)?.gc.mmu ?? []),
      seconds: secondsOf(isolate, report.thresholds),
      tagLanes: tagLanes(
        isolate,
        report.spikes.filter((spike) => spike.isolate === isolate.id).map(({ startMs }) => startMs),
      ),
    })),
    rss: recording.processes.map(({ pid, timeMs, rss }) => ({ pid, series: { timeMs, value: rss } })),
    sites: overallSites(recording.isolates),
    title: recording.path.split(/[\\/]/).findLast((part) => part !== "") ?? recording.path,
  };
}

export function buildPageView(recording: Recording, report: Report): PageView {
  return {
    ...buildView(recording, report),
    flames: spikeFlames(recording, report.spikes, report.thresholds.spikeMs),
  };
}

function isolateView(
  isolate: IsolateData,
  durationMs: number,
  mmu: IsolateView["mmu"],
): Omit<IsolateView, "seconds" | "tagLanes"> {
  const { pauses, loop, heap } = isolate;
  const time = gcTime(isolate);
  return {
    id: isolate.id,
    name: isolate.name,
    kind: isolate.kind,
    pauses: { startMs: pauses.startMs, durationMs: pauses.durationMs, kind: pauses.kind },
    heapUsed: heapSeries(isolate, "used"),
    heapLimitBytes: isolate.heapLimitBytes,
    external: heapSeries(isolate, "external"),
    spacesTimeMs: heap.timeMs,
    spaces: heap.spaceNames.map((name, space) => ({ name, usedBytes: usedOfSpace(heap, space) })),
    loopDelayMs: { timeMs: loop.timeMs, value: loop.maxDelayMs },
    loopUtilization: { timeMs: loop.timeMs, value: loop.utilization },
    gcWork: gcWork(time, Math.max(durationMs, time.toMs)),
    percentiles: percentileCurve(pauses.durationMs.slice().sort()),
    histogram: histogram(pauses),
    mmu,
    allocations: isolate.allocations === null ? null : allocationView(isolate.allocations),
  };
}

function usedOfSpace(heap: HeapColumns, space: number): Float64Array {
  const used = new Float64Array(heap.count);
  for (let i = 0; i < heap.count; i++) used[i] = heap.spaceUsed[i * heap.spaceNames.length + space] ?? Number.NaN;
  return used;
}

function gcWork(time: GcTime, durationMs: number): IsolateView["gcWork"] {
  const bucketMs = Math.max(1, durationMs / MAX_GC_WORK_BUCKETS);
  const count = Math.max(1, Math.ceil(durationMs / bucketMs));
  return {
    bucketMs,
    insideMs: timeByBucket(time.pauses, bucketMs, count),
    outsideMs: time.outside === null ? null : timeByBucket(time.outside, bucketMs, count),
  };
}

/** How much of each bucket the intervals fill, ms. */
function timeByBucket(intervals: Intervals, bucketMs: number, count: number): Float64Array {
  const buckets = new Float64Array(count);
  for (let i = 0; i < intervals.count; i++) {
    const end = intervals.endMs[i] ?? 0;
    let from = Math.max(0, intervals.startMs[i] ?? 0);
    for (let bucket = Math.floor(from / bucketMs); bucket < count && from < end; bucket++) {
      const to = Math.min(end, (bucket + 1) * bucketMs);
      buckets[bucket] = (buckets[bucket] ?? 0) + Math.max(0, to - from);
      from = to;
    }
  }
  return buckets;
}

function histogram({ count, durationMs, kind }: PauseColumns): IsolateView["histogram"] {
  if (count === 0) return [];
  const edge = (index: number) => SHORTEST_MS * 10 ** (index / BUCKETS_A_DECADE);
  const bucketOf = (ms: number) =>
    Math.max(0, Math.floor(Math.log10(Math.max(ms, SHORTEST_MS) / SHORTEST_MS) * BUCKETS_A_DECADE));
  const buckets: number[][] = [];
  for (let i = 0; i < count; i++) {
    const bucket = bucketOf(durationMs[i] ?? 0);
    while (buckets.length <= bucket) buckets.push(PAUSE_KINDS.map(() => 0));
    const counts = buckets[bucket];
    const of = kind[i] ?? 0;
    if (counts?.[of] !== undefined) counts[of]++;
  }
  const first = buckets.findIndex((counts) => counts.some((n) => n > 0));
  return buckets
    .map((countByKind, index) => ({ fromMs: edge(index), toMs: edge(index + 1), countByKind }))
    .slice(first);
}

function allocationView({ frames, stacks: recorded, windows }: Allocations): AllocationView {
  const { stacks, inlinedOf } = callStacks({ frames, stacks: recorded });
  return {
    frames: frames.map((frame, index) => ({
      name: frame.function === "" ? "(anonymous)" : frame.function,
      location: locationText(frame.file, frame.line),
      origin: frame.origin,
      ...(inlinedOf[index] !== undefined && { inlinedOf: inlinedOf[index] }),
    })),
    stacks,
    windows: windows.map(({ startMs, endMs, samples }) => ({
      startMs,
      endMs,
      bytes: samples.reduce((sum, sample) => sum + sample.bytes, 0),
      stacks: samples.map(({ stack, bytes }) => ({ stack, bytes })),
    })),
  };
}

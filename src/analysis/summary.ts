/** What garbage collection cost, in numbers: one summary an isolate and one of all. docs/metrics.md has the formulas. */
import { type IsolateData, PAUSE_KINDS, type PauseColumns, type ProcessColumns } from "../recording/model.ts";
import { heapSeries } from "./heap-series.ts";
import { totalMs } from "./intervals.ts";
import type { ObservedIsolate } from "./observed.ts";
import type { GcSummary, PauseStatistics, ReportPauseKind } from "./report-types.ts";
import { minimumMutatorUtilization, mmuWindows, peakOfSum, quantile, type StepSeries } from "./statistics.ts";

/** Summary of one isolate. `process` is the process that it runs in, if its memory was sampled. */
export function summarizeIsolate({ isolate, time, process }: ObservedIsolate): GcSummary {
  const { pauses, heap } = isolate;
  const observedMs = time.toMs - time.fromMs;
  return {
    observedMs,
    ...pauseStatistics([pauses]),
    outsidePausesMs: time.outside === null ? null : totalMs(time.outside),
    wallShare: share(totalMs(time.stops), observedMs),
    mmu: minimumMutatorUtilization(time.stops, time.fromMs, time.toMs, mmuWindows(observedMs)),
    peakHeapUsedBytes: largestKnown([pauses.usedBefore, pauses.usedAfter, heap.used]),
    peakRssBytes: process === null ? null : largestKnown([process.rss]),
    peakExternalBytes: largestKnown([pauses.externalBefore, pauses.externalAfter, heap.external]),
    allocatedBytes: allocatedBytes(isolate),
    promotedBytes: promotedBytes(isolate),
  };
}

/** Summary of all isolates; `own` are their summaries, in the same order. */
export function summarizeAll(
  observed: readonly ObservedIsolate[],
  own: readonly GcSummary[],
  processes: readonly ProcessColumns[],
): GcSummary {
  const observedMs = own.reduce((sum, gc) => sum + gc.observedMs, 0);
  const stoppedMs = own.reduce((sum, gc) => sum + gc.wallShare * gc.observedMs, 0);
  const only = own.length === 1 ? own[0] : undefined;
  return {
    observedMs,
    ...(only ?? pauseStatistics(observed.map(({ isolate }) => isolate.pauses))),
    outsidePausesMs: sumKnown(own.map((gc) => gc.outsidePausesMs)),
    wallShare: share(stoppedMs, observedMs),
    mmu: worstUtilization(own),
    peakHeapUsedBytes: only === undefined ? peakOfIsolates(observed, "used") : only.peakHeapUsedBytes,
    peakRssBytes: rounded(peakOfSum(processes.map(rssSeries))),
    peakExternalBytes: only === undefined ? peakOfIsolates(observed, "external") : only.peakExternalBytes,
    allocatedBytes: sumKnown(own.map((gc) => gc.allocatedBytes)),
    promotedBytes: sumKnown(own.map((gc) => gc.promotedBytes)),
  };
}

/** Statistics over all pauses of these isolates, and by kind. CPU time is null unless every pause has it. */
function pauseStatistics(columns: readonly PauseColumns[]): Pick<GcSummary, "pauses" | "byKind"> {
  const kinds = PAUSE_KINDS.map((_, kind) => durationsOfKind(columns, kind));
  const byKind: Partial<Record<ReportPauseKind, PauseStatistics>> = {};
  for (const [index, kind] of PAUSE_KINDS.entries()) {
    const of = kinds[index];
    if (of !== undefined && of.durations.length > 0) byKind[kind] = statisticsOf(of.durations, of.cpuMs);
  }
  const all = new Float64Array(kinds.reduce((sum, kind) => sum + kind.durations.length, 0));
  let offset = 0;
  for (const { durations } of kinds) {
    all.set(durations, offset);
    offset += durations.length;
  }
  return {
    pauses: statisticsOf(
      all.sort(),
      kinds.reduce((sum, kind) => sum + kind.cpuMs, 0),
    ),
    byKind,
  };
}

function durationsOfKind(columns: readonly PauseColumns[], kind: number): { durations: Float64Array; cpuMs: number } {
  let count = 0;
  for (const { kind: kinds } of columns) for (const one of kinds) if (one === kind) count++;
  const durations = new Float64Array(count);
  let cpuMs = 0;
  let next = 0;
  for (const pauses of columns) {
    for (let i = 0; i < pauses.count; i++) {
      if (pauses.kind[i] !== kind) continue;
      durations[next++] = pauses.durationMs[i] ?? 0;
      cpuMs += pauses.cpuMs[i] ?? Number.NaN;
    }
  }
  return { durations: durations.sort(), cpuMs };
}

function statisticsOf(sorted: Float64Array, cpuMs: number): PauseStatistics {
  let sum = 0;
  for (const duration of sorted) sum += duration;
  return {
    count: sorted.length,
    totalMs: sum,
    cpuMs: Number.isNaN(cpuMs) || sorted.length === 0 ? null : cpuMs,
    p50Ms: quantile(sorted, 0.5),
    p90Ms: quantile(sorted, 0.9),
    p99Ms: quantile(sorted, 0.99),
    p999Ms: quantile(sorted, 0.999),
    maxMs: quantile(sorted, 1),
  };
}

/** For every window length the worst isolate: no thread ever did worse. */
function worstUtilization(own: readonly GcSummary[]): GcSummary["mmu"] {
  const worst = new Map<number, number>();
  for (const { windowMs, utilization } of own.flatMap((gc) => gc.mmu)) {
    worst.set(windowMs, Math.min(utilization, worst.get(windowMs) ?? 1));
  }
  return [...worst]
    .map(([windowMs, utilization]) => ({ windowMs, utilization }))
    .sort((a, b) => a.windowMs - b.windowMs);
}

/**
 * Bytes allocated in the heap: what it grew by between the end of each pause and the start of the next, and from the first
 * sample to the first pause and the last pause to the last sample. null where a pause does not know the heap's size, because
 * growth between samples alone would leave out everything that was collected in between.
 */
function allocatedBytes({ pauses, heap }: IsolateData): number | null {
  if (pauses.count === 0 && heap.count === 0) return null;
  let allocated = 0;
  let size =
    heap.count > 0 && (heap.timeMs[0] ?? 0) <= (pauses.startMs[0] ?? Number.POSITIVE_INFINITY)
      ? heap.used[0]
      : undefined;
  let end = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < pauses.count; i++) {
    const before = pauses.usedBefore[i] ?? Number.NaN;
    const after = pauses.usedAfter[i] ?? Number.NaN;
    if (Number.isNaN(before) || Number.isNaN(after)) return null;
    allocated += Math.max(0, before - (size ?? before));
    size = after;
    end = (pauses.startMs[i] ?? 0) + (pauses.durationMs[i] ?? 0);
  }
  const last = heap.count - 1;
  if (last >= 0 && (heap.timeMs[last] ?? 0) >= end) allocated += Math.max(0, (heap.used[last] ?? 0) - (size ?? 0));
  return rounded(allocated);
}

/** Bytes that scavenges moved to the old generation; null where no scavenge could tell. */
function promotedBytes({ pauses, collectors }: IsolateData): number | null {
  let promoted = 0;
  let known = false;
  let scavenges = 0;
  for (let i = 0; i < pauses.count; i++) {
    if (pauses.kind[i] === 0) scavenges++;
    const bytes = pauses.promotedBytes[i] ?? Number.NaN;
    if (Number.isNaN(bytes)) continue;
    promoted += bytes;
    known = true;
  }
  if (known) return rounded(promoted);
  return scavenges === 0 && collectors.includes("probe") ? 0 : null;
}

function peakOfIsolates(observed: readonly ObservedIsolate[], quantity: "used" | "external"): number | null {
  const series = observed.map(({ isolate, time }) => ({
    fromMs: time.fromMs,
    toMs: time.toMs,
    ...heapSeries(isolate, quantity),
  }));
  return rounded(peakOfSum(series));
}

function rssSeries(process: ProcessColumns): StepSeries {
  return {
    fromMs: process.timeMs[0] ?? 0,
    toMs: process.timeMs[process.count - 1] ?? 0,
    timeMs: process.timeMs,
    value: process.rss,
  };
}

function largestKnown(columns: readonly Float64Array[]): number | null {
  let most = Number.NEGATIVE_INFINITY;
  for (const column of columns) for (const value of column) if (value > most) most = value;
  return most === Number.NEGATIVE_INFINITY ? null : rounded(most);
}

/** Sum of what is known; null where nothing is. */
function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, part / whole) : 0;
}

function rounded(bytes: number | null): number | null {
  return bytes === null ? null : Math.round(bytes);
}

/** A recording in single numbers, by the names that `compare` and `check` use. docs/metrics.md has their formulas. */
import type { Recording } from "../recording/model.ts";
import type { Measurement } from "../recording/spec.ts";
import type { GcSummary, PauseStatistics } from "./report-types.ts";
import { rssGrowth } from "./rss-growth.ts";
import { quantile } from "./statistics.ts";
import { survivedBytes } from "./survived.ts";

/** null: the recording does not know it. */
type Value = number | null | undefined;

/**
 * Every metric that the recording knows, in the order in which they are shown; those of its workload come last, and do not
 * replace ours. `summary` is that of all its isolates.
 */
export function measure(recording: Recording, summary: GcSummary): readonly Measurement[] {
  const { byKind } = summary;
  const all = [
    ...pauseMetrics("pause", summary.pauses),
    ...pauseMetrics("pause.cpu", cpuStatistics(recording)),
    ...pauseMetrics("pause.scavenge", byKind.scavenge ?? NO_PAUSE),
    ...pauseMetrics("pause.mark-compact", byKind["mark-compact"] ?? NO_PAUSE),
    ...metric("gc.share", "share", "lower", recording.isolates.length === 0 ? null : summary.wallShare),
    ...metric("gc.outside", "ms", "lower", summary.outsidePausesMs),
    ...[10, 50, 100].flatMap((windowMs) =>
      metric(
        `mmu.${windowMs}ms`,
        "share",
        "higher",
        summary.mmu.find((entry) => entry.windowMs === windowMs)?.utilization,
      ),
    ),
    ...metric("heap.peak", "bytes", "lower", summary.peakHeapUsedBytes),
    ...metric("rss.peak", "bytes", "lower", summary.peakRssBytes),
    ...metric("rss.growth", "bytes/h", "lower", rssGrowth(recording.processes, recording.durationMs)),
    ...metric("external.peak", "bytes", "lower", summary.peakExternalBytes),
    ...metric("alloc.bytes", "bytes", "lower", summary.allocatedBytes),
    ...metric("survived.bytes", "bytes", "lower", survivedBytes(recording.isolates)),
    ...metric("promoted.bytes", "bytes", "lower", summary.promotedBytes),
  ];
  const ours = new Set(all.map(({ metric }) => metric));
  const known = arePausesKnown(recording) ? all : all.filter(({ metric }) => !NEEDS_PAUSES.test(metric));
  return [...known, ...(recording.workload?.metrics ?? []).filter(({ metric }) => !ours.has(metric))];
}

const NEEDS_PAUSES = /^(?:pause|gc|mmu|alloc|survived|promoted)\./;

/** No pause is a fact only where somebody looked, in every isolate. */
function arePausesKnown({ isolates }: Recording): boolean {
  const has = (code: string) => isolates.some(({ warnings }) => warnings.some((warning) => warning.code === code));
  if (isolates.length === 0 || has("no-pauses")) return false;
  return isolates.some(({ pauses }) => pauses.count > 0) || !has("no-pauses-delivered");
}

function metric(name: string, unit: string, better: Measurement["better"], value: Value): readonly Measurement[] {
  return value === null || value === undefined ? [] : [{ metric: name, unit, better, value }];
}

type Pauses = Omit<PauseStatistics, "cpuMs">;

const NO_PAUSE: Pauses = { count: 0, totalMs: 0, p50Ms: null, p90Ms: null, p99Ms: null, p999Ms: null, maxMs: null };

function pauseMetrics(prefix: string, pauses: Pauses | null): readonly Measurement[] {
  const name = (statistic: string) => `${prefix}.${statistic}`;
  if (pauses === null) return [];
  return [
    ...metric(name("p50"), "ms", "lower", pauses.p50Ms),
    ...metric(name("p90"), "ms", "lower", pauses.p90Ms),
    ...metric(name("p99"), "ms", "lower", pauses.p99Ms),
    ...metric(name("p999"), "ms", "lower", pauses.p999Ms),
    ...metric(name("max"), "ms", "lower", pauses.maxMs),
    ...metric(name("total"), "ms", "lower", pauses.totalMs),
    ...metric(name("count"), "pauses", "lower", pauses.count),
  ];
}

/** The same of the thread's CPU time inside each pause; null unless every pause has it. */
function cpuStatistics({ isolates }: Recording): Pauses | null {
  const sorted = new Float64Array(isolates.reduce((sum, { pauses }) => sum + pauses.count, 0));
  let offset = 0;
  for (const { pauses } of isolates) {
    sorted.set(pauses.cpuMs.subarray(0, pauses.count), offset);
    offset += pauses.count;
  }
  if (sorted.some(Number.isNaN)) return null;
  sorted.sort();
  return {
    count: sorted.length,
    totalMs: sorted.reduce((sum, ms) => sum + ms, 0),
    p50Ms: quantile(sorted, 0.5),
    p90Ms: quantile(sorted, 0.9),
    p99Ms: quantile(sorted, 0.99),
    p999Ms: quantile(sorted, 0.999),
    maxMs: quantile(sorted, 1),
  };
}

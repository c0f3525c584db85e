/** A ReportView made of seeded numbers: a server that scavenges, sometimes collects fully, and slowly fills its heap. */
import type { PauseStatistics, Report } from "../../../src/analysis/report-types.ts";
import type { IsolateView, ReportView } from "../../../src/report/view-model.ts";

export interface ViewOptions {
  readonly pauses?: number;
  readonly durationMs?: number;
  readonly command?: readonly string[];
  readonly isolateNames?: readonly string[];
  readonly phases?: boolean;
}

/** mulberry32: the same numbers on every machine. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function statistics(durations: Float64Array): PauseStatistics {
  const sorted = durations.toSorted();
  const at = (q: number): number | null => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
  return {
    count: sorted.length,
    totalMs: sorted.reduce((sum, ms) => sum + ms, 0),
    cpuMs: null,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
  };
}

function series(count: number, durationMs: number, value: (i: number) => number): IsolateView["heapUsed"] {
  return {
    timeMs: Float64Array.from({ length: count }, (_, i) => ((i + 0.5) * durationMs) / count),
    value: Float64Array.from({ length: count }, (_, i) => value(i)),
  };
}

function histogramOf(durations: Float64Array, kinds: Uint8Array): IsolateView["histogram"] {
  const buckets = Array.from({ length: 24 }, (_, i) => ({ fromMs: 0.0625 * 2 ** (i / 2), counts: [0, 0, 0, 0, 0] }));
  durations.forEach((ms, i) => {
    const bucket = buckets[Math.max(0, Math.min(23, Math.floor(Math.log2(ms / 0.0625) * 2)))];
    const kind = kinds[i] ?? 0;
    if (bucket !== undefined) bucket.counts[kind] = (bucket.counts[kind] ?? 0) + 1;
  });
  return buckets.map(({ fromMs, counts }) => ({ fromMs, toMs: fromMs * Math.SQRT2, countByKind: counts }));
}

function isolateOf(name: string, index: number, options: Required<ViewOptions>): IsolateView {
  const next = random(index + 1);
  const { pauses, durationMs } = options;
  const kind = Uint8Array.from({ length: pauses }, (_, i) => (i % 37 === 36 ? 2 : i % 37 === 30 ? 3 : 0));
  const startMs = Float64Array.from(
    { length: pauses },
    (_, i) => ((i + next() * 0.8) * durationMs) / Math.max(1, pauses),
  );
  const durations =
    kind.length === 0
      ? new Float64Array()
      : Float64Array.from(
          kind,
          (k) => ([1.2, 0, 9, 0.7][k] ?? 0) * (0.3 + 1.4 * next() ** 3 + (next() < 0.01 ? 4 : 0)),
        );
  const sorted = durations.toSorted();
  const samples = Math.min(6000, Math.ceil(durationMs / 100));
  const heap = series(samples, durationMs, (i) => (60 + 0.05 * i + 16 * ((i * 0.37) % 1)) * 2 ** 20);
  const buckets = pauses === 0 ? 0 : 300;
  return {
    id: `4121-${index}`,
    name,
    kind: index === 0 ? "main" : "worker",
    pauses: { startMs, durationMs: durations, kind },
    heapUsed: heap,
    heapLimitBytes: 2048 * 2 ** 20,
    external: series(samples, durationMs, () => 2e6),
    spacesTimeMs: heap.timeMs,
    spaces: [
      { name: "read_only_space", usedBytes: new Float64Array(samples) },
      {
        name: "new_space",
        usedBytes: Float64Array.from(heap.value, (v, i) => 16 * ((i * 0.37) % 1) * 2 ** 20 + v * 0),
      },
      { name: "old_space", usedBytes: Float64Array.from(heap.value, (_, i) => (40 + 0.05 * i) * 2 ** 20) },
      { name: "large_object_space", usedBytes: Float64Array.from(heap.value, () => 14 * 2 ** 20) },
      { name: "code_space", usedBytes: Float64Array.from(heap.value, () => 6 * 2 ** 20) },
    ],
    loopDelayMs: series(samples, durationMs, () => 1 + 30 * next() ** 8),
    loopUtilization: series(samples, durationMs, (i) => 0.4 + 0.2 * Math.sin(i / 60) + 0.1 * next()),
    gcWork: {
      bucketMs: durationMs / Math.max(1, buckets),
      insideMs: Float64Array.from({ length: buckets }, () => (durationMs / 300) * 0.05 * next()),
      outsideMs: options.phases
        ? Float64Array.from({ length: buckets }, (_, i) => (durationMs / 300) * (i % 40 < 8 ? 0.06 * next() : 0))
        : null,
    },
    percentiles: [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999, 1].flatMap((q) => {
      const ms = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
      return ms === undefined ? [] : [{ q, ms }];
    }),
    histogram: histogramOf(durations, kind),
    mmu: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000]
      .filter((windowMs) => windowMs <= durationMs)
      .map((windowMs) => ({ windowMs, utilization: Math.max(0, 1 - 41 / (windowMs + 20)) })),
    allocations: null,
    seconds: {
      fromMs: 0,
      toMs: durationMs,
      allocation: new Float64Array(),
      peakAllocation: new Float64Array(),
      usualAllocation: new Float64Array(),
      growth: new Float64Array(),
      p99Ms: new Float64Array(),
      isBurst: new Uint8Array(),
      isGrowing: new Uint8Array(),
      isSlow: new Uint8Array(),
    },
    tagLanes: [],
  };
}

/** A view of the given number of pauses in each isolate. */
export function chartView(options: ViewOptions = {}): ReportView {
  const filled: Required<ViewOptions> = {
    pauses: 318,
    durationMs: 72_400,
    command: ["node", "server.js"],
    isolateNames: ["main"],
    phases: true,
    ...options,
  };
  const isolates = filled.isolateNames.map((name, index) => isolateOf(name, index, filled));
  const gc = (isolate: IsolateView): Report["summary"] => ({
    observedMs: filled.durationMs,
    pauses: statistics(isolate.pauses.durationMs),
    byKind: {},
    outsidePausesMs: null,
    wallShare: 0.06,
    mmu: [],
    peakHeapUsedBytes: null,
    peakRssBytes: null,
    peakExternalBytes: null,
    allocatedBytes: null,
    promotedBytes: null,
  });
  return {
    report: {
      schema: "gcspike.report/1",
      recording: {
        command: filled.command,
        startedAt: "2026-11-22T09:14:00.000Z",
        durationMs: filled.durationMs,
        node: "v20.20.2",
        v8: "11.3",
        arch: "x64",
        platform: "linux",
        cpus: 2,
        heapLimitBytes: null,
        semiSpaceBytes: null,
        collectors: ["probe"],
        complete: true,
        exit: { code: 0, signal: null },
        warnings: [],
      },
      thresholds: { spikeMs: 10, p99Ms: 10, growthBytes: 50 * 2 ** 20 },
      isolates: isolates.map((isolate) => ({
        id: isolate.id,
        pid: 4121,
        threadId: 0,
        name: isolate.name,
        kind: isolate.kind,
        gc: gc(isolate),
        seconds: { all: 0, bursts: 0, growing: 0, slow: 0 },
      })),
      summary: isolates[0] === undefined ? gc(isolateOf("none", 0, { ...filled, pauses: 0 })) : gc(isolates[0]),
      spikes: [],
      causes: [],
    },
    isolates,
    rss: [],
    sites: [],
    title: "orders.gcspike",
  };
}

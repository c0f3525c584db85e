/**
 * Synthetic report views: an HTTP server that keeps sessions, told by a seeded generator, so that the same options always
 * give the same view. The figures of the report are computed from the series and agree with them.
 */
import { sumCauses } from "../../src/analysis/cause-sums.ts";
import { flameTree } from "../../src/analysis/flame-tree.ts";
import type { GcSummary, PauseStatistics, Report, ReportPauseKind, Spike } from "../../src/analysis/report-types.ts";
import { countSeconds, type Seconds } from "../../src/analysis/seconds.ts";
import { MOST_FLAMED, type SpikeFlames } from "../../src/analysis/spike-flames.ts";
import { PAUSE_KINDS } from "../../src/recording/model.ts";
import type { Warning } from "../../src/recording/spec.ts";
import type {
  AllocationView,
  IsolateView,
  PageView,
  PauseSeries,
  Series,
  SpaceSeries,
} from "../../src/report/view-model.ts";

const MiB = 1024 ** 2;

export interface ViewOptions {
  readonly pauses?: number;
  readonly durationMs?: number;
  readonly spikeMs?: number;
  /** Names of further isolates, beside the main one. */
  readonly workers?: readonly string[];
  readonly phases?: boolean;
  readonly allocations?: boolean;
  readonly tags?: boolean;
  /** As the perf_hooks collector leaves it: no heap spaces, no loop, no process memory. */
  readonly perfHooks?: boolean;
  readonly complete?: boolean;
  readonly warnings?: readonly Warning[];
  /** Applied to every name and text of the recording. */
  readonly rename?: (text: string) => string;
}

type Random = () => number;

/** Mulberry32: small, seeded, good enough for pictures. */
function generator(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** About normal, mean 0, deviation 1. */
function normal(random: Random): number {
  return random() + random() + random() + random() + random() + random() - 3 + (random() - 0.5) * 0.3;
}

function drawPauses(count: number, durationMs: number, random: Random): PauseSeries {
  const startMs = new Float64Array(count);
  const duration = new Float64Array(count);
  const kind = new Uint8Array(count);
  const gap = durationMs / (count + 1);
  for (let i = 0; i < count; i += 1) {
    const round = i % 29;
    const isFull = round === 28;
    const isStart = round === 22;
    const milliseconds = isFull
      ? 9 * Math.exp(0.75 * normal(random))
      : isStart
        ? 1.4 + random()
        : 2.1 * Math.exp(0.62 * normal(random));
    startMs[i] = gap * (i + 0.6 + 0.3 * random());
    duration[i] = Math.min(milliseconds * Math.min(1, gap / 12), gap * 0.6);
    kind[i] = PAUSE_KINDS.indexOf(isFull ? "mark-compact" : isStart ? "incremental-start" : "scavenge");
  }
  return { startMs, durationMs: duration, kind };
}

function quantile(sorted: Float64Array, q: number): number | null {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
}

function statistics(durations: Float64Array): PauseStatistics {
  const sorted = durations.toSorted();
  const totalMs = sorted.reduce((sum, value) => sum + value, 0);
  return {
    count: sorted.length,
    totalMs,
    cpuMs: totalMs * 0.8,
    p50Ms: quantile(sorted, 0.5),
    p90Ms: quantile(sorted, 0.9),
    p99Ms: quantile(sorted, 0.99),
    p999Ms: quantile(sorted, 0.999),
    maxMs: quantile(sorted, 1),
  };
}

function sawtooth(durationMs: number, random: Random): Series {
  const timeMs = Float64Array.from({ length: Math.floor(durationMs / 100) }, (_, i) => i * 100);
  const value = timeMs.map((at) => {
    const growth = 70 + (90 * at) / durationMs;
    return (growth + ((at / 37) % 48) + ((at / 1900) % 26) + random() * 3) * MiB;
  });
  return { timeMs, value };
}

const SPACES: readonly (readonly [string, number])[] = [
  ["read_only_space", 0],
  ["new_space", 0.16],
  ["old_space", 0.58],
  ["code_space", 0.03],
  ["large_object_space", 0.14],
  ["code_large_object_space", 0],
  ["new_large_object_space", 0.04],
  ["trusted_space", 0.05],
];

function spaces(heap: Series, rename: (text: string) => string): readonly SpaceSeries[] {
  return SPACES.map(([name, part]) => ({ name: rename(name), usedBytes: heap.value.map((bytes) => bytes * part) }));
}

function gcWork(pauses: PauseSeries, durationMs: number, phases: boolean, random: Random): IsolateView["gcWork"] {
  const bucketMs = Math.max(100, durationMs / 1000);
  const insideMs = new Float64Array(Math.ceil(durationMs / bucketMs));
  for (const [i, start] of pauses.startMs.entries()) {
    const bucket = Math.floor(start / bucketMs);
    insideMs[bucket] = (insideMs[bucket] ?? 0) + (pauses.durationMs[i] ?? 0);
  }
  const outsideMs = phases ? insideMs.map((_, i) => (i % 56 > 38 ? bucketMs * 0.12 * random() : 0)) : null;
  return { bucketMs, insideMs, outsideMs };
}

function percentiles(durations: Float64Array): IsolateView["percentiles"] {
  if (durations.length === 0) return [];
  const sorted = durations.toSorted();
  const steps = Array.from({ length: 120 }, (_, i) => 1 - 10 ** (-i / 20)).filter((q) => q < 1 - 1 / sorted.length);
  return [...steps, 1].map((q) => ({ q, ms: quantile(sorted, q) ?? 0 }));
}

function histogram({ durationMs, kind }: PauseSeries): IsolateView["histogram"] {
  if (durationMs.length === 0) return [];
  const bucketOf = (ms: number): number => Math.floor(Math.log2(ms) * 2);
  const buckets = durationMs.reduce(
    (seen, ms) => [Math.min(seen[0], bucketOf(ms)), Math.max(seen[1], bucketOf(ms))] as const,
    [99, -99] as readonly [number, number],
  );
  const counts = Array.from({ length: buckets[1] - buckets[0] + 1 }, () => PAUSE_KINDS.map(() => 0));
  for (const [i, ms] of durationMs.entries()) {
    const row = counts[bucketOf(ms) - buckets[0]];
    const k = kind[i] ?? 0;
    if (row !== undefined) row[k] = (row[k] ?? 0) + 1;
  }
  return counts.map((countByKind, i) => ({
    fromMs: 2 ** ((i + buckets[0]) / 2),
    toMs: 2 ** ((i + 1 + buckets[0]) / 2),
    countByKind,
  }));
}

/** A stand-in with the right shape: below the worst pause nothing is left, at full length what the pauses leave. */
function mmu(pauses: PauseStatistics, durationMs: number): IsolateView["mmu"] {
  const windows = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000].filter((w) => w <= durationMs);
  const worst = pauses.maxMs ?? 0;
  const least = 1 - pauses.totalMs / durationMs;
  return windows.map((windowMs) => ({
    windowMs,
    utilization: Math.max(0, least * (1 - (1.4 * worst) / (windowMs + worst))),
  }));
}

const FRAMES: readonly (readonly [string, string, "user" | "node" | "native"])[] = [
  ["processTimers", "node:internal/timers:520", "node"],
  ["onIncoming", "node:_http_server:1101", "node"],
  ["handleRequest", "src/server.ts:31", "user"],
  ["hydrateSession", "src/session.ts:48", "user"],
  ["parseCart", "src/cart.ts:112", "user"],
  ["JSON.parse", "", "native"],
  ["priceLine", "src/cart.ts:164", "user"],
  ["renderPage", "src/render.ts:20", "user"],
  ["escapeHtml", "node_modules/escape-goat/index.js:4", "user"],
  ["join", "", "native"],
  ["writeLog", "src/log.ts:12", "user"],
  ["formatWithOptions", "node:internal/util/inspect:2271", "node"],
  ["refreshCache", "src/cache.ts:77", "user"],
  ["map", "", "native"],
  ["toEntry", "src/cache.ts:91", "user"],
  ["resolveRoute", "node_modules/find-my-way/index.js:612", "user"],
];
/** The optimiser puts it into its caller: it has a second frame behind the others. */
const PRICE_LINE = 6;
const STACKS: readonly (readonly number[])[] = [
  [1, 2, 3],
  [1, 2, 3, 5],
  [1, 2, 3, 4],
  [1, 2, 3, 4, 5],
  [1, 2, 3, 4, FRAMES.length],
  [1, 2, 7],
  [1, 2, 7, 8],
  [1, 2, 7, 8, 9],
  [1, 2, 10, 11],
  [1, 15],
  [0, 12, 13, 14],
  [0, 12, 5],
];

function allocations(durationMs: number, rename: (text: string) => string, random: Random): AllocationView {
  const length = 1000;
  const windows = Array.from({ length: Math.max(1, Math.floor(durationMs / length)) }, (_, w) => {
    const burst = w % 11 === 7 ? 2.6 : 1;
    const stacks = STACKS.map((_, stack) => ({ stack, bytes: ((14 - stack) * (0.4 + random()) * burst * MiB) / 3 }));
    const bytes = stacks.reduce((sum, entry) => sum + entry.bytes, 0);
    return { startMs: w * length, endMs: (w + 1) * length, bytes, stacks };
  });
  const known = FRAMES.map(([name, location, origin]) => ({ name: rename(name), location: rename(location), origin }));
  const frames = [
    ...known,
    ...known.slice(PRICE_LINE, PRICE_LINE + 1).map((one) => ({ ...one, inlinedOf: PRICE_LINE })),
  ];
  return { frames, stacks: STACKS, windows };
}

function summarise(
  pauses: PauseSeries,
  heap: Series,
  durationMs: number,
  options: ViewOptions,
  outsideMs: Float64Array | null,
): GcSummary {
  const all = statistics(pauses.durationMs);
  const byKind: Partial<Record<ReportPauseKind, PauseStatistics>> = {};
  for (const [k, name] of PAUSE_KINDS.entries()) {
    const durations = pauses.durationMs.filter((_, i) => pauses.kind[i] === k);
    if (durations.length > 0) byKind[name] = statistics(durations);
  }
  const outside = outsideMs?.reduce((sum, ms) => sum + ms, 0) ?? null;
  const peak = heap.value.reduce((most, value) => Math.max(most, value), 0);
  return {
    observedMs: durationMs,
    pauses: all,
    byKind,
    outsidePausesMs: outside,
    wallShare: (all.totalMs + (outside ?? 0)) / durationMs,
    mmu: mmu(all, durationMs),
    peakHeapUsedBytes: peak === 0 ? null : peak,
    peakRssBytes: options.perfHooks === true ? null : 340 * MiB,
    peakExternalBytes: options.perfHooks === true ? null : 31 * MiB,
    allocatedBytes: 4096 * MiB,
    promotedBytes: 612 * MiB,
  };
}

function isolate(id: string, name: string, index: number, options: ViewOptions): { view: IsolateView; gc: GcSummary } {
  const { durationMs = 72_400, pauses: count = 318, rename = (text: string) => text } = options;
  const random = generator(41 + index);
  const pauses = drawPauses(count, durationMs, random);
  const none: Series = { timeMs: new Float64Array(0), value: new Float64Array(0) };
  const heap = options.perfHooks === true ? none : sawtooth(durationMs, random);
  const work = gcWork(pauses, durationMs, options.phases !== false, random);
  const gc = summarise(pauses, heap, durationMs, options, work.outsideMs);
  const loop = { timeMs: heap.timeMs, value: heap.timeMs.map(() => 0.6 + 14 * random() ** 9 + 3 * random()) };
  const seconds = secondsOf(pauses, durationMs, options, generator(97 + index));
  const view: IsolateView = {
    id,
    name: rename(name),
    kind: index === 0 ? "main" : "worker",
    pauses,
    heapUsed: heap,
    heapLimitBytes: 4144 * MiB,
    external: {
      timeMs: heap.timeMs,
      value: heap.value.map((_, i) => (18 + 9 * Math.sin(i / 90) + 2 * random()) * MiB),
    },
    spacesTimeMs: heap.timeMs,
    spaces: options.perfHooks === true ? [] : spaces(heap, rename),
    loopDelayMs: loop,
    loopUtilization: { timeMs: heap.timeMs, value: heap.timeMs.map(() => 0.3 + 0.3 * random()) },
    gcWork: work,
    percentiles: percentiles(pauses.durationMs),
    histogram: histogram(pauses),
    mmu: mmu(gc.pauses, durationMs),
    allocations: options.allocations === false ? null : allocations(durationMs, rename, random),
    seconds,
    tagLanes:
      options.tags === true
        ? [
            {
              name: rename("GET /checkout"),
              usual: 1.6,
              rate: seconds.p99Ms.map((_, second) => (second % 20 < 16 ? 0.2 : 7)),
            },
            {
              name: rename("nightly export"),
              usual: 0.1,
              rate: seconds.p99Ms.map((_, second) => (second % 40 < 30 ? 0 : 0.4)),
            },
          ]
        : [],
  };
  return { view, gc };
}

/** A burst and growth every twentieth second, as long as there are heap sizes. */
function secondsOf(pauses: PauseSeries, durationMs: number, options: ViewOptions, random: Random): Seconds {
  const seconds = Float64Array.from({ length: Math.ceil(durationMs / 1000) }, (_, i) => i);
  const known = (value: (second: number) => number): Float64Array =>
    seconds.map((second) => (options.perfHooks === true ? Number.NaN : value(second)));
  const marks = (holds: (second: number) => boolean): Uint8Array => Uint8Array.from(seconds, (s) => (holds(s) ? 1 : 0));
  const isBusy = (second: number): boolean => second % 20 === 18 && options.perfHooks !== true;
  const lastTen = (second: number): Float64Array =>
    pauses.durationMs.filter((_, i) => Math.abs((pauses.startMs[i] ?? 0) / 1000 - second + 4) <= 5).sort();
  const p99Ms =
    pauses.startMs.length > 10_000
      ? seconds.map(() => 3)
      : seconds.map((s) => quantile(lastTen(s), 0.99) ?? Number.NaN);
  return {
    fromMs: 0,
    toMs: durationMs,
    allocation: known((second) => (isBusy(second) ? 180 : 24 + 6 * random()) * MiB),
    peakAllocation: known((second) => (isBusy(second) ? 250 : 31) * MiB),
    usualAllocation: known((second) => (second < 4 ? Number.NaN : 27 * MiB)),
    growth: known((second) => (isBusy(second) ? 70 : second % 20 === 19 ? -60 : 3 * random()) * MiB),
    p99Ms,
    isBurst: marks(isBusy),
    isGrowing: marks(isBusy),
    isSlow: marks((second) => (p99Ms[second] ?? 0) >= (options.spikeMs ?? 10)),
  };
}

function spikeOf(isolate: IsolateView, index: number, id: string, rename: (text: string) => string): Spike {
  const { startMs, durationMs, kind } = isolate.pauses;
  const duration = durationMs[index] ?? 0;
  const name = PAUSE_KINDS[kind[index] ?? 0] ?? "scavenge";
  const isFull = name === "mark-compact";
  return {
    id,
    isolate: isolate.id,
    startMs: startMs[index] ?? 0,
    durationMs: duration,
    cpuMs: duration * 0.82,
    kind: name,
    reason: rename(isFull ? "finalize incremental marking via task" : "allocation failure"),
    phases: (isFull
      ? ["V8.GC_MC_MARK", "V8.GC_MC_EVACUATE", "V8.GC_MC_CLEAR"]
      : ["V8.GC_SCAVENGER_SCAVENGE_PARALLEL", "V8.GC_SCAVENGER_SCAVENGE_ROOTS"]
    ).map((phase, i) => ({ name: phase, ms: (duration * 0.6) / (i + 1) })),
    cause: isFull ? "old-growth" : "survivor-copy",
    confidence: isFull ? 0.81 : 0.93,
    contributing: isFull ? ["compaction"] : [],
    headline: rename(
      isFull
        ? "Retained sessions filled the old generation up to its limit of 148 MiB, and a full collection ran."
        : "The scavenge copied 9.8 MiB of 15.9 MiB: most of what was just allocated was still referenced.",
    ),
    sites: [
      {
        function: rename("hydrateSession"),
        file: rename("src/session.ts"),
        line: 48,
        column: 9,
        share: 0.71,
        measure: isFull ? "retained" : "survived",
        exact: true,
        bytes: 7 * MiB,
        survivedBytes: 7 * MiB,
      },
      {
        function: rename("parseCart"),
        file: rename("src/cart.ts"),
        line: 112,
        column: 3,
        share: 0.16,
        measure: isFull ? "retained" : "survived",
        exact: true,
        bytes: 2 * MiB,
        survivedBytes: MiB,
      },
    ],
    external: null,
    tags: [{ name: rename("GET /checkout"), count: 14, lift: 3.2, lastBeforeMs: 12 }],
    evidence: [
      {
        signal: "survived",
        value: 9.8 * MiB,
        unit: "B",
        text: rename("9.8 MiB of 15.9 MiB survived (62 %); the median scavenge keeps 11 %."),
      },
      { signal: "phase", value: duration * 0.6, unit: "ms", text: rename("Copying took 60 % of the pause.") },
    ],
    advice: [
      { flag: "--max-semi-space-size=64", text: rename("fewer and cheaper copies; measure it with gcspike compare") },
      { text: rename("or keep parsed sessions off the heap, or parse them lazily") },
    ],
  };
}

/** Spikes in order of time, as the analysis finds them. */
function spikesOf(
  isolates: readonly IsolateView[],
  spikeMs: number,
  rename: (text: string) => string,
): readonly Spike[] {
  const found = isolates.flatMap((view) =>
    [...view.pauses.durationMs.entries()].filter(([, ms]) => ms >= spikeMs).map(([index]) => ({ view, index })),
  );
  found.sort((a, b) => (a.view.pauses.startMs[a.index] ?? 0) - (b.view.pauses.startMs[b.index] ?? 0));
  return found.map(({ view, index }, i) => spikeOf(view, index, `s${i + 1}`, rename));
}

/** Of the second in which a spike began: every other stack keeps some of its bytes. The tree is small, so that it has an "other". */
function flamesOf(spike: Spike, isolates: readonly IsolateView[]): readonly SpikeFlames[] {
  const allocations = isolates.find(({ id }) => id === spike.isolate)?.allocations ?? null;
  const window = allocations?.windows[Math.floor(spike.startMs / 1000)];
  if (allocations === null || window === undefined) return [];
  const time = { fromMs: window.startMs, toMs: window.endMs, leastBytes: 0 };
  const tree = (partOf: (stack: number) => number) =>
    flameTree(
      window.stacks.map(({ stack, bytes }) => ({
        frames: allocations.stacks[stack] ?? [],
        bytes: bytes * partOf(stack),
      })),
      { mostNodes: 12, inlinedOf: (frame) => allocations.frames[frame]?.inlinedOf },
    );
  const kept = { of: "heap", measure: spike.sites[0]?.measure ?? "survived", aliveMs: spike.startMs, ...time } as const;
  const all = { of: "heap", measure: "allocated", aliveMs: null, ...time } as const;
  const flames = [
    { selection: kept, tree: tree((stack) => (stack % 2 === 0 ? 0.4 : 0)) },
    { selection: all, tree: tree(() => 1) },
  ];
  return [{ spike: spike.id, flames }];
}

function causesOf(spikes: readonly Spike[]): Report["causes"] {
  const longest = spikes.toSorted((a, b) => b.durationMs - a.durationMs);
  const totalMs = spikes.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return sumCauses({ spikes: longest, count: spikes.length, totalMs });
}

/** A view with everything in it; the options take parts away or make it large or hostile. */
export function syntheticView(options: ViewOptions = {}): PageView {
  const { durationMs = 72_400, spikeMs = 10, workers = [], rename = (text: string) => text } = options;
  const complete = options.complete !== false;
  const built = ["main", ...workers].map((name, i) => isolate(`4121-${i}`, name, i, options));
  const isolates = built.map(({ view }) => view);
  const spikes = spikesOf(isolates, spikeMs, rename);
  const summary = built[0]?.gc;
  if (summary === undefined) throw new Error("a view has at least its main isolate");
  const timeMs = isolates[0]?.spacesTimeMs ?? new Float64Array(0);
  return {
    title: rename("orders-2026-11-22T09-14.gcspike"),
    isolates,
    rss: [{ pid: 4121, series: { timeMs, value: timeMs.map((at) => (230 + (110 * at) / durationMs) * MiB) } }],
    sites: [],
    flames: spikes
      .toSorted((a, b) => b.durationMs - a.durationMs)
      .slice(0, MOST_FLAMED)
      .flatMap((spike) => flamesOf(spike, isolates)),
    report: {
      schema: "gcspike.report/1",
      recording: {
        command: ["node", "--enable-source-maps", rename("server.js"), "--port=8080"],
        startedAt: "2026-11-22T09:14:03.120Z",
        durationMs,
        node: "v22.23.3",
        v8: "12.4.254.21-node.33",
        arch: "x64",
        platform: "linux",
        cpus: 2,
        heapLimitBytes: 4144 * MiB,
        semiSpaceBytes: 16 * MiB,
        collectors: options.perfHooks === true ? ["perf_hooks"] : ["probe", "phases", "heap", "allocations"],
        complete,
        exit: complete ? { code: 0, signal: null } : { code: null, signal: "SIGKILL" },
        warnings: (options.warnings ?? []).map(({ code, message, hint }) => ({
          code,
          message: rename(message),
          ...(hint !== undefined && { hint: rename(hint) }),
        })),
      },
      thresholds: { spikeMs, p99Ms: spikeMs, growthBytes: 50 * MiB },
      isolates: built.map(({ view, gc }, i) => ({
        id: view.id,
        pid: 4121,
        threadId: i,
        name: view.name,
        kind: view.kind,
        gc,
        seconds: countSeconds(view.seconds),
      })),
      summary,
      spikes,
      causes: causesOf(spikes),
    },
  };
}

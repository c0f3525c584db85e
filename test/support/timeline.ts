/**
 * Recordings from a line of text, for tests of everything behind the reader.
 *
 *     s  scavenge 2 ms      m  minor mark-sweep 4 ms      M  mark-compact 30 ms
 *     i  start of incremental marking 1 ms                w  weak callbacks 0.5 ms
 *     =  an incremental step of 3 ms (needs phases)       .  10 ms of the program      -  100 ms of the program
 *
 * The heap grows by 1 MiB in 10 ms of the program; a scavenge frees half of what came since the last collection and promotes
 * a quarter, a mark-compact goes back to the size at the start. Everything can be set, so that a test says what it is about.
 */
import {
  type Allocations,
  type AllocationWindow,
  type Frame,
  type HeapColumns,
  type IsolateData,
  type LoopColumns,
  type MeasuredWorkload,
  PAUSE_KINDS,
  type PauseColumns,
  type PauseKind,
  type PhaseColumns,
  type ProcessColumns,
  type Recording,
  type SampleColumns,
  type Samples,
  type TagColumns,
} from "../../src/recording/model.ts";
import { type Manifest, TAG_SOURCES, type TagSource, type Warning } from "../../src/recording/spec.ts";

const MIB = 1024 ** 2;
const HEAP_AT_START = 10 * MIB;
const HEAP_LIMIT = 2048 * MIB;
const SAMPLE_MS = 100;

const LETTERS: Readonly<Record<string, PauseKind>> = {
  s: "scavenge",
  m: "minor-mark-sweep",
  M: "mark-compact",
  i: "incremental-start",
  w: "weak-callbacks",
};
const DURATION_MS: Readonly<Record<PauseKind, number>> = {
  scavenge: 2,
  "minor-mark-sweep": 4,
  "mark-compact": 30,
  "incremental-start": 1,
  "weak-callbacks": 0.5,
};
const STEP_MS = 3;
const PROGRAM_MS: Readonly<Record<string, number>> = { ".": 10, "-": 100 };
const REASONS: readonly string[] = ["allocation failure", "allocation limit", "task"];

export interface TimelineOptions {
  readonly id?: string;
  readonly name?: string;
  readonly kind?: "main" | "worker" | "child";
  readonly pid?: number;
  readonly threadId?: number;
  readonly startMs?: number;
  /** Length of the n-th pause (from 0 on, of all kinds) where it is not that of its kind. */
  readonly durationMs?: Readonly<Record<number, number>>;
  /** Without phases `outsidePausesMs` is unknown. Default true. */
  readonly phases?: boolean;
  /** A line of stacks, one window a second: see `allocations`. */
  readonly allocations?: Allocations;
  /** Sampled objects, and no windows unless `allocations` has some: see `samples`. */
  readonly samples?: SampledObjects;
  /** perf_hooks knows when and how long, and nothing else. Default probe. */
  readonly collector?: "probe" | "perf_hooks";
  readonly triggerStack?: readonly Frame[];
  readonly tags?: TagColumns;
  readonly openPause?: IsolateData["openPause"];
  readonly execArgv?: readonly string[];
  readonly node?: string;
  readonly warnings?: readonly Warning[];
}

export interface PauseSpec {
  readonly kind: PauseKind;
  readonly startMs: number;
  readonly durationMs: number;
  readonly usedBefore?: number;
  readonly usedAfter?: number;
  readonly promotedBytes?: number;
  readonly reason?: number;
}

interface Span {
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly depth: number;
}

/** One isolate from a timeline. */
export function isolate(timeline: string, options: TimelineOptions = {}): IsolateData {
  const played = play(timeline, options);
  const pid = options.pid ?? 100;
  const threadId = options.threadId ?? 0;
  const probe = (options.collector ?? "probe") === "probe";
  const kind = options.kind ?? (threadId === 0 ? "main" : "worker");
  return {
    id: options.id ?? `${pid}-${threadId}`,
    pid,
    threadId,
    name: options.name ?? (threadId === 0 ? "main" : `worker-${threadId}`),
    kind,
    script: "server.js",
    node: options.node ?? "v20.20.2",
    v8: "11.3.244.8-node.33",
    execArgv: options.execArgv ?? [],
    startMs: options.startMs ?? 0,
    endMs: played.endMs,
    heapLimitBytes: HEAP_LIMIT,
    semiSpaceBytes: 16 * MIB,
    collectors: [
      options.collector ?? "probe",
      ...(options.phases === false ? [] : (["phases"] as const)),
      "heap",
      ...(options.allocations === undefined ? [] : (["allocations"] as const)),
      ...(options.tags === undefined ? [] : (["tags"] as const)),
    ],
    pauses: pauseColumns(played.pauses, { probe, trigger: options.triggerStack === undefined ? -1 : 0 }),
    openPause: options.openPause ?? null,
    reasons: REASONS,
    triggerStacks: options.triggerStack === undefined ? [] : [options.triggerStack],
    heap: heapColumns(played.heap),
    loop: loopColumns(played.endMs),
    phases: options.phases === false ? null : phaseColumns(played.spans),
    allocations: options.allocations ?? options.samples?.allocations ?? null,
    tags: options.tags ?? null,
    samples: options.samples?.samples ?? null,
    warnings: options.warnings ?? [],
  };
}

export interface RecordingOptions {
  readonly path?: string;
  readonly command?: readonly string[];
  readonly complete?: boolean;
  readonly exit?: Manifest["exit"];
  readonly processes?: readonly ProcessColumns[];
  readonly machine?: Partial<Manifest["machine"]>;
  readonly redacted?: boolean;
  readonly dump?: Manifest["dump"];
  readonly workload?: MeasuredWorkload;
  readonly warnings?: readonly Warning[];
}

/** A recording of these isolates; a string stands for the main thread. */
export function recording(isolates: string | readonly IsolateData[], options: RecordingOptions = {}): Recording {
  const all = typeof isolates === "string" ? [isolate(isolates)] : isolates;
  const durationMs = Math.max(0, ...all.map((one) => one.endMs));
  return {
    path: options.path ?? "/tmp/orders.gcspike",
    manifest: {
      schema: "gcspike.recording/1",
      formatVersion: 1,
      gcspike: "0.1.0",
      state: "finished",
      command: options.command ?? ["node", "server.js"],
      startedAt: "2026-11-22T09:14:00.000Z",
      startNs: "1000000000",
      endNs: String(1_000_000_000 + Math.round(durationMs * 1e6)),
      exit: options.exit === undefined ? { code: 0, signal: null } : options.exit,
      pid: 100,
      recorderPid: 99,
      machine: {
        platform: "linux",
        arch: "x64",
        cpus: 2,
        cpuModel: "Test CPU",
        memoryBytes: 4096 * MIB,
        pageFaultNs: null,
        kernel: "6.1.0",
        ...options.machine,
      },
      options: {
        collector: "probe",
        phases: true,
        allocations: true,
        liveHeap: false,
        cpu: false,
        spikeMs: 10,
        redacted: options.redacted ?? false,
      },
      dump: options.dump ?? null,
      files: [],
      warnings: [],
    },
    complete: options.complete ?? true,
    durationMs,
    isolates: all,
    processes: options.processes ?? [...new Set(all.map((one) => one.pid))].map((pid) => rss(pid, durationMs)),
    workload: options.workload ?? null,
    warnings: options.warnings ?? [],
  };
}

/** Resident memory that grows by 1 MiB a sample. */
function rss(pid: number, durationMs: number): ProcessColumns {
  const samples = Math.floor(durationMs / SAMPLE_MS) + 1;
  return {
    pid,
    count: samples,
    timeMs: Float64Array.from({ length: samples }, (_, i) => i * SAMPLE_MS),
    rss: Float64Array.from({ length: samples }, (_, i) => (64 + i) * MIB),
    cpuShare: new Float64Array(samples).fill(0.9),
    majorFaults: new Float64Array(samples),
    involuntarySwitches: new Float64Array(samples),
  };
}

/**
 * Allocations in windows of a second: each line is a stack, root first, and its bytes in every window.
 * A frame is "name@file:line", Node's own with a file that begins with "node:", native ones without a file.
 */
export function allocations(
  stacks: readonly { readonly stack: string; readonly bytes: readonly number[] }[],
): Allocations {
  const frames: Frame[] = [];
  const index = new Map<string, number>();
  const frameOf = (text: string) => {
    const known = index.get(text);
    if (known !== undefined) return known;
    frames.push(frame(text));
    index.set(text, frames.length - 1);
    return frames.length - 1;
  };
  const leafFirst = stacks.map(({ stack }) => stack.split(" > ").map(frameOf).reverse());
  const count = Math.max(0, ...stacks.map(({ bytes }) => bytes.length));
  const windows = Array.from(
    { length: count },
    (_, window): AllocationWindow => ({
      startMs: window * 1000,
      endMs: (window + 1) * 1000,
      samples: stacks.flatMap(({ bytes }, stack) => {
        const size = bytes[window] ?? 0;
        return size === 0 ? [] : [{ stack, objects: Math.ceil(size / 64), bytes: size }];
      }),
      truncated: false,
    }),
  );
  return { frames, stacks: leafFirst, windows, intervalBytes: 512 * 1024 };
}

export interface SampleSpec {
  /** Root first: "main@a.ts:1 > parse@a.ts:2". */
  readonly stack: string;
  readonly bornMs: number;
  /** Default: alive at the end. */
  readonly diedMs?: number;
  readonly bytes: number;
  /** Default: one. */
  readonly objects?: number;
}

export interface SampledObjects {
  readonly samples: Samples;
  /** Their stacks. */
  readonly allocations: Allocations;
}

/** Sampled objects of the heap and, where they are given, ArrayBuffers. */
export function samples(
  heap: readonly SampleSpec[],
  options: { readonly buffers?: readonly SampleSpec[]; readonly isExact?: boolean } = {},
): SampledObjects {
  const frames: Frame[] = [];
  const stacks: number[][] = [];
  const numbers = new Map<string, number>();
  const numberOf = (key: string, add: () => number) => {
    const known = numbers.get(key) ?? add();
    numbers.set(key, known);
    return known;
  };
  const frameOf = (text: string) => numberOf(`frame ${text}`, () => frames.push(frame(text)) - 1);
  const stackOf = (text: string) =>
    numberOf(`stack ${text}`, () => stacks.push(text.split(" > ").map(frameOf).reverse()) - 1);
  const columns = (specs: readonly SampleSpec[]): SampleColumns => {
    const inOrder = [...specs].sort((a, b) => a.bornMs - b.bornMs);
    return {
      count: inOrder.length,
      bornMs: Float64Array.from(inOrder, ({ bornMs }) => bornMs),
      diedMs: Float64Array.from(inOrder, ({ diedMs }) => diedMs ?? Number.POSITIVE_INFINITY),
      bytes: Float64Array.from(inOrder, ({ bytes }) => bytes),
      objects: Float64Array.from(inOrder, ({ objects }) => objects ?? 1),
      stack: Int32Array.from(inOrder, ({ stack }) => stackOf(stack)),
    };
  };
  return {
    samples: {
      heap: columns(heap),
      buffers: options.buffers === undefined ? null : columns(options.buffers),
      isExact: options.isExact ?? true,
      hasDeaths: true,
    },
    allocations: { frames, stacks, windows: [], intervalBytes: 512 * 1024 },
  };
}

/** "parse@src/cart.ts:112", "readFile@node:fs:20", "(root)", "agent@gcspike:1". */
export function frame(text: string): Frame {
  const [name = "", where = ""] = text.split("@");
  const colon = where.lastIndexOf(":");
  const file = colon < 0 ? where : where.slice(0, colon);
  const origin = file === "" ? "native" : file.startsWith("node:") ? "node" : file === "gcspike" ? "gcspike" : "user";
  return { function: name, file, line: colon < 0 ? 0 : Number(where.slice(colon + 1)), column: 0, origin };
}

function play(timeline: string, options: TimelineOptions) {
  const pauses: PauseSpec[] = [];
  const spans: Span[] = [];
  const heap: { timeMs: number; used: number }[] = [];
  let now = options.startMs ?? 0;
  let used = HEAP_AT_START;
  let sinceCollection = 0;
  for (const letter of timeline) {
    const kind = LETTERS[letter];
    if (kind !== undefined) {
      const durationMs = options.durationMs?.[pauses.length] ?? DURATION_MS[kind];
      const before = used;
      if (kind === "mark-compact") used = HEAP_AT_START;
      if (kind === "scavenge" || kind === "minor-mark-sweep") used -= sinceCollection / 2;
      const promotedBytes = kind === "scavenge" ? sinceCollection / 4 : Number.NaN;
      if (kind !== "incremental-start" && kind !== "weak-callbacks") sinceCollection = 0;
      const reason = kind === "mark-compact" ? 1 : 0;
      pauses.push({ kind, startMs: now, durationMs, usedBefore: before, usedAfter: used, promotedBytes, reason });
      spans.push(...pauseSpans(kind, now, durationMs));
      now += durationMs;
    } else if (letter === "=") {
      spans.push({ name: "V8.GC_MC_INCREMENTAL", startMs: now, durationMs: STEP_MS, depth: 0 });
      now += STEP_MS;
    } else {
      const programMs = PROGRAM_MS[letter];
      if (programMs === undefined) throw new Error(`no meaning for "${letter}" in a timeline`);
      for (let sample = Math.ceil(now / SAMPLE_MS) * SAMPLE_MS; sample < now + programMs; sample += SAMPLE_MS) {
        heap.push({ timeMs: sample, used: used + ((sample - now) / 10) * MIB });
      }
      used += (programMs / 10) * MIB;
      sinceCollection += (programMs / 10) * MIB;
      now += programMs;
    }
  }
  return { pauses, spans, heap, endMs: now };
}

/** V8's span begins 5 us before the first callback and ends 5 us after the last. */
function pauseSpans(kind: PauseKind, startMs: number, durationMs: number): readonly Span[] {
  const margin = 0.005;
  const outer = { startMs: startMs - margin, durationMs: durationMs + 2 * margin, depth: 0 };
  const inner = (name: string, from: number, to: number): Span => ({
    name,
    startMs: startMs + durationMs * from,
    durationMs: durationMs * (to - from),
    depth: 1,
  });
  switch (kind) {
    case "scavenge":
      return [
        { name: "MinorGC", ...outer },
        inner("V8.GC_SCAVENGER_SCAVENGE_ROOTS", 0.05, 0.15),
        inner("V8.GC_SCAVENGER_SCAVENGE_PARALLEL", 0.15, 0.9),
      ];
    case "mark-compact":
      return [
        { name: "MajorGC", ...outer },
        inner("V8.GC_MC_MARK", 0.05, 0.4),
        inner("V8.GC_MC_CLEAR", 0.4, 0.5),
        inner("V8.GC_MC_EVACUATE", 0.5, 0.95),
      ];
    case "incremental-start":
      return [{ name: "V8.GC_MC_INCREMENTAL_START", ...outer }];
    default:
      return [];
  }
}

/** Columns of these pauses; `probe` false leaves out what perf_hooks does not know. */
export function pauseColumns(
  pauses: readonly PauseSpec[],
  { probe, trigger }: { readonly probe: boolean; readonly trigger: number } = { probe: true, trigger: -1 },
): PauseColumns {
  const column = (value: (pause: PauseSpec, index: number) => number) => Float64Array.from(pauses, value);
  const measured = (value: (pause: PauseSpec, index: number) => number) =>
    probe ? column(value) : new Float64Array(pauses.length).fill(Number.NaN);
  return {
    count: pauses.length,
    startMs: column((pause) => pause.startMs),
    durationMs: column((pause) => pause.durationMs),
    kind: Uint8Array.from(pauses, (pause) => PAUSE_KINDS.indexOf(pause.kind)),
    flags: new Uint16Array(pauses.length),
    cpuMs: measured((pause) => pause.durationMs * 0.75),
    runQueueMs: measured((pause) => pause.durationMs * 0.1),
    minorFaults: Float32Array.from(measured(() => 12)),
    majorFaults: Float32Array.from(measured(() => 0)),
    voluntarySwitches: Float32Array.from(measured(() => 2)),
    involuntarySwitches: Float32Array.from(measured(() => 1)),
    processCpuMs: measured((pause) => pause.durationMs * 0.9),
    processMinorFaults: Float32Array.from(measured(() => 20)),
    processMajorFaults: Float32Array.from(measured(() => 0)),
    processKernelMs: measured(() => 0),
    kernelMs: measured(() => 0),
    usedBefore: measured((pause) => pause.usedBefore ?? Number.NaN),
    usedAfter: measured((pause) => pause.usedAfter ?? Number.NaN),
    committedAfter: measured((pause) => (pause.usedAfter ?? Number.NaN) * 1.25),
    externalBefore: measured(() => 3 * MIB),
    externalAfter: measured(() => 2 * MIB),
    mallocedAfter: measured(() => MIB / 2),
    arrayBufferBytes: measured(() => MIB),
    heapLimit: measured(() => HEAP_LIMIT),
    promotedBytes: measured((pause) => pause.promotedBytes ?? Number.NaN),
    probeMs: measured(() => 0.014),
    reason: Int16Array.from(pauses, (pause) => (probe ? (pause.reason ?? -1) : -1)),
    spaces: {
      names: [],
      usedBefore: new Uint32Array(0),
      usedAfter: new Uint32Array(0),
      committedAfter: new Uint32Array(0),
    },
    triggerStack: new Int32Array(pauses.length).fill(probe ? trigger : -1),
  };
}

function heapColumns(samples: readonly { readonly timeMs: number; readonly used: number }[]): HeapColumns {
  const column = (value: (sample: { timeMs: number; used: number }) => number) => Float64Array.from(samples, value);
  return {
    count: samples.length,
    timeMs: column((sample) => sample.timeMs),
    used: column((sample) => sample.used),
    committed: column((sample) => sample.used * 1.25),
    limit: column(() => HEAP_LIMIT),
    external: column(() => 2 * MIB),
    malloced: column(() => MIB / 2),
    arrayBuffers: column(() => MIB),
    spaceNames: ["new_space", "old_space"],
    spaceUsed: Float64Array.from(samples.flatMap(({ used }) => [used * 0.25, used * 0.75])),
  };
}

function loopColumns(endMs: number): LoopColumns {
  const count = Math.floor(endMs / SAMPLE_MS);
  return {
    count,
    timeMs: Float64Array.from({ length: count }, (_, i) => (i + 1) * SAMPLE_MS),
    utilization: new Float64Array(count).fill(0.6),
    maxDelayMs: new Float64Array(count).fill(12),
    cpuShare: new Float64Array(count).fill(0.55),
  };
}

/** "GET /report" at each of these moments, for so long (0: a moment); tags are put in order. */
export interface TagSpec {
  readonly name: string;
  readonly at: readonly number[];
  readonly durationMs?: number;
  readonly source?: TagSource;
  readonly weight?: number;
}

export function tagColumns(specs: readonly TagSpec[]): TagColumns {
  const names = [...new Set(specs.map(({ name }) => name))];
  const tags = specs
    .flatMap((spec) => spec.at.map((timeMs) => ({ ...spec, timeMs })))
    .toSorted((a, b) => a.timeMs - b.timeMs);
  return {
    count: tags.length,
    names,
    timeMs: Float64Array.from(tags, ({ timeMs }) => timeMs),
    durationMs: Float64Array.from(tags, ({ durationMs }) => durationMs ?? 0),
    name: Int32Array.from(tags, ({ name }) => names.indexOf(name)),
    source: Uint8Array.from(tags, ({ source }) => TAG_SOURCES.indexOf(source ?? "tag")),
    weight: Uint32Array.from(tags, ({ weight }) => weight ?? 1),
  };
}

/** Columns of these spans, which are put in order: by start, outer ones first. */
export function phaseColumns(spans: readonly Span[]): PhaseColumns {
  const sorted = spans.toSorted((a, b) => a.startMs - b.startMs || a.depth - b.depth);
  const names = [...new Set(sorted.map((span) => span.name))];
  return {
    count: sorted.length,
    startMs: Float64Array.from(sorted, (span) => span.startMs),
    durationMs: Float64Array.from(sorted, (span) => span.durationMs),
    name: Uint16Array.from(sorted, (span) => names.indexOf(span.name)),
    depth: Uint8Array.from(sorted, (span) => span.depth),
    names,
  };
}

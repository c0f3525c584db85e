/**
 * A recording as read: what the analysis works on. Types only.
 *
 * Times are milliseconds since the recording's start, sizes are bytes; a measurement that a collector did not take is NaN in
 * a column and null elsewhere. Columns are typed arrays of equal length, one entry a pause (or sample), in order of time,
 * because recordings with a million pauses have to fit.
 */
import type { Collector, Manifest, Warning, Workload } from "./spec.ts";

export type PauseKind = "scavenge" | "minor-mark-sweep" | "mark-compact" | "incremental-start" | "weak-callbacks";

/** `PauseColumns.kind` is an index into this list. */
export const PAUSE_KINDS: readonly PauseKind[] = [
  "scavenge",
  "minor-mark-sweep",
  "mark-compact",
  "incremental-start",
  "weak-callbacks",
];

export interface PauseColumns {
  readonly count: number;
  readonly startMs: Float64Array;
  readonly durationMs: Float64Array;
  /** Index into PAUSE_KINDS. */
  readonly kind: Uint8Array;
  /** V8's GCCallbackFlags (spec.GcFlag). */
  readonly flags: Uint16Array;
  readonly cpuMs: Float64Array;
  readonly runQueueMs: Float64Array;
  /** Counts in 32 bits: exact up to 16 million a pause, and a million pauses have to fit. */
  readonly minorFaults: Float32Array;
  readonly majorFaults: Float32Array;
  readonly voluntarySwitches: Float32Array;
  readonly involuntarySwitches: Float32Array;
  /** Of all threads of the process: the collector's helper threads are what they have more than the isolate's thread. */
  readonly processCpuMs: Float64Array;
  readonly processMinorFaults: Float32Array;
  readonly processMajorFaults: Float32Array;
  /** CPU time in the kernel, of the process and of the isolate's thread: counted in ticks of some milliseconds. */
  readonly processKernelMs: Float64Array;
  readonly kernelMs: Float64Array;
  readonly usedBefore: Float64Array;
  readonly usedAfter: Float64Array;
  readonly committedAfter: Float64Array;
  readonly externalBefore: Float64Array;
  readonly externalAfter: Float64Array;
  readonly mallocedAfter: Float64Array;
  readonly arrayBufferBytes: Float64Array;
  readonly heapLimit: Float64Array;
  /** Growth of the spaces outside the young generation during a scavenge; NaN for other kinds and without spaces. */
  readonly promotedBytes: Float64Array;
  /** The probe's own time right before and after the pause; it is not in the pause. */
  readonly probeMs: Float64Array;
  /** Index into IsolateData.reasons, or -1. */
  readonly reason: Int16Array;
  readonly spaces: SpaceColumns;
  /** Index into IsolateData.triggerStacks, or -1: no JavaScript on the stack, or not recorded. */
  readonly triggerStack: Int32Array;
}

/** Spaces that ever held anything. Entry (pause i, space s) stands at `i * names.length + s`, in units of 8 bytes (SPACE_UNIT). */
export interface SpaceColumns {
  readonly names: readonly string[];
  readonly usedBefore: Uint32Array;
  readonly usedAfter: Uint32Array;
  readonly committedAfter: Uint32Array;
}

export interface HeapColumns {
  readonly count: number;
  readonly timeMs: Float64Array;
  readonly used: Float64Array;
  readonly committed: Float64Array;
  readonly limit: Float64Array;
  readonly external: Float64Array;
  readonly malloced: Float64Array;
  readonly arrayBuffers: Float64Array;
  /** Used bytes: entry (sample i, space s) at `i * spaceNames.length + s`. */
  readonly spaceNames: readonly string[];
  readonly spaceUsed: Float64Array;
}

export interface LoopColumns {
  readonly count: number;
  readonly timeMs: Float64Array;
  /** Event-loop utilisation since the previous sample, 0..1. */
  readonly utilization: Float64Array;
  /** Longest time the loop did not poll for events since the previous sample. */
  readonly maxDelayMs: Float64Array;
  /** CPU time of the thread since the previous sample over the time between them. */
  readonly cpuShare: Float64Array;
}

export interface ProcessColumns {
  readonly pid: number;
  readonly count: number;
  readonly timeMs: Float64Array;
  readonly rss: Float64Array;
  /** CPU time of the process since the previous sample over the time between them; above 1 with several threads busy. */
  readonly cpuShare: Float64Array;
  /** These two count up from the start of the process. */
  readonly majorFaults: Float64Array;
  readonly involuntarySwitches: Float64Array;
}

/** V8's GC spans on the isolate's thread, outermost first where they start together. */
export interface PhaseColumns {
  readonly count: number;
  readonly startMs: Float64Array;
  readonly durationMs: Float64Array;
  /** Index into `names`. */
  readonly name: Uint16Array;
  readonly depth: Uint8Array;
  /** V8's names, e.g. V8.GC_MC_INCREMENTAL, V8.GC_SCAVENGER_SCAVENGE_ROOTS, MajorGC. */
  readonly names: readonly string[];
}

/** What the program was doing, by when it began. */
export interface TagColumns {
  readonly count: number;
  readonly names: readonly string[];
  readonly timeMs: Float64Array;
  /** 0 for a moment; NaN: its end is not known. */
  readonly durationMs: Float64Array;
  /** Index into `names`. */
  readonly name: Int32Array;
  /** Index into spec.TAG_SOURCES. */
  readonly source: Uint8Array;
  /** How many it stands for: 1, or more where there were too many to record each. */
  readonly weight: Uint32Array;
}

export interface Frame {
  readonly function: string;
  /** Source position, source maps applied; "" for native code. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** user: code of the program or its packages; node: Node's own JavaScript; native: builtins, V8, (root); gcspike: ours. */
  readonly origin: "user" | "node" | "native" | "gcspike";
  /** In sampled stacks: a call that the optimiser had put into its caller. */
  readonly isInlined?: true;
}

/** Sampled allocations of one window of about a second. */
export interface AllocationWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly samples: readonly AllocationSample[];
  /** Samples were left out because the window had too many; shares still hold, totals are low. */
  readonly truncated: boolean;
}

export interface AllocationSample {
  /** Index into Allocations.stacks. */
  readonly stack: number;
  /** Estimated number of objects and bytes (V8 unbiases its samples). */
  readonly objects: number;
  readonly bytes: number;
}

export interface Allocations {
  readonly frames: readonly Frame[];
  /** Indices into frames, leaf first. */
  readonly stacks: readonly (readonly number[])[];
  readonly windows: readonly AllocationWindow[];
  readonly intervalBytes: number;
}

/** Sampled objects, in order of birth. */
export interface SampleColumns {
  readonly count: number;
  readonly bornMs: Float64Array;
  /** Start of the collection that found it dead; Infinity: alive at the end. */
  readonly diedMs: Float64Array;
  /** Bytes that it stands for. */
  readonly bytes: Float64Array;
  /** Objects that it stands for, all as large as it. */
  readonly objects: Float64Array;
  /** Index into Allocations.stacks. */
  readonly stack: Int32Array;
}

/** An isolate that has them has allocations, too. */
export interface Samples {
  readonly heap: SampleColumns;
  /** ArrayBuffers, and with them Buffers; null where they were not sampled. */
  readonly buffers: SampleColumns | null;
  /** Functions that the optimiser inlined are known too. */
  readonly isExact: boolean;
  /** It was seen which of them died; else all have an infinite `diedMs`, and of the heap only large objects are here. */
  readonly hasDeaths: boolean;
}

export interface IsolateData {
  readonly id: string;
  readonly pid: number;
  readonly threadId: number;
  readonly name: string;
  readonly kind: "main" | "worker" | "child";
  readonly script: string;
  readonly node: string;
  readonly v8: string;
  /** Options of its Node from the command line; not those from NODE_OPTIONS. */
  readonly execArgv: readonly string[];
  readonly startMs: number;
  /** Last moment of which anything is known. */
  readonly endMs: number;
  readonly heapLimitBytes: number | null;
  readonly semiSpaceBytes: number | null;
  readonly collectors: readonly Collector[];
  readonly pauses: PauseColumns;
  /** A collection in which the process died: its duration is unknown and it is in none of the columns. */
  readonly openPause: { readonly startMs: number; readonly kind: PauseKind } | null;
  readonly reasons: readonly string[];
  readonly triggerStacks: readonly (readonly Frame[])[];
  readonly heap: HeapColumns;
  readonly loop: LoopColumns;
  /** null: no phase data was taken. */
  readonly phases: PhaseColumns | null;
  /** null: no allocations were sampled. */
  readonly allocations: Allocations | null;
  /** null: tags were not recorded. */
  readonly tags: TagColumns | null;
  /** What `allocations` was made from; null: V8's own sampler was used, or none. */
  readonly samples: Samples | null;
  readonly warnings: readonly Warning[];
}

export interface MeasuredWorkload extends Omit<Workload, "measured"> {
  /** When what it measures began and ended; null: it did not say. */
  readonly measured: { readonly fromMs: number; readonly toMs: number } | null;
}

export interface Recording {
  readonly path: string;
  readonly manifest: Manifest;
  /** False: the target died of a signal or out of memory, or the recording was cut. */
  readonly complete: boolean;
  readonly durationMs: number;
  readonly isolates: readonly IsolateData[];
  readonly processes: readonly ProcessColumns[];
  /** What the program measured itself; null where it wrote nothing. */
  readonly workload: MeasuredWorkload | null;
  /** Everything that is missing or doubtful, in the words of docs/voice: for a person. */
  readonly warnings: readonly Warning[];
}

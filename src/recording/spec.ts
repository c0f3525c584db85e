/**
 * The recording format, version 1: what stands in which file of a `NAME.gcspike` folder.
 * Types and constants only. docs/recording-format.md says the same in prose; native/gc-probe/format.h says it to the probe.
 *
 * All integers are little-endian. All times are nanoseconds of CLOCK_MONOTONIC (what `process.hrtime.bigint()` counts on
 * Linux), which one machine's processes share; `manifest.clock` ties it to the calendar.
 *
 *     NAME.gcspike/
 *       manifest.json              Manifest; written whole, renamed into place
 *       <isolate>.json             IsolateDescriptor; written by the agent when the isolate starts
 *       <isolate>.gc               log of GcRecord        one a pause
 *       <isolate>.heap             log of HeapRecord      one every 100 ms in which JavaScript ran
 *       <isolate>.loop             log of LoopRecord      one every 100 ms
 *       <isolate>.phases           log of PhaseRecord     V8's GC phases and incremental steps on the isolate's thread
 *       <isolate>.tags             log of names, tags and their ends: what the program was doing
 *       <isolate>.functions        log of FunctionRecord  the functions in GcRecord.stack and in .stacks
 *       <isolate>.stacks           log of StackRecord     where sampled objects were allocated
 *       <isolate>.samples          log of SampleRecord    births and deaths of sampled objects of the heap
 *       <isolate>.buffers          log of SampleRecord    the same for ArrayBuffers
 *       <isolate>.alloc            log of allocation windows, while recording, instead of .samples where gcspike's own sampler
 *                                  cannot work; replaced at the end by
 *       <isolate>.alloc.pb.gz      pprof, every sample labelled with its window; beside .samples for other tools only
 *       <isolate>.live.pb.gz       pprof of the live heap at the end (--live-heap)
 *       <isolate>.wall.pb.gz       pprof of wall-clock time (--cpu)
 *                                  while recording, the last two are <isolate>.live.0.pb.gz and <isolate>.wall.<n>.pb.gz
 *       <pid>.process              log of ProcessRecord   one every 100 ms
 *       workload.json              Workload; only where the program wrote one
 *       attached                   ATTACHED_FILE; only while `gcspike attach` records
 *
 * `<isolate>` is `<pid>-<threadId>`, with `.2`, `.3`, ... behind it where a process replaced itself (execve).
 */

export const FORMAT_VERSION = 1;
export const MANIFEST_SCHEMA = "gcspike.recording/1";

/**
 * Every log starts with a header page and goes on with records.
 *
 *     offset  size  field
 *     0       8     magic "GCSPIKE\0"
 *     8       4     format version
 *     12      4     log kind (LogKind)
 *     16      4     bytes a record, 0 where records have different lengths
 *     20      4     bytes of this header: where the first record starts
 *     24      8     committed bytes: valid record bytes behind the header; all ones: everything up to the end of the file
 *     32      8     dropped records: not written because there was no room
 *     40      4     why they were dropped: bit 0 disk full, bit 1 the log's size limit, bit 2 faster than room could be made
 *     44      4     number of strings in the header's table
 *     48      4     process id
 *     52      4     thread id (0 is the main thread)
 *     56      8     start time, ns
 *     64      8     of a ring: bytes of records that are forgotten, which the recorder says while it records
 *     72      8     bytes of the ring; 0: no ring
 *     80      48    reserved, zero
 *     128     ...   string table: 64 bytes each, zero-padded UTF-8 (heap spaces in .gc and .heap, phase names and
 *                   reasons in .phases)
 *
 * The writer commits a record by raising `committed bytes` after the record is complete, so that a process killed at any
 * instruction leaves only whole records; a file cut shorter than that is read as far as it goes.
 *
 * While a flight recorder runs, all logs but .functions are rings (src/recorder/flight/ring-log.ts): `committed bytes` go on rising, and the
 * record byte n stands at n modulo the ring's bytes behind the header. A recording has none.
 */
export const LOG_MAGIC = "GCSPIKE\0";
export const HEADER = {
  version: 8,
  kind: 12,
  recordBytes: 16,
  headerBytes: 20,
  committedBytes: 24,
  droppedRecords: 32,
  dropReasons: 40,
  stringCount: 44,
  pid: 48,
  threadId: 52,
  startNs: 56,
  firstBytes: 64,
  ringBytes: 72,
  strings: 128,
} as const;
export const HEADER_STRING_BYTES = 64;
export const HEADER_BYTES = 4096;
/** .phases has a larger table: 254 names. */
export const PHASES_HEADER_BYTES = 16_384;
export const UNTIL_END_OF_FILE = 0xffff_ffff_ffff_ffffn;

const GIB = 1024 ** 3;

export const LogKind = {
  gc: 1,
  heap: 2,
  phases: 3,
  functions: 4,
  alloc: 5,
  process: 6,
  loop: 7,
  stacks: 8,
  samples: 9,
  buffers: 10,
  tags: 11,
} as const;
export type LogKind = (typeof LogKind)[keyof typeof LogKind];

/** The largest that each log becomes, as the probe writes it; a reader takes more for damage. */
export const MAX_LOG_BYTES: Readonly<Record<LogKind, number>> = {
  [LogKind.gc]: 2 * GIB,
  [LogKind.heap]: GIB / 4,
  [LogKind.phases]: 2 * GIB,
  [LogKind.functions]: GIB / 16,
  [LogKind.alloc]: 2 * GIB,
  [LogKind.process]: GIB / 4,
  [LogKind.loop]: GIB / 16,
  [LogKind.tags]: GIB / 8,
  [LogKind.stacks]: 2 * GIB,
  [LogKind.samples]: 2 * GIB,
  [LogKind.buffers]: 2 * GIB,
};

export const DropReason = { diskFull: 1, sizeLimit: 2, tooFast: 4 } as const;

/**
 * One pause: from the outermost GC prologue callback to its epilogue.
 *
 *     offset  size  field
 *     0       4     kind: V8's GCType of the outermost callback (GcType)
 *     4       4     GCTypes of callbacks nested inside, or-ed
 *     8       4     V8's GCCallbackFlags of the outermost callback (GcFlag)
 *     12      4     which of the optional fields hold a measurement (GcPresent)
 *     16      8     start, ns
 *     24      8     end, ns; 0: the process died inside this collection (only the record behind the last committed one)
 *     32      8     CPU time of the isolate's thread, ns
 *     40      8     time that thread waited on a run queue, ns (schedstat)
 *     48      4     minor page faults of that thread
 *     52      4     major page faults
 *     56      4     voluntary context switches
 *     60      4     involuntary context switches
 *     64      8     used heap bytes before
 *     72      8     used heap bytes after
 *     80      8     committed heap bytes before
 *     88      8     committed heap bytes after
 *     96      8     external bytes before
 *     104     8     external bytes after
 *     112     8     malloced bytes before
 *     120     8     malloced bytes after
 *     128     8     heap size limit, bytes
 *     136     8     array-buffer bytes after
 *     144     4     the probe's own time before and after this pause, which is not in it, ns
 *     148     4     callbacks nested inside
 *     152     4     stack frames, at most STACK_FRAMES
 *     156     4     reserved
 *     160     128   stack: numbers of functions, 8 bytes each, innermost first: 1 + the index of a record in .functions
 *     288     16*n  per heap space, in the order of the header's string table, each as a count of 8 bytes:
 *                   used before, used after, committed before, committed after (4 bytes each)
 *     ...     32    all threads of the process together, helper threads of the collector among them (GC_PROCESS): CPU time (8
 *                   bytes), minor and major page faults (4 bytes each), CPU time in the kernel (8 bytes), and that of the isolate's
 *                   thread (8 bytes); ns. Linux counts time in the kernel by ticks, mostly of 4 ms, and spreads them over the whole:
 *                   of a short pause it says little. Recordings made before this part was added end with the spaces
 */
export const GC = {
  kind: 0,
  nestedKinds: 4,
  flags: 8,
  present: 12,
  startNs: 16,
  endNs: 24,
  cpuNs: 32,
  runQueueNs: 40,
  minorFaults: 48,
  majorFaults: 52,
  voluntarySwitches: 56,
  involuntarySwitches: 60,
  usedBefore: 64,
  usedAfter: 72,
  committedBefore: 80,
  committedAfter: 88,
  externalBefore: 96,
  externalAfter: 104,
  mallocedBefore: 112,
  mallocedAfter: 120,
  heapLimit: 128,
  arrayBufferBytes: 136,
  probeNs: 144,
  nestedCount: 148,
  frameCount: 152,
  stack: 160,
  spaces: 288,
} as const;
export const STACK_FRAMES = 16;
export const GC_SPACE_BYTES = 16;
export const GC_PROCESS = { cpuNs: 0, minorFaults: 8, majorFaults: 12, kernelNs: 16, threadKernelNs: 24 } as const;
export const GC_PROCESS_BYTES = 32;
/** Heap-space sizes are multiples of 8 and stored divided by it, so that 32 bits hold 32 GiB. */
export const SPACE_UNIT = 8;

/** V8's v8::GCType. */
export const GcType = {
  scavenge: 1,
  minorMarkSweep: 2,
  markCompact: 4,
  incrementalMarking: 8,
  weakCallbacks: 16,
} as const;
/** V8's v8::GCCallbackFlags. */
export const GcFlag = {
  constructRetainedObjectInfos: 2,
  forced: 4,
  synchronousPhantomCallbacks: 8,
  allAvailableGarbage: 16,
  allExternalMemory: 32,
  scheduledIdle: 64,
} as const;
export const GcPresent = {
  cpu: 1,
  faultsAndSwitches: 2,
  runQueue: 4,
  heap: 8,
  stack: 16,
  spaces: 32,
  arrayBuffers: 64,
  process: 128,
} as const;

/**
 *     0   8    time, ns
 *     8   8    used heap bytes
 *     16  8    committed heap bytes
 *     24  8    heap size limit
 *     32  8    external bytes
 *     40  8    malloced bytes
 *     48  8    array-buffer bytes (all ones: unknown)
 *     56  8    reserved
 *     64  8*n  per heap space: used, committed (4 bytes each, units of 8 bytes)
 */
export const HEAP = {
  timeNs: 0,
  used: 8,
  committed: 16,
  limit: 24,
  external: 32,
  malloced: 40,
  arrayBuffers: 48,
  spaces: 64,
} as const;
export const HEAP_SPACE_BYTES = 8;

/**
 *     0   8  time, ns
 *     8   8  time the event loop has spent idle since it started, ns (uv_metrics_idle_time)
 *     16  8  longest time since the last record that the loop did not come back to poll for events, ns: the delay that an
 *            event could have met; a loop still blocked counts up to now
 *     24  8  CPU time of the isolate's thread, ns
 */
export const LOOP = { timeNs: 0, idleNs: 8, maxBusyNs: 16, cpuNs: 24 } as const;
export const LOOP_RECORD_BYTES = 32;

/**
 *     0   8  time, ns
 *     8   8  resident set, bytes
 *     16  8  CPU time of the whole process, user and system, ns
 *     24  8  minor page faults since the process started
 *     32  8  major page faults
 *     40  8  involuntary context switches (all ones: unknown)
 */
export const PROCESS = {
  timeNs: 0,
  rss: 8,
  cpuNs: 16,
  minorFaults: 24,
  majorFaults: 32,
  involuntarySwitches: 40,
} as const;
export const PROCESS_RECORD_BYTES = 48;

/**
 * One of V8's trace spans on the isolate's thread; spans are written when they end, so inner ones come first.
 *
 *     0   8  start, ns
 *     8   8  duration, ns
 *     16  2  name: index into the string table
 *     18  2  reason: index into the string table plus 1, 0 for none (only on MajorGC and MinorGC; by --ebpf also on
 *            V8.GC_MC_INCREMENTAL_START)
 *     20  1  depth: 0 is outermost
 *     21  3  reserved
 *     24  8  used heap bytes at the end (MajorGC and MinorGC), else 0
 */
export const PHASE = { startNs: 0, durationNs: 8, name: 16, reason: 18, depth: 20, usedAfter: 24 } as const;
export const PHASE_RECORD_BYTES = 32;

/**
 * A function that stood on the stack of a pause or of a sampled object. Length varies, padded to 8; the n-th record is function number n + 1.
 *
 *     0   4  bytes of this record, padding included
 *     4   2  bytes of the function name, UTF-8
 *     6   2  bytes of the script name
 *     8   4  position: where the function starts in its script, in UTF-16 code units (all ones: unknown)
 *     12  4  reserved
 *     16  .. function name, script name
 */
export const FUNCTION = { bytes: 0, nameBytes: 4, scriptBytes: 6, position: 8, text: 16 } as const;
export const NO_POSITION = 0xffff_ffff;

/**
 * A stack on which objects were allocated. Length varies, padded to 8; the n-th record is stack n + 1.
 *
 *     0   4    bytes of this record, padding included
 *     4   4    number of frames
 *     8   4*n  numbers of functions, innermost first, inlined ones included where the sampler is "exact" or "ebpf": those have STACK_INLINED
 */
export const STACK = { bytes: 0, frameCount: 4, frames: 8 } as const;
/** In the number of a function that the optimiser had put into its caller. */
export const STACK_INLINED = 0x8000_0000;

/**
 * .samples and .buffers: one record where a sampled object is allocated, one where it is found dead.
 *
 *     0   4  1: birth; 2: death; 3: the program uses V8's heap sampler itself from now on, no births follow (.samples)
 *     4   4  number of its stack, 0: none (no JavaScript, or no room for it)
 *     8   8  time, ns; of a death the start of the collection that found it
 *     16  8  number of the object in its log: births count from 1
 *     24  8  bytes of the object
 *     32  8  bytes that it stands for: bytes / (1 - exp(-bytes / mean bytes between samples))
 */
export const SAMPLE = { type: 0, stack: 4, timeNs: 8, number: 16, bytes: 24, standsFor: 32 } as const;
export const SAMPLE_RECORD_BYTES = 40;
export const SampleType = { birth: 1, death: 2, yielded: 3 } as const;

/**
 * .alloc: two kinds of records, padded to 8.
 *
 * A string; the n-th one has number n, from 0 on:
 *     0   4  bytes of this record, padding included
 *     4   2  1
 *     6   2  length of the text
 *     8   .. UTF-8
 *
 * A window:
 *     0   4  bytes of this record
 *     4   2  2
 *     6   2  flags: bit 0, samples were left out because the window had too many; bit 1, it is the last one, because the
 *            program uses V8's heap sampler itself from its end on
 *     8   8  start, ns
 *     16  8  end, ns
 *     24  8  mean bytes between samples
 *     32  4  number of nodes
 *     36  4  number of allocation entries
 *     40  .. nodes, 24 bytes each: parent node + 1 (0: root), function string, script string, line, column,
 *            first line of the function's position is in `line`; script id (4 bytes each)
 *     ..  .. entries, 16 bytes each: node (4), count (4), bytes an object (8)
 *
 * String number 4294967295 is a text for which there was no room.
 */
export const ALLOC_STRING = 1;
export const ALLOC_WINDOW = 2;
export const ALLOC_NODE_BYTES = 24;
export const ALLOC_ENTRY_BYTES = 16;
export const ALLOC = {
  bytes: 0,
  type: 4,
  length: 6,
  text: 8,
  flags: 6,
  startNs: 8,
  endNs: 16,
  interval: 24,
  nodeCount: 32,
  entryCount: 36,
  nodes: 40,
} as const;

/**
 * .tags: three kinds of records, padded to 8.
 *
 * A name; the n-th one has number n, from 0 on:
 *     0   4  bytes of this record, padding included
 *     4   2  1
 *     6   2  length of the text
 *     8   .. UTF-8
 *
 * A tag; the n-th one has number n, from 0 on:
 *     0   4  32
 *     4   2  2
 *     6   1  source: index into TAG_SOURCES
 *     7   1  reserved
 *     8   8  when it began, ns
 *     16  8  duration, ns; 0: a moment; all ones: it went on, and its end is a record of its own
 *     24  4  number of its name
 *     28  4  weight: how many it stands for, itself and those of the same name and source left out before it
 *
 * The end of a tag:
 *     0   4  24
 *     4   2  3
 *     6   2  reserved
 *     8   8  when it ended, ns
 *     16  4  number of the tag
 *     20  4  number of a name that is known only now and takes the place of the first one (all ones: none)
 */
export const TAG_NAME = 1;
export const TAG_RECORD = 2;
export const TAG_END = 3;
export const TAG = {
  bytes: 0,
  type: 4,
  length: 6,
  text: 8,
  source: 6,
  timeNs: 8,
  durationNs: 16,
  name: 24,
  weight: 28,
  endedTag: 16,
  endName: 20,
} as const;
export const TAG_RECORD_BYTES = 32;
export const TAG_END_BYTES = 24;
/** Both halves of a duration that is not known yet, and the number of no name. */
export const TAG_OPEN = 0xffff_ffff;
/**
 * performance.mark and .measure; a publication on the channel gcspike:tag, which is where gcspike/tag publishes; a request of node:http;
 * a context that begins with a label in an AsyncLocalStorage.
 */
export const TAG_SOURCES = ["mark", "measure", "tag", "http", "context"] as const;
export type TagSource = (typeof TAG_SOURCES)[number];
/** The agent writes no more different names than this an isolate, and no longer ones. */
export const MAX_TAG_NAMES = 2500;
export const MAX_TAG_NAME_BYTES = 600;

/**
 * A recorder that is no parent of the program keeps this file in the folder, with content, for as long as it wants the recording.
 * It empties the file to end it; the program deletes it when it writes no more.
 */
export const ATTACHED_FILE = "attached";

/** In a flight recorder's folder, what the program writes into; beside it are the dumps, which are recordings. */
export const RING_FOLDER = "ring";

/** What a program that a flight recorder is attached to writes when it comes to its end by itself: its exit code. */
export const EXITED_FILE = "exited";

/** In the folder of a flight recorder that a program started for itself, why that one does not run, in words. */
export const PROBLEM_FILE = "problem";

/**
 * How finely the always-on agent samples allocations. A recording of everything samples every 512 KiB; who records for months has the
 * time to wait for more of them.
 */
export const AGENT_SAMPLING = { allocationIntervalBytes: 2 * 1024 ** 2, allocationWindowMs: 1000 } as const;

/** Of one isolate at the same time, each into a folder of its own (kMostSessions in native/gc-probe/few.h). */
export const MOST_RECORDINGS = 4;

/** What the agent answers a recorder that attaches, in one isolate. */
export type AttachAnswer =
  | { readonly state: "recording" }
  /** MOST_RECORDINGS are being made of it: into these folders. */
  | { readonly state: "full"; readonly folders: readonly string[] }
  | { readonly state: "failed"; readonly reason: string };

/** What the recorder tells the agent: `agent.json` in the recording folder. */
export interface AgentOptions {
  readonly schema: "gcspike.agent/1";
  readonly collector: "probe" | "perf_hooks";
  /** Record V8's phases, reasons and incremental steps. */
  readonly phases: boolean;
  /** Sample allocations. */
  readonly allocations: boolean;
  /** Mean bytes between allocation samples. */
  readonly allocationIntervalBytes: number;
  /** Length of an allocation window, ms. */
  readonly allocationWindowMs: number;
  readonly liveHeap: boolean;
  readonly cpu: boolean;
  /** Folder that holds one probe binary an ABI, `gc-probe-<platform>-<arch>-<abi>.node`. */
  readonly probeFolder: string;
  /** Path of @datadog/pprof's entry, for liveHeap and cpu; null where neither is asked for. */
  readonly pprofModule: string | null;
  /** Process id of the gcspike that has to be there for as long as the program is recorded; null where that is until its end. */
  readonly attachedBy: number | null;
  /** The agent was loaded before the program. */
  readonly loadedFirst: boolean;
  /** The logs are rings, of which a flight recorder keeps the end. */
  readonly ring: boolean;
}

/**
 * Who sampled allocations: gcspike's own sampler, which knows inlined functions ("exact") or only functions with a frame of
 * their own ("frames"), or V8's ("v8"), which knows the latter and no deaths. "ebpf": not sampled, but watched from outside: .samples has
 * large objects alone, and there are no deaths; inlined functions are known as far as the program's memory told them.
 */
export type Sampler = "exact" | "frames" | "v8" | "ebpf";

export type Collector = "probe" | "perf_hooks" | "phases" | "heap" | "allocations" | "tags" | "ebpf";

export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** `<isolate>.json`, written by the agent. */
export interface IsolateDescriptor {
  readonly schema: "gcspike.isolate/1";
  /** `<pid>-<threadId>` and, after execve, `.n` */
  readonly id: string;
  readonly pid: number;
  readonly parentPid: number;
  /** Node's own number; the system's where only that is known (--ebpf). */
  readonly threadId: number;
  /** A worker's `name` option; else `worker-N`, `main`, or a child's script. */
  readonly name: string;
  /** `process` is a main thread: whether of the program itself or of a child, the recorder tells by pid. */
  readonly kind: "process" | "worker";
  /** Base name of the script, "" without one. */
  readonly script: string;
  readonly node: string;
  readonly v8: string;
  readonly arch: string;
  readonly platform: string;
  readonly execArgv: readonly string[];
  readonly startNs: string;
  /**
   * Where `pid` means this process: boot id of the machine and PID namespace; null where the system has none. A process of
   * another container or machine may run although no process of that number does here.
   */
  readonly processSpace: string | null;
  readonly heapLimitBytes: number | null;
  /** Largest size of a semi-space in force, bytes; null where V8 does not say. */
  readonly semiSpaceBytes: number | null;
  readonly collectors: readonly Collector[];
  /** Null where no allocations are sampled. */
  readonly sampler: Sampler | null;
  readonly warnings: readonly Warning[];
}

/**
 * `workload.json`, which a workload writes into the recording folder: numbers that it measured itself, such as its latency.
 * It may be written anew while the workload runs.
 */
export interface Workload {
  readonly schema: "gcspike.workload/1";
  readonly name: string;
  /** How it was run, by option: `{"mode": "pooled", "tps": 10000}`. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly metrics: readonly Measurement[];
  /** When what it measures began and ended, on the clock of `Manifest.startNs`: a comparison leaves out the rest. */
  readonly measured?: { readonly fromNs: string; readonly toNs: string };
}

/** One number that was measured, and whether less or more of it is better. */
export interface Measurement {
  /** Such as `latency.p99`. */
  readonly metric: string;
  /** `ms`, `bytes`, `share` (0 to 1), `1/s`, or a word for what is counted. */
  readonly unit: string;
  readonly better: "lower" | "higher";
  readonly value: number;
}

/** Why and when a flight recorder wrote a dump; all times on the clock of `Manifest.startNs`, ns, as decimal strings. */
export interface Dump {
  /** What was to be kept before and behind a trigger, ms. A recording may begin later. */
  readonly keepMs: number;
  readonly afterMs: number;
  /** In order of time; never empty. */
  readonly triggers: readonly DumpTrigger[];
  /** How many more fired in this time. */
  readonly untold: number;
}

export interface DumpTrigger {
  /** As it was asked for, such as "pause>50ms"; "death" for the program's end. */
  readonly trigger: string;
  readonly atNs: string;
  /** What happened, in words: "a scavenge of 62 ms on main". */
  readonly what: string;
}

export interface Manifest {
  readonly schema: typeof MANIFEST_SCHEMA;
  readonly formatVersion: number;
  readonly gcspike: string;
  /** "recording" until the recorder finished its work on the folder. */
  readonly state: "recording" | "finished";
  readonly command: readonly string[];
  /** ISO 8601 */
  readonly startedAt: string;
  /** The monotonic clock at `startedAt`, ns, as a decimal string. */
  readonly startNs: string;
  /** The monotonic clock when the program ended; null while it runs. */
  readonly endNs: string | null;
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  /** Process id of the program that gcspike started; null before it did. */
  readonly pid: number | null;
  readonly recorderPid: number;
  readonly machine: {
    readonly platform: string;
    readonly arch: string;
    readonly cpus: number;
    readonly cpuModel: string;
    readonly memoryBytes: number;
    /** Processor time that a minor page fault takes, ns; null: not known. */
    readonly pageFaultNs: number | null;
    readonly kernel: string;
  };
  readonly options: {
    /** "ebpf": `gcspike attach --ebpf`, with nothing in the program. */
    readonly collector: "probe" | "perf_hooks" | "ebpf";
    readonly phases: boolean;
    readonly allocations: boolean;
    /** A profile of the live heap was asked for. */
    readonly liveHeap: boolean;
    /** A wall-clock profile was asked for. */
    readonly cpu: boolean;
    readonly spikeMs: number;
    readonly redacted: boolean;
  };
  /** Of a flight recorder's dump; null in every other recording. */
  readonly dump: Dump | null;
  /** Finished recordings list their files; the format is a word of docs/recording-format.md. */
  readonly files: readonly { readonly name: string; readonly format: string; readonly bytes: number }[];
  readonly warnings: readonly Warning[];
}

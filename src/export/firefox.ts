/**
 * A profile for https://profiler.firefox.com: its "processed profile format", version 48, which later versions upgrade
 * (https://github.com/firefox-devtools/profiler/blob/main/docs-developer/processed-profile-format.md). Collections, steps, spikes and
 * tags are markers with their data; sampled objects are native allocations with addresses, so that it shows what is retained, too.
 */
import { programName } from "../lib/program-name.ts";
import { plainText } from "../lib/text.ts";
import type { Frame, IsolateData } from "../recording/model.ts";
import { type ExportInput, epochMs } from "./export-input.ts";
import { FrameTable, type NamedFrame } from "./frame-table.ts";
import { stackFrames } from "./heap-rows.ts";
import { TextParts } from "./text-parts.ts";
import { type CounterTrack, type Slice, type TraceThread, traceOf } from "./trace.ts";

const VERSION = 48;
/** That of Firefox's own profiles, which processed ones carry along. */
const GECKO_VERSION = 29;

const CATEGORIES = [
  { name: "Other", color: "grey", subcategories: ["Other"] },
  { name: "JavaScript", color: "yellow", subcategories: ["Other"] },
  { name: "Node.js", color: "green", subcategories: ["Other"] },
  { name: "GC / CC", color: "orange", subcategories: ["Other"] },
] as const;
const GC_CATEGORY = 3;
const CATEGORY_OF: Readonly<Record<Frame["origin"], number>> = { native: 0, gcspike: 0, user: 1, node: 2 };

/** Kinds of markers: by the category of their track, the title and the fields of their data with their formats. */
const MARKERS: Readonly<Record<string, { readonly title: string; readonly fields: Readonly<Record<string, string>> }>> =
  {
    pause: {
      title: "GC pause",
      fields: {
        reason: "string",
        used_before_bytes: "bytes",
        used_after_bytes: "bytes",
        promoted_bytes: "bytes",
        external_after_bytes: "bytes",
        cpu_ms: "milliseconds",
        run_queue_ms: "milliseconds",
        minor_faults: "integer",
        trigger: "string",
        spike: "string",
        spike_cause: "string",
      },
    },
    spike: {
      title: "GC spike",
      fields: {
        headline: "string",
        confidence: "percentage",
        contributing: "string",
        site: "string",
        file: "string",
        line: "integer",
        share: "percentage",
        advice: "string",
        flag: "string",
      },
    },
    step: { title: "GC step", fields: {} },
    v8: { title: "V8 phase", fields: {} },
    tag: { title: "Tag", fields: { source: "string", stands_for: "integer", end: "string" } },
  };
const GC_MARKERS: readonly string[] = ["pause", "spike", "step", "v8"];
const INTERVAL = 1;
const INSTANT = 0;

export function exportFirefox(input: ExportInput): Uint8Array {
  const { recording } = input;
  const processes = traceOf(input);
  const text = new TextParts();
  text.add(`{"meta":${JSON.stringify(metaOf(input))},"libs":[],"pages":[],"profilerOverhead":[],"threads":[`);
  const firstThread = new Map<number, number>();
  for (const [index, isolate] of recording.isolates.entries()) {
    if (!firstThread.has(isolate.pid)) firstThread.set(isolate.pid, index);
    const process = processes.find(({ pid }) => pid === isolate.pid);
    const place = recording.isolates.filter(({ pid }) => pid === isolate.pid).indexOf(isolate);
    const thread = threadOf(isolate, process?.threads[place], process?.name ?? "");
    text.add(`${index === 0 ? "" : ","}${JSON.stringify(thread)}`);
  }
  const counters = processes.flatMap(({ pid, threads, counters: ofProcess }) => {
    const place = { pid: String(pid), mainThreadIndex: firstThread.get(pid) ?? 0 };
    const ofThreads = threads.flatMap(({ name, counters: own }) => memoryCounters(own, ` of ${name}`));
    return [...memoryCounters(ofProcess, ""), ...ofThreads].map((counter) => ({ ...counter, ...place }));
  });
  text.add(`],"counters":${JSON.stringify(counters)}}\n`);
  return text.bytes();
}

function metaOf({ recording, report }: ExportInput) {
  const { platform, arch, cpus } = recording.manifest.machine;
  return {
    interval: 1,
    startTime: epochMs(recording, 0),
    processType: 0,
    product: plainText(programName(recording.manifest.command)) || "Node.js",
    importedFrom: "gcspike",
    platform,
    oscpu: `${platform} ${arch}`,
    abi: arch,
    logicalCPUs: cpus,
    appBuildID: report.recording.node,
    stackwalk: 0,
    debug: false,
    version: GECKO_VERSION,
    preprocessedProfileVersion: VERSION,
    symbolicated: true,
    usesOnlyOneStackType: true,
    doesNotUseFrameImplementation: true,
    sourceCodeIsNotOnSearchfox: true,
    extensions: { id: [], name: [], baseURL: [], length: 0 },
    categories: CATEGORIES,
    sampleUnits: { time: "ms", eventDelay: "ms", threadCPUDelta: "ns" },
    markerSchema: Object.entries(MARKERS).map(([name, { title, fields }]) => ({
      name: typeOf(name),
      tooltipLabel: `${title}: {marker.name}`,
      tableLabel: "{marker.name}",
      chartLabel: "{marker.name}",
      display: ["marker-chart", "marker-table", "timeline-overview"],
      data: Object.entries(fields).map(([key, format]) => ({
        key,
        label: key.replace(/_(bytes|ms)$/, "").replaceAll("_", " "),
        format,
        searchable: format === "string",
      })),
    })),
  };
}

/** Types of markers are the profiler's own, too. */
function typeOf(category: string): string {
  return `gcspike-${category}`;
}

function threadOf(isolate: IsolateData, trace: TraceThread | undefined, processName: string) {
  const tables = new ThreadTables();
  const { startMs, endMs, pid, threadId } = isolate;
  const markers = markersOf(trace, tables);
  const nativeAllocations = allocationsOf(isolate, tables);
  return {
    processType: "default",
    processStartupTime: startMs,
    processShutdownTime: null,
    registerTime: startMs,
    unregisterTime: endMs,
    pausedRanges: [],
    name: plainText(isolate.name),
    isMainThread: threadId === 0,
    showMarkersInTimeline: true,
    processName,
    pid: String(pid),
    tid: `${pid}-${threadId}`,
    // The profiler wants to know from when to when there was something.
    samples: {
      stack: [null, null],
      time: [startMs, endMs],
      weight: null,
      weightType: "samples",
      length: 2,
    },
    ...(nativeAllocations === null ? {} : { nativeAllocations }),
    markers,
    ...tables.tables(),
  };
}

function markersOf(trace: TraceThread | undefined, tables: ThreadTables) {
  const all: { readonly category: string; readonly slice: Slice }[] = [];
  for (const { category, slices } of trace?.slices ?? []) for (const slice of slices()) all.push({ category, slice });
  all.sort((a, b) => a.slice.startMs - b.slice.startMs);
  return {
    length: all.length,
    name: all.map(({ slice }) => tables.text(slice.name)),
    startTime: all.map(({ slice }) => slice.startMs),
    endTime: all.map(({ slice }) => (slice.durationMs > 0 ? slice.startMs + slice.durationMs : null)),
    phase: all.map(({ slice }) => (slice.durationMs > 0 ? INTERVAL : INSTANT)),
    category: all.map(({ category }) => (GC_MARKERS.includes(category) ? GC_CATEGORY : 0)),
    data: all.map(({ category, slice }) => ({ type: typeOf(category), ...slice.arguments })),
  };
}

/** Births and deaths in order of time; where deaths are not known, what windows of a second allocated. */
function allocationsOf(isolate: IsolateData, tables: ThreadTables) {
  const { samples, allocations, threadId } = isolate;
  if (allocations === null) return null;
  const stackOf = (stack: number) => tables.stack(stackFrames(isolate, stack));
  const events: { time: number; weight: number; stack: number | null; address: number }[] = [];
  if (samples === null) {
    for (const { startMs, samples: inWindow } of allocations.windows) {
      for (const { stack, bytes } of inWindow)
        events.push({ time: startMs, weight: bytes, stack: stackOf(stack), address: 0 });
    }
  } else {
    const { count, bornMs, diedMs, bytes, stack } = samples.heap;
    for (let i = 0; i < count; i++) {
      const weight = bytes[i] ?? 0;
      const born = { time: bornMs[i] ?? 0, weight, stack: stackOf(stack[i] ?? -1), address: i + 1 };
      const diedAt = diedMs[i] ?? Number.POSITIVE_INFINITY;
      events.push(born, ...(Number.isFinite(diedAt) ? [{ ...born, time: diedAt, weight: -weight }] : []));
    }
    events.sort((a, b) => a.time - b.time);
  }
  return {
    time: events.map(({ time }) => time),
    weight: events.map(({ weight }) => Math.round(weight)),
    weightType: "bytes",
    stack: events.map(({ stack }) => stack),
    ...(samples !== null && {
      memoryAddress: events.map(({ address }) => address),
      threadId: events.map(() => threadId),
    }),
    length: events.length,
  };
}

/** The profiler adds a counter's values up. */
function memoryCounters(counters: readonly CounterTrack[], suffix: string) {
  return counters
    .filter(({ unit, name }) => unit === "bytes" && !/^used .*_space$/.test(name))
    .map(({ name, timeMs, value }) => ({
      name: `${name}${suffix}`,
      category: "Memory",
      description: `${name}${suffix}, as gcspike sampled it`,
      samples: {
        time: [...timeMs],
        count: Array.from(value, (bytes, i) => (i === 0 ? bytes : bytes - (value[i - 1] ?? 0))),
        length: timeMs.length,
      },
    }));
}

/** A thread's own tables of texts, functions, frames and stacks. */
class ThreadTables {
  readonly #strings: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #frames = new FrameTable();
  readonly #stackPrefix: (number | null)[] = [];
  readonly #stackFrame: number[] = [];
  readonly #stackOf = new Map<string, number>();
  /** Stacks come as the same list again and again. */
  readonly #known = new Map<string, number | null>();

  text(text: string): number {
    const number = this.#numbers.get(text) ?? this.#strings.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }

  /** `frames`: leaf first. Null for none. */
  stack(frames: readonly Frame[]): number | null {
    const numbers = frames.map((frame) => this.#frames.numberOf(frame)).reverse();
    const key = numbers.join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    let prefix: number | null = null;
    for (const frame of numbers) prefix = this.#child(prefix, frame);
    this.#known.set(key, prefix);
    return prefix;
  }

  #child(prefix: number | null, frame: number): number {
    const key = `${prefix} ${frame}`;
    const known = this.#stackOf.get(key);
    if (known !== undefined) return known;
    const stack = this.#stackFrame.push(frame) - 1;
    this.#stackPrefix.push(prefix);
    this.#stackOf.set(key, stack);
    return stack;
  }

  tables() {
    const frames = this.#frames.frames;
    const of = <T>(value: (frame: NamedFrame) => T): T[] => frames.map(value);
    const category = of(({ origin }) => CATEGORY_OF[origin]);
    const funcTable = {
      name: of((frame) => this.text(frame.function)),
      isJS: of(({ origin }) => origin !== "native"),
      relevantForJS: of(() => false),
      resource: of(() => -1),
      fileName: of(({ file }) => (file === "" ? null : this.text(file))),
      lineNumber: of(({ line }) => (line > 0 ? line : null)),
      columnNumber: of(({ column }) => (column > 0 ? column : null)),
      length: frames.length,
    };
    return {
      funcTable,
      frameTable: {
        address: of(() => -1),
        inlineDepth: of(() => 0),
        category,
        subcategory: of(() => 0),
        func: frames.map((_, index) => index),
        nativeSymbol: of(() => null),
        innerWindowID: of(() => 0),
        implementation: of(() => null),
        line: funcTable.lineNumber,
        column: funcTable.columnNumber,
        length: frames.length,
      },
      stackTable: {
        frame: this.#stackFrame,
        prefix: this.#stackPrefix,
        category: this.#stackFrame.map((frame) => category[frame] ?? 0),
        subcategory: this.#stackFrame.map(() => 0),
        length: this.#stackFrame.length,
      },
      resourceTable: { lib: [], name: [], host: [], type: [], length: 0 },
      nativeSymbols: { libIndex: [], address: [], name: [], functionSize: [], length: 0 },
      stringArray: this.#strings,
    };
  }
}

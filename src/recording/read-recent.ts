/** The last seconds of a recording that grows, read again and again: the cost follows what is new, not what there is. */
import { join } from "node:path";
import { readBounded } from "./bounded-file.ts";
import { at, type Clock, clockAt, msSince } from "./columns.ts";
import { locate, readFunctions, recordedFrame } from "./decode-functions.ts";
import { decodeGc } from "./decode-gc.ts";
import { decodeHeap, noHeap } from "./decode-heap.ts";
import { decodeLoop, noLoop } from "./decode-loop.ts";
import { decodePhases } from "./decode-phases.ts";
import { decodeObjects, eachStack } from "./decode-samples.ts";
import { parseDescriptor, type ReadDescriptor, unknownDescriptor } from "./descriptor.ts";
import { listRecording } from "./files.ts";
import { behind, type Log, openLog } from "./log-reader.ts";
import type { Frame, IsolateData, SampleColumns } from "./model.ts";
import { firstAbove } from "./searching.ts";
import { LogKind, STACK_INLINED } from "./spec.ts";

/** Pauses are few and small, and are drawn for so long. */
const PAUSES_MS = 60_000;
/** Twice as long as what is asked of them: a span stands behind those inside it. */
const REST_MS = 20_000;
/** More than this of a log is left out, the older part, so that one look stays short. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_DESCRIPTOR_BYTES = 1024 * 1024;
/** A recording comes from anywhere: what it holds more of is left out. Programs have a hundredth of it. */
const MOST_ISOLATES = 500;
const MOST_STACKS = 500_000;
const MOST_FUNCTIONS = 500_000;
/** A worker that wrote nothing for so long has ended. */
const OVER_MS = 60_000;

/** The isolates of one process in a recording folder, their last seconds each. */
export class RecentReader {
  readonly #folder: string;
  readonly #pid: number;
  readonly #startNs: bigint;
  readonly #isolates = new Map<string, RecentIsolate>();
  readonly #over = new Set<string>();

  /** Times are ms since `startNs` on the monotonic clock. */
  constructor(folder: string, pid: number, startNs: bigint) {
    this.#folder = folder;
    this.#pid = pid;
    this.#startNs = startNs;
  }

  /**
   * What is there at the moment: up to a minute of pauses, at least ten seconds of everything else, but of allocations no windows, and
   * frames that `locateFrame` knows the line of. Never throws: what cannot be read is left out.
   */
  read(nowMs: number): readonly IsolateData[] {
    return this.#ids().flatMap((id) => {
      const reader = this.#isolates.get(id) ?? new RecentIsolate(this.#folder, id, this.#startNs);
      this.#isolates.set(id, reader);
      const isolate = reader.read(nowMs);
      if (isolate === null) return [];
      if (isolate.threadId > 0 && isolate.endMs < nowMs - OVER_MS) {
        this.#over.add(id);
        this.#isolates.delete(id);
      }
      return isolate;
    });
  }

  #ids(): readonly string[] {
    try {
      const own = `${this.#pid}-`;
      const isRead = (id: string): boolean => id.startsWith(own) && !this.#over.has(id);
      return [...listRecording(this.#folder).isolates.keys()].filter(isRead).slice(0, MOST_ISOLATES);
    } catch {
      // The folder is gone.
      return [];
    }
  }
}

/** A log of which only the end is of interest: where that begins. */
type FixedLog = "gc" | "heap" | "loop" | "phases" | "samples" | "buffers";

class RecentIsolate {
  readonly #path: string;
  readonly #id: string;
  readonly #startNs: bigint;
  readonly #clock: Clock;
  #descriptor: ReadDescriptor | null = null;
  readonly #begin = { gc: 0, heap: 0, loop: 0, phases: 0, samples: 0, buffers: 0 };
  readonly #frames: Frame[] = [];
  #functionBytes = 0;
  readonly #stacks: (readonly number[])[] = [];
  #stackBytes = 0;

  constructor(folder: string, id: string, startNs: bigint) {
    this.#path = join(folder, id);
    this.#id = id;
    this.#startNs = startNs;
    this.#clock = clockAt(startNs);
  }

  /** Null where its pauses are unknown: none is not what they are. */
  read(nowMs: number): IsolateData | null {
    const gc = this.#recent("gc");
    if (gc === null) return null;
    this.#descriptor ??= this.#readDescriptor();
    const descriptor = this.#descriptor ?? unknownDescriptor(this.#id);
    const heap = this.#recent("heap");
    const loop = this.#recent("loop");
    const phases = this.#recent("phases");
    const { pauses, openPause } = decodeGc(gc, [], this.#clock);
    const measured = {
      pauses,
      openPause,
      heap: heap === null ? noHeap() : decodeHeap(heap, this.#clock).heap,
      loop: loop === null ? noLoop() : decodeLoop(loop, this.#clock).loop,
      phases: phases === null ? null : decodePhases(phases, this.#clock).phases,
    };
    this.#forget("gc", gc, pauses.startMs, nowMs - PAUSES_MS);
    this.#forget("heap", heap, measured.heap.timeMs, nowMs - REST_MS);
    this.#forget("loop", loop, measured.loop.timeMs, nowMs - REST_MS);
    if (measured.phases !== null) this.#forget("phases", phases, measured.phases.startMs, nowMs - REST_MS);
    const startMs = descriptor.startNs === null ? 0 : msSince(this.#startNs, descriptor.startNs) || 0;
    return {
      id: this.#id,
      pid: descriptor.pid,
      threadId: descriptor.threadId,
      name: descriptor.name,
      kind: descriptor.threadId === 0 ? "main" : "worker",
      script: descriptor.script,
      node: descriptor.node,
      v8: descriptor.v8,
      execArgv: descriptor.execArgv,
      startMs,
      endMs: Math.max(startMs, lastMoment(measured)),
      heapLimitBytes: descriptor.heapLimitBytes,
      semiSpaceBytes: descriptor.semiSpaceBytes,
      collectors: descriptor.collectors,
      ...measured,
      ...this.#readObjects(nowMs, descriptor.sampler === "exact"),
      reasons: [],
      triggerStacks: [],
      tags: null,
      warnings: [],
    };
  }

  /** In this order: what a record refers to is there when it is. */
  #readObjects(nowMs: number, isExact: boolean): Pick<IsolateData, "allocations" | "samples"> {
    const heapLog = this.#recent("samples");
    const buffersLog = this.#recent("buffers");
    this.#readStacks();
    this.#readFrames();
    if (heapLog === null) return { allocations: null, samples: null };
    const decode = (log: Log): SampleColumns => decodeObjects(log, this.#clock, this.#stacks.length, "rest").columns;
    const heap = decode(heapLog);
    const buffers = buffersLog === null ? null : decode(buffersLog);
    this.#forget("samples", heapLog, heap.bornMs, nowMs - REST_MS);
    if (buffers !== null) this.#forget("buffers", buffersLog, buffers.bornMs, nowMs - REST_MS);
    // The last stack is that of objects which have none.
    const allocations = { frames: this.#frames, stacks: [...this.#stacks, []], windows: [], intervalBytes: 0 };
    return { allocations, samples: { heap, buffers, isExact, hasDeaths: true } };
  }

  #readStacks(): void {
    const log = this.#rest("stacks", this.#stackBytes);
    if (log === null || this.#stacks.length >= MOST_STACKS) return;
    eachStack(log, (numbers, length) => {
      this.#stacks.push(numbers.map((number) => (number % STACK_INLINED) - 1));
      this.#stackBytes += length;
    });
  }

  #readFrames(): void {
    const log = this.#rest("functions", this.#functionBytes);
    if (log === null || this.#frames.length >= MOST_FUNCTIONS) return;
    const { functions, readBytes } = readFunctions(log);
    for (const one of functions) this.#frames.push(recordedFrame(one, 0, (one.position ?? -1) + 1));
    this.#functionBytes += readBytes;
  }

  /** The part of a log that is of interest; null where there is none. */
  #recent(log: FixedLog): Log | null {
    const opened = openLog(`${this.#path}.${log}`, LogKind[log]).log;
    if (opened === null) return null;
    const { recordBytes } = opened.header;
    const most = MOST_BYTES - (MOST_BYTES % recordBytes);
    this.#begin[log] = Math.max(this.#begin[log], opened.bytes - most);
    return behind(opened, this.#begin[log]);
  }

  /** What a log got since its first `bytes` were read, of the first so many that it has; null where that is nothing. */
  #rest(log: "functions" | "stacks", bytes: number): Log | null {
    const opened = openLog(`${this.#path}.${log}`, LogKind[log]).log;
    if (opened === null || opened.bytes <= bytes) return null;
    const rest = behind(opened, bytes);
    return { ...rest, bytes: Math.min(rest.bytes, MOST_BYTES) };
  }

  /** From the next look on, a log begins with its first record from `untilMs` on. Records that were left out make it begin earlier. */
  #forget(name: FixedLog, log: Log | null, timeMs: Float64Array, untilMs: number): void {
    if (log === null) return;
    this.#begin[name] += firstAbove(timeMs.length, (index) => timeMs[index], untilMs) * log.header.recordBytes;
  }

  #readDescriptor(): ReadDescriptor | null {
    const text = readBounded(`${this.#path}.json`, MOST_DESCRIPTOR_BYTES);
    return typeof text === "string" ? null : parseDescriptor(text.toString(), this.#id);
  }
}

/** -Infinity where nothing is known. */
function lastMoment({
  pauses,
  openPause,
  heap,
  loop,
}: Pick<IsolateData, "pauses" | "openPause" | "heap" | "loop">): number {
  const last = pauses.count - 1;
  const never = Number.NEGATIVE_INFINITY;
  return Math.max(
    last < 0 ? never : at(pauses.startMs, last) + at(pauses.durationMs, last),
    openPause?.startMs ?? never,
    heap.timeMs.at(-1) ?? never,
    loop.timeMs.at(-1) ?? never,
  );
}

/**
 * Where a frame of `RecentReader` stands in its source. Those have line 0, and a column that counts from the start of the script:
 * scripts and source maps are read for the few that are shown.
 */
export function locateFrame(frame: Frame): Frame {
  const position = frame.column > 0 ? frame.column - 1 : null;
  return locate([{ name: frame.function, script: frame.file, position }]).frames[0] ?? frame;
}

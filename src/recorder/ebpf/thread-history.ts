/** From events in order to what happened: pauses with their reason, steps and allocations, each of one thread. Pure. */
import { GcType } from "../../recording/spec.ts";
import type { Stack } from "./event-order.ts";
import type { ThreadTimes, TraceEvent } from "./events.ts";

export interface TracedPause {
  readonly thread: number;
  /** V8's GCType, of the outermost collection and of those inside, or-ed. */
  readonly kind: number;
  readonly nestedKinds: number;
  readonly nestedCount: number;
  /** V8's GCCallbackFlags. */
  readonly flags: number;
  readonly startNs: number;
  readonly endNs: number;
  /** null: not known. */
  readonly cpuNs: number | null;
  readonly runQueueNs: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** V8's GarbageCollectionReason; null: none was told. */
  readonly reason: number | null;
  /** Who triggered it. */
  readonly stack: Stack;
}

export interface TracedAllocation {
  readonly thread: number;
  readonly of: "buffer" | "large";
  readonly atNs: number;
  readonly bytes: number;
  /** Those that it stands for: its own and those of allocations that were left out before it. */
  readonly standsForBytes: number;
  readonly stack: Stack;
}

export interface TracedStep {
  readonly thread: number;
  readonly startNs: number;
  readonly endNs: number;
}

/** A collection that has not ended. */
export interface OpenPause {
  readonly thread: number;
  readonly kind: number;
  readonly startNs: number;
}

export interface HistorySink {
  readonly pause: (pause: TracedPause) => void;
  readonly step: (step: TracedStep) => void;
  readonly allocation: (allocation: TracedAllocation) => void;
}

type Cause = { readonly reason: number; readonly stack: Stack };
type Edge = Extract<TraceEvent, { readonly type: "prologue" | "epilogue" }>;

interface Thread {
  /** Collections that have begun and not ended, the outermost first: callbacks of one may start another. */
  readonly open: Edge[];
  nestedKinds: number;
  nestedCount: number;
  /** What was asked for and has not begun. */
  collect: Cause | null;
  marking: Cause | null;
  /** Of the outermost collection. */
  cause: Cause | null;
}

export class ThreadHistory {
  readonly #sink: HistorySink;
  readonly #threads = new Map<number, Thread>();

  constructor(sink: HistorySink) {
    this.#sink = sink;
  }

  /** In order of time. */
  add(event: TraceEvent, stack: Stack): void {
    const thread = this.#thread(event.thread);
    switch (event.type) {
      case "collect":
        thread.collect = { reason: event.reason, stack };
        break;
      case "marking":
        thread.marking = { reason: event.reason, stack };
        break;
      case "prologue":
        begin(thread, event);
        break;
      case "epilogue":
        this.#end(thread, event);
        break;
      case "step":
        this.#sink.step({ thread: event.thread, startNs: event.startNs, endNs: event.atNs });
        break;
      case "allocation": {
        const { of, atNs, bytes, leftOutBytes } = event;
        const allocation = { thread: event.thread, of, atNs, bytes, standsForBytes: bytes + leftOutBytes, stack };
        this.#sink.allocation(allocation);
      }
    }
  }

  /** Events are missing: what was open may have ended. */
  forget(): void {
    this.#threads.clear();
  }

  open(): readonly OpenPause[] {
    return [...this.#threads].flatMap(([thread, { open }]) => {
      const [outermost] = open;
      return outermost === undefined ? [] : [{ thread, kind: outermost.gcType, startNs: outermost.atNs }];
    });
  }

  #thread(number: number): Thread {
    const known = this.#threads.get(number);
    if (known !== undefined) return known;
    const thread: Thread = { open: [], nestedKinds: 0, nestedCount: 0, collect: null, marking: null, cause: null };
    this.#threads.set(number, thread);
    return thread;
  }

  #end(thread: Thread, end: Edge): void {
    const begun = thread.open.findLastIndex(({ gcType }) => gcType === end.gcType);
    const [outermost] = thread.open;
    if (begun < 0 || outermost === undefined) return;
    thread.open.length = begun;
    if (begun === 0) this.#sink.pause(pauseOf(thread, outermost, end));
  }
}

function begin(thread: Thread, event: Edge): void {
  const cause = takeCause(thread, event.gcType);
  if (thread.open.length === 0) {
    thread.cause = cause;
    thread.nestedKinds = 0;
    thread.nestedCount = 0;
  } else {
    thread.nestedKinds |= event.gcType;
    thread.nestedCount++;
  }
  thread.open.push(event);
}

/** Weak callbacks have no reason of their own. */
function takeCause(thread: Thread, gcType: number): Cause | null {
  if (gcType === GcType.weakCallbacks) return null;
  const which = gcType === GcType.incrementalMarking ? "marking" : "collect";
  const cause = thread[which];
  thread[which] = null;
  return cause;
}

function pauseOf({ nestedKinds, nestedCount, cause }: Thread, start: Edge, end: Edge): TracedPause {
  const grown = (which: Exclude<keyof ThreadTimes, "cpuNs" | "updatedNs" | "processor">): number =>
    Math.max(0, end.times[which] - start.times[which]);
  return {
    thread: start.thread,
    kind: start.gcType,
    nestedKinds,
    nestedCount,
    flags: start.flags,
    startNs: start.atNs,
    endNs: end.atNs,
    cpuNs: cpuBetween(start, end),
    runQueueNs: grown("runQueueNs"),
    voluntarySwitches: grown("voluntarySwitches"),
    involuntarySwitches: grown("involuntarySwitches"),
    minorFaults: grown("minorFaults"),
    majorFaults: grown("majorFaults"),
    reason: cause?.reason ?? null,
    stack: cause?.stack ?? [],
  };
}

/**
 * A thread that never wanted to wait ran whenever it had a processor. Of one that did, the kernel adds up the CPU time when it is switched
 * and at each tick, and since then it has run without a break; but each processor has a clock of its own for that, so that it is only known
 * of a thread that ended on the one on which it began.
 */
function cpuBetween(start: Edge, end: Edge): number | null {
  const wallNs = end.atNs - start.atNs;
  const within = (cpuNs: number): number => Math.min(wallNs, Math.max(0, Math.round(cpuNs)));
  const [from, to] = [start.times, end.times];
  if (to.voluntarySwitches === from.voluntarySwitches) return within(wallNs - (to.runQueueNs - from.runQueueNs));
  if (to.processor !== from.processor) return null;
  return within(to.cpuNs - from.cpuNs + wallNs - (to.updatedNs - from.updatedNs));
}

/**
 * Events in order of time, each with its stack. bpftrace reads a buffer a processor, one after the other, so that what a thread did on two
 * processors may come in the wrong order; frames say which event they are of.
 */
import { GcType } from "../../recording/spec.ts";
import type { FrameLine, Line, TraceEvent } from "./events.ts";
import type { FunctionDescription } from "./heap-reader.ts";
import type { SeenFrame } from "./stack-reader.ts";

/** How far behind the last tick events are taken to be complete. Buffers are read many times in it. */
const SETTLED_NS = 500e6;
/** Remembered full collections of a thread: those of the time in which their order still counts, and more. */
const MAX_STARTS = 10_000;

export interface StackFrame {
  readonly function: FunctionDescription;
  /** The optimiser had put it into its caller. */
  readonly isInlined: boolean;
}

/** null: there was one, and who it was is not known for certain. Innermost first. */
export type Stack = readonly StackFrame[] | null;

/** Reads what runs in a frame: nothing, for one of C++; null where it is not there any more. */
export type ReadFrame = (line: FrameLine) => readonly SeenFrame[] | null;

interface Pending {
  readonly event: TraceEvent;
  readonly frames: SeenFrame[];
  isUnknown: boolean;
}

export interface EventSink {
  readonly event: (event: TraceEvent, stack: Stack) => void;
  /** Events were lost between the one before and the next one. */
  readonly lost: (count: number) => void;
}

export class EventOrder {
  readonly #readFrame: ReadFrame | null;
  readonly #sink: EventSink;
  #pending: Pending[] = [];
  readonly #byFrameKey = new Map<string, Pending>();
  /** When full collections of a thread began, ns. */
  readonly #fullStarts = new Map<number, number[]>();

  /** `readFrame`: null where stacks are not read. */
  constructor(readFrame: ReadFrame | null, sink: EventSink) {
    this.#readFrame = readFrame;
    this.#sink = sink;
  }

  add(line: Line): void {
    switch (line.type) {
      case "tick":
        this.#release(line.atNs - SETTLED_NS);
        break;
      case "lost":
        this.#release(Number.POSITIVE_INFINITY);
        this.#sink.lost(line.count);
        break;
      case "frame":
        this.#addFrame(line);
        break;
      default:
        this.#addEvent(line);
    }
  }

  /** Nothing comes any more. */
  end(): void {
    this.#release(Number.POSITIVE_INFINITY);
  }

  #addEvent(event: TraceEvent): void {
    const pending: Pending = { event, frames: [], isUnknown: false };
    this.#pending.push(pending);
    if (event.type === "collect" || event.type === "allocation") this.#byFrameKey.set(keyOf(event), pending);
    if (event.type !== "prologue" || event.gcType !== GcType.markCompact) return;
    const starts = this.#fullStarts.get(event.thread) ?? [];
    if (starts.length >= MAX_STARTS) starts.splice(0, MAX_STARTS / 2);
    starts.push(event.atNs);
    this.#fullStarts.set(event.thread, starts);
  }

  #addFrame(line: FrameLine): void {
    const pending = this.#byFrameKey.get(keyOf(line));
    if (pending === undefined || this.#readFrame === null) return;
    const frames = this.#readFrame(line);
    if (frames === null) pending.isUnknown = true;
    else pending.frames.push(...frames);
  }

  /** `settledNs`: all that was before has been told. */
  #release(settledNs: number): void {
    const upToNs = this.#pending.reduce((least, { event, frames }) => {
      // Whether a collection came before its names were read is not known yet; what is later waits with it.
      const isUnsettled = frames.some(({ afterNs }) => afterNs > settledNs);
      return isUnsettled ? Math.min(least, event.atNs - 1) : least;
    }, settledNs);
    const ready = this.#pending.filter(({ event }) => event.atNs <= upToNs);
    if (ready.length === 0) return;
    this.#pending = this.#pending.filter(({ event }) => event.atNs > upToNs);
    ready.sort((a, b) => a.event.atNs - b.event.atNs);
    for (const pending of ready) {
      this.#byFrameKey.delete(keyOf(pending.event));
      this.#sink.event(pending.event, this.#stackOf(pending));
    }
  }

  #stackOf({ event, frames, isUnknown }: Pending): Stack {
    const isCertain = ({ beforeNs, afterNs }: SeenFrame): boolean =>
      this.#isCalm(event.thread, event.atNs, afterNs) ||
      (beforeNs !== null && beforeNs <= event.atNs && this.#isCalm(event.thread, beforeNs, event.atNs));
    return isUnknown || !frames.every(isCertain) ? null : frames;
  }

  /** Did no full collection of the thread begin between two moments? */
  #isCalm(thread: number, fromNs: number, toNs: number): boolean {
    return (this.#fullStarts.get(thread) ?? []).every((startNs) => startNs < fromNs || startNs > toNs);
  }
}

function keyOf({ thread, atNs }: { readonly thread: number; readonly atNs: number }): string {
  return `${thread} ${atNs}`;
}

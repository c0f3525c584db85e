/** What happened in an isolate before a moment: earlier collections, how much was allocated, how large spaces were. Pure. */
import { type IsolateData, PAUSE_KINDS } from "../recording/model.ts";
import { SPACE_UNIT } from "../recording/spec.ts";
import { type HeapSeries, heapSeries, valueAt } from "./heap-series.ts";
import { lowerBound } from "./intervals.ts";

const MARK_COMPACT = PAUSE_KINDS.indexOf("mark-compact");
const SCAVENGE = PAUSE_KINDS.indexOf("scavenge");

/** Sizes by what decides about collections, bytes. NaN: not known. */
export interface HeapParts {
  readonly timeMs: number;
  /** Small objects of the young generation, and large ones. */
  readonly young: number;
  readonly youngLarge: number;
  readonly old: number;
  readonly large: number;
  /** Outside the heap, owned by its objects. */
  readonly external: number;
}

type Side = "before" | "after";

export class GcHistory {
  readonly #isolate: IsolateData;
  readonly #fulls: PauseList;
  readonly #scavenges: PauseList;
  readonly #external: HeapSeries;
  /** Allocated bytes up to each of these moments. */
  readonly #curve: HeapSeries;

  constructor(isolate: IsolateData) {
    this.#isolate = isolate;
    this.#fulls = pausesOf(isolate, MARK_COMPACT);
    this.#scavenges = pausesOf(isolate, SCAVENGE);
    this.#external = heapSeries(isolate, "external");
    this.#curve = allocationCurve(isolate);
  }

  /** When scavenges began. */
  get scavengeMs(): Float64Array {
    return this.#scavenges.startMs;
  }

  /** The last full collection that began before `timeMs`; -1: none. */
  lastFull(timeMs: number): number {
    return lastBefore(this.#fulls, timeMs, 1);
  }

  /** The first full collection that began at `timeMs` or later; -1: none. */
  nextFull(timeMs: number): number {
    const { indices, startMs } = this.#fulls;
    return indices[lowerBound(startMs, timeMs)] ?? -1;
  }

  startOf(pause: number): number {
    return this.#isolate.pauses.startMs[pause] ?? 0;
  }

  /** When a pause ended; of none (-1) when the isolate started. */
  endOf(pause: number): number {
    const { pauses, startMs } = this.#isolate;
    return pause < 0 ? startMs : this.startOf(pause) + (pauses.durationMs[pause] ?? 0);
  }

  /** The n-th last scavenge that began before `timeMs`, 1 for the last; -1: there are fewer. */
  lastScavenge(timeMs: number, n: number): number {
    return lastBefore(this.#scavenges, timeMs, n);
  }

  /** Full collections that began between two moments. */
  fullsBetween(fromMs: number, toMs: number): Int32Array {
    const { indices, startMs } = this.#fulls;
    return indices.subarray(lowerBound(startMs, fromMs), lowerBound(startMs, toMs));
  }

  /** The heap's parts around a pause; null where the recording has no spaces. */
  partsAt(pause: number, side: Side): HeapParts | null {
    const { pauses } = this.#isolate;
    const { names, usedBefore, usedAfter } = pauses.spaces;
    if (pause < 0 || pause >= pauses.count || names.length === 0) return null;
    const used = side === "before" ? usedBefore : usedAfter;
    const external = side === "before" ? pauses.externalBefore : pauses.externalAfter;
    const start = pauses.startMs[pause] ?? 0;
    return parts(
      side === "before" ? start : start + (pauses.durationMs[pause] ?? 0),
      names,
      (space) => (used[pause * names.length + space] ?? 0) * SPACE_UNIT,
      external[pause] ?? Number.NaN,
    );
  }

  /** The heap's parts as they were last known up to a moment, by a sample or a pause; null where they never were. */
  partsUpTo(timeMs: number): HeapParts | null {
    const sampled = this.#partsSampled(timeMs);
    const { count, startMs } = this.#isolate.pauses;
    const last = lowerBound(startMs, timeMs, count) - 1;
    const paused = this.partsAt(last, this.endOf(last) <= timeMs ? "after" : "before");
    return paused === null || (sampled !== null && sampled.timeMs > paused.timeMs) ? sampled : paused;
  }

  #partsSampled(timeMs: number): HeapParts | null {
    const { heap } = this.#isolate;
    const sample = lowerBound(heap.timeMs, timeMs, heap.count) - 1;
    if (sample < 0 || heap.spaceNames.length === 0) return null;
    return parts(
      heap.timeMs[sample] ?? 0,
      heap.spaceNames,
      (space) => heap.spaceUsed[sample * heap.spaceNames.length + space] ?? Number.NaN,
      heap.external[sample] ?? Number.NaN,
    );
  }

  /**
   * The least external memory between two moments, as V8 counts from there: what a full collection found dead is freed only some time
   * after it. NaN: not known.
   */
  leastExternal(fromMs: number, toMs: number): number {
    const { timeMs, value } = this.#external;
    let least = Number.NaN;
    for (let i = lowerBound(timeMs, fromMs); i < timeMs.length && (timeMs[i] ?? 0) <= toMs; i++) {
      if (!((value[i] ?? Number.NaN) >= least)) least = value[i] ?? Number.NaN;
    }
    return least;
  }

  /** Bytes a second that were allocated between two moments; null where that is not known. */
  allocationRate(fromMs: number, toMs: number): number | null {
    const { timeMs } = this.#curve;
    const first = timeMs[0];
    if (first === undefined || timeMs.length < 2 || fromMs < first - 1 || !(toMs > fromMs)) return null;
    return ((valueAt(this.#curve, toMs) - valueAt(this.#curve, fromMs)) / (toMs - fromMs)) * 1000;
  }
}

/** Pauses of one kind, in order of time. */
interface PauseList {
  readonly indices: Int32Array;
  readonly startMs: Float64Array;
}

function pausesOf({ pauses }: IsolateData, kind: number): PauseList {
  const found: number[] = [];
  for (let i = 0; i < pauses.count; i++) if (pauses.kind[i] === kind) found.push(i);
  return { indices: Int32Array.from(found), startMs: Float64Array.from(found, (i) => pauses.startMs[i] ?? 0) };
}

/** The n-th last that began before a moment; -1: there are fewer. */
function lastBefore({ indices, startMs }: PauseList, timeMs: number, n: number): number {
  return indices[lowerBound(startMs, timeMs) - n] ?? -1;
}

function parts(
  timeMs: number,
  names: readonly string[],
  bytesOf: (space: number) => number,
  external: number,
): HeapParts {
  const sum = { young: 0, youngLarge: 0, old: 0, large: 0 };
  for (const [space, name] of names.entries()) {
    if (name === "new_space") sum.young += bytesOf(space);
    else if (name === "new_large_object_space") sum.youngLarge += bytesOf(space);
    else if (name === "large_object_space") sum.large += bytesOf(space);
    else if (name === "old_space" || name === "map_space") sum.old += bytesOf(space);
  }
  return { timeMs, ...sum, external };
}

/** The heap grows by what is allocated; what a pause takes away does not count. */
function allocationCurve(isolate: IsolateData): HeapSeries {
  const { timeMs, value: used } = heapSeries(isolate, "used");
  const value = new Float64Array(used.length);
  for (let i = 1; i < used.length; i++) {
    value[i] = (value[i - 1] ?? 0) + Math.max(0, (used[i] ?? 0) - (used[i - 1] ?? 0));
  }
  return { timeMs, value };
}

/** The .samples and .buffers logs: sampled objects with the stacks that allocated them, their births and their deaths. */
import { at, type Clock, damagedRecords, numberAt, pick, timeAt, timeOrder } from "./columns.ts";
import { samplerYielded } from "./decode-allocations.ts";
import { frameOf } from "./frames.ts";
import { eachRecord, eachSizedRecord, type Log } from "./log-reader.ts";
import type { Allocations, AllocationWindow, Frame, SampleColumns, Samples } from "./model.ts";
import { numbering } from "./numbering.ts";
import { SAMPLE, type Sampler, SampleType, STACK, STACK_INLINED, type Warning } from "./spec.ts";

const WINDOW_MS = 1000;
const ROOT = "(root)";

export interface SampleLogs {
  readonly stacks: Log | null;
  readonly samples: Log;
  readonly buffers: Log | null;
}

export interface DecodedSamples {
  readonly samples: Samples;
  /**
   * The stacks of the samples, and those of the heap in windows of a second, from the log's start on; with the ArrayBuffers where it was
   * watched from outside.
   */
  readonly allocations: Allocations;
  readonly warnings: readonly Warning[];
}

interface DecodedLog {
  readonly columns: SampleColumns;
  readonly yieldedMs: number | null;
  readonly warnings: readonly Warning[];
}

/**
 * `functions`: the frames that the numbers in the stacks mean, from 1 on. `endMs`: when the last window ends, unless samples
 * came later or the program took V8's sampler earlier. `sampler`: who wrote them.
 */
export function decodeSamples(
  logs: SampleLogs,
  functions: readonly Frame[],
  { clock, endMs, sampler }: { readonly clock: Clock; readonly endMs: number; readonly sampler: Sampler | null },
): DecodedSamples {
  // What was allocated without JavaScript, or on a stack for which there was no room, has this one frame.
  const named = [...functions, frameOf(ROOT, "", 0, 0)];
  const known =
    logs.stacks === null
      ? { frames: named, stacks: [], warnings: [] }
      : decodeStacks(logs.stacks, named, functions.length);
  const { frames } = known;
  const stacks = [...known.stacks, [functions.length]];
  const heap = decodeObjects(logs.samples, clock, known.stacks.length);
  const buffers = logs.buffers === null ? null : decodeObjects(logs.buffers, clock, known.stacks.length);
  const isWatched = sampler === "ebpf";
  const counted = isWatched && buffers !== null ? { ...heap, columns: inOrder(heap.columns, buffers.columns) } : heap;
  const windows = windowsOf(counted, startOf(logs.samples, clock), endMs);
  const standFor = heap.columns.bytes;
  const intervalBytes = standFor.length === 0 ? 0 : standFor.reduce((least, bytes) => Math.min(least, bytes));
  const yielded = heap.yieldedMs === null ? [] : [samplerYielded(logs.samples.name, heap.yieldedMs)];
  return {
    samples: {
      heap: heap.columns,
      buffers: buffers?.columns ?? null,
      isExact: sampler === "exact",
      hasDeaths: !isWatched,
    },
    allocations: { frames, stacks, windows, intervalBytes },
    warnings: [...known.warnings, ...heap.warnings, ...(buffers?.warnings ?? []), ...yielded],
  };
}

/** The log's start in ms. */
function startOf({ header }: Log, clock: Clock): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, header.startNs, true);
  return Math.max(0, timeAt(view, 0, clock) || 0);
}

/**
 * Each stack as indices into the frames, leaf first; functions that are not known are left out. An inlined function gets a frame of
 * its own behind those of `named`, of which the first `functions` have a number.
 */
function decodeStacks(
  log: Log,
  named: readonly Frame[],
  functions: number,
): {
  readonly frames: readonly Frame[];
  readonly stacks: readonly (readonly number[])[];
  readonly warnings: readonly Warning[];
} {
  const inlined = numbering<number, Frame>();
  const stacks: number[][] = [];
  const warnings = eachStack(log, (numbers) => {
    const stack: number[] = [];
    for (const recorded of numbers) {
      const index = (recorded % STACK_INLINED) - 1;
      const known = index < functions ? named[index] : undefined;
      if (known === undefined) continue;
      const copy = (): Frame => ({ ...known, isInlined: true });
      stack.push(recorded < STACK_INLINED ? index : named.length + inlined.number(index, copy));
    }
    // An empty one keeps its number.
    stacks.push(stack.length === 0 ? [functions] : stack);
  });
  return { frames: [...named, ...inlined.values], stacks, warnings };
}

/**
 * Calls back for each stack with the numbers of its functions, leaf first; an inlined one's has STACK_INLINED. `length`: bytes of the
 * record.
 */
export function eachStack(
  log: Log,
  callback: (numbers: readonly number[], length: number) => void,
): readonly Warning[] {
  return eachSizedRecord(log, STACK.frames, ({ view }, offset, length) => {
    const count = Math.min(view.getUint32(offset + STACK.frameCount, true), (length - STACK.frames) / 4);
    const number = (frame: number): number => view.getUint32(offset + STACK.frames + frame * 4, true);
    callback(
      Array.from({ length: count }, (_, frame) => number(frame)),
      length,
    );
  });
}

/**
 * The objects of a log, with the first `stacks` stacks; those whose stack is none of them get the next number. Of a log whose beginning
 * was left out (`part`), those that were born in the rest.
 */
export function decodeObjects(log: Log, clock: Clock, stacks: number, part: "whole" | "rest" = "whole"): DecodedLog {
  const { births, first } = birthsOf(log);
  const before = part === "whole" ? 0 : first - 1;
  const bornMs = new Float64Array(births);
  const diedMs = new Float64Array(births).fill(Number.POSITIVE_INFINITY);
  const bytes = new Float64Array(births);
  const objects = new Float64Array(births);
  const stack = new Int32Array(births);
  let yieldedMs: number | null = null;
  let count = 0;
  let damaged = 0;
  eachRecord(log, ({ view }, offset) => {
    const type = view.getUint32(offset + SAMPLE.type, true);
    const timeMs = timeAt(view, offset + SAMPLE.timeNs, clock);
    const number = numberAt(view, offset + SAMPLE.number) - before;
    const size = numberAt(view, offset + SAMPLE.bytes);
    const standsFor = numberAt(view, offset + SAMPLE.standsFor);
    if (type === SampleType.death && number < 1 && part === "rest") return;
    if (type === SampleType.yielded && !Number.isNaN(timeMs)) {
      yieldedMs = timeMs;
    } else if (type === SampleType.death && number >= 1 && number <= count && timeMs >= at(bornMs, number - 1)) {
      diedMs[number - 1] = timeMs;
    } else if (
      type === SampleType.birth &&
      number === count + 1 &&
      timeMs >= (bornMs[count - 1] ?? timeMs) &&
      size > 0
    ) {
      const recorded = view.getUint32(offset + SAMPLE.stack, true);
      bornMs[count] = timeMs;
      bytes[count] = Number.isNaN(standsFor) ? size : standsFor;
      objects[count] = at(bytes, count) / size;
      stack[count] = recorded > 0 && recorded <= stacks ? recorded - 1 : stacks;
      count++;
    } else {
      damaged++;
    }
  });
  return {
    columns: {
      count,
      bornMs: bornMs.subarray(0, count),
      diedMs: diedMs.subarray(0, count),
      bytes: bytes.subarray(0, count),
      objects: objects.subarray(0, count),
      stack: stack.subarray(0, count),
    },
    yieldedMs,
    warnings: damagedRecords(log, damaged),
  };
}

/** How many objects a log has, and the number of its first one. */
function birthsOf(log: Log): { readonly births: number; readonly first: number } {
  let births = 0;
  let first = Number.POSITIVE_INFINITY;
  eachRecord(log, ({ view }, offset) => {
    if (view.getUint32(offset + SAMPLE.type, true) !== SampleType.birth) return;
    if (births++ === 0) first = numberAt(view, offset + SAMPLE.number);
  });
  return { births, first };
}

/** Both together, in order of birth. */
function inOrder(a: SampleColumns, b: SampleColumns): SampleColumns {
  const bornMs = joined(a.bornMs, b.bornMs);
  const order = timeOrder(bornMs);
  return {
    count: order.length,
    bornMs: pick(bornMs, order),
    diedMs: pick(joined(a.diedMs, b.diedMs), order),
    bytes: pick(joined(a.bytes, b.bytes), order),
    objects: pick(joined(a.objects, b.objects), order),
    stack: Int32Array.from(pick(joined(a.stack, b.stack), order)),
  };
}

function joined(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const all = new Float64Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** Windows begin and end at whole ms, as they do in pprof. One without samples says that nothing was allocated. */
function windowsOf({ columns, yieldedMs }: DecodedLog, startMs: number, endMs: number): AllocationWindow[] {
  const { count, bornMs, bytes, objects, stack } = columns;
  const end = Math.ceil(Math.max(yieldedMs ?? endMs, bornMs[count - 1] ?? 0));
  const windows: AllocationWindow[] = [];
  // What is older was allocated before the recording began (a flight recorder's dump).
  let sample = bornMs.findIndex((born) => born >= startMs);
  if (sample === -1) sample = count;
  for (let from = Math.floor(startMs); from < end; from += WINDOW_MS) {
    const to = Math.min(from + WINDOW_MS, end);
    const sums = new Map<number, { objects: number; bytes: number }>();
    for (; sample < count && (at(bornMs, sample) < to || to === end); sample++) {
      const sum = sums.get(at(stack, sample)) ?? { objects: 0, bytes: 0 };
      sum.objects += at(objects, sample);
      sum.bytes += at(bytes, sample);
      sums.set(at(stack, sample), sum);
    }
    const samples = Array.from(sums, ([index, sum]) => ({
      stack: index,
      objects: Math.round(sum.objects),
      bytes: sum.bytes,
    }));
    windows.push({ startMs: from, endMs: to, samples, truncated: false });
  }
  return windows;
}

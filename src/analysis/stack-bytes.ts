/** Bytes by the stack that allocated them: of sampled objects by what became of them, or of windows of a second. Pure. */
import type { Allocations, AllocationWindow, IsolateData, SampleColumns } from "../recording/model.ts";
import { lowerBound } from "./intervals.ts";
import type { SiteMeasure } from "./report-types.ts";

/** So many objects are looked at for one selection; of more, every n-th. */
const MOST_OBJECTS = 50_000;
/** Fewer are chance: a site's share of so many is known to a tenth or so. */
const LEAST_OBJECTS = 20;
const WIDEST_MS = 10_000;

/** Some of what an isolate allocated. */
export interface Selection {
  readonly measure: SiteMeasure;
  /** Objects of the heap, or ArrayBuffers, that were born in the time; or all that was allocated in the windows that fill it. */
  readonly of: "heap" | "buffers" | "windows";
  readonly fromMs: number;
  readonly toMs: number;
  /** Only those that no collection up to then found dead, or "young": the first young one that they met; null: dead or alive. */
  readonly aliveMs: number | "young" | null;
  /** Only those of this size at least, bytes. */
  readonly leastBytes: number;
}

/** By index into the stacks of the isolate's allocations. Empty where nothing of the kind was sampled. */
export type StackBytes = ReadonlyMap<number, number>;

/** All of the windows that end at or after a moment and begin before another; null where there are none. */
export function selectWindows({ windows }: Allocations, fromMs: number, toMs: number): Selection | null {
  const first = firstWindow(windows, (window) => window.endMs >= fromMs);
  const end = firstWindow(windows, (window) => window.startMs >= toMs);
  const [from, to] = [windows[first], windows[end - 1]];
  if (from === undefined || to === undefined || end <= first) return null;
  const time = { fromMs: from.startMs, toMs: to.endMs };
  return { measure: "allocated", of: "windows", ...time, aliveMs: null, leastBytes: 0 };
}

const NO_SCAVENGES = new Float64Array(0);

/** `scavengeMs`: when young collections began; for selections of what lived through one. */
export function bytesByStack(
  { allocations, samples }: Pick<IsolateData, "allocations" | "samples">,
  selection: Selection,
  scavengeMs: Float64Array = NO_SCAVENGES,
): StackBytes {
  if (selection.of === "windows") {
    const windows = allocations?.windows ?? [];
    const from = firstWindow(windows, (window) => window.startMs >= selection.fromMs);
    const to = firstWindow(windows, (window) => window.endMs > selection.toMs);
    return bytesOfWindows(windows.slice(from, to));
  }
  const columns = selection.of === "heap" ? samples?.heap : samples?.buffers;
  const sums = new Map<number, number>();
  if (columns == null) return sums;
  const { first, last, step } = bornIn(columns, selection);
  for (let i = first; i < last; i += step) {
    if (!isChosen(columns, i, selection, scavengeMs)) continue;
    const stack = columns.stack[i] ?? -1;
    sums.set(stack, (sums.get(stack) ?? 0) + (columns.bytes[i] ?? 0) * step);
  }
  return sums;
}

/**
 * Where fewer objects than are no chance are of a selection, the same of a longer time that ends with it: a program mostly does the
 * same for longer than from one collection to the next.
 */
export function widened(
  { samples }: Pick<IsolateData, "samples">,
  selection: Selection,
  scavengeMs: Float64Array,
): Selection {
  const columns = selection.of === "heap" ? samples?.heap : samples?.buffers;
  if (columns == null) return selection;
  const earliest = Math.min(selection.fromMs, selection.toMs - WIDEST_MS);
  const isEnough = (wider: Selection): boolean => {
    const { first, last, step } = bornIn(columns, wider);
    let objects = 0;
    for (let i = first; i < last && objects < LEAST_OBJECTS; i += step) {
      if (isChosen(columns, i, wider, scavengeMs)) objects++;
    }
    return objects === LEAST_OBJECTS;
  };
  let wider = selection;
  while (wider.fromMs > earliest && !isEnough(wider)) {
    const longer = Math.max(1, 2 * (wider.toMs - wider.fromMs));
    wider = { ...wider, fromMs: Math.max(earliest, wider.toMs - longer) };
  }
  return wider;
}

/** Indices of the objects that were born in a selection's time: every `step`-th is looked at, and stands for so many. */
function bornIn({ bornMs, count }: SampleColumns, { fromMs, toMs }: Selection) {
  const first = lowerBound(bornMs, fromMs, count);
  const last = lowerBound(bornMs, toMs, count);
  return { first, last, step: Math.max(1, Math.ceil((last - first) / MOST_OBJECTS)) };
}

/** Is an object as large as the selection wants, and did it live as long? */
function isChosen(
  { bornMs, diedMs, bytes, objects }: SampleColumns,
  i: number,
  { aliveMs, leastBytes }: Selection,
  scavengeMs: Float64Array,
): boolean {
  if (leastBytes > 0 && !((bytes[i] ?? 0) / (objects[i] ?? 1) >= leastBytes)) return false;
  if (aliveMs === null) return true;
  const foundMs = aliveMs === "young" ? scavengeMs[lowerBound(scavengeMs, bornMs[i] ?? 0)] : aliveMs;
  return foundMs !== undefined && (diedMs[i] ?? 0) > foundMs;
}

export function bytesOfWindows(windows: readonly AllocationWindow[]): StackBytes {
  const sums = new Map<number, number>();
  for (const { samples } of windows) {
    for (const { stack, bytes } of samples) sums.set(stack, (sums.get(stack) ?? 0) + bytes);
  }
  return sums;
}

/** Index of the first window for which `holds` is true; windows are in order of time, so that it holds for all behind it. */
function firstWindow(windows: readonly AllocationWindow[], holds: (window: AllocationWindow) => boolean): number {
  let low = 0;
  let high = windows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const window = windows[middle];
    if (window !== undefined && holds(window)) high = middle;
    else low = middle + 1;
  }
  return low;
}

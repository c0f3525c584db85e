/** Bytes by the stack that allocated them: of sampled objects by what became of them, or of windows of a second. Pure. */
import type { Allocations, AllocationWindow, IsolateData, SampleColumns } from "../recording/model.ts";
import { lowerBound } from "./intervals.ts";
import type { SiteMeasure } from "./report-types.ts";

/** So many objects are looked at for one selection; of more, every n-th. */
const MOST_OBJECTS = 50_000;

/** Some of what an isolate allocated. */
export interface Selection {
  readonly measure: SiteMeasure;
  /** Objects of the heap, or ArrayBuffers, that were born in the time; or all that was allocated in the windows that fill it. */
  readonly of: "heap" | "buffers" | "windows";
  readonly fromMs: number;
  readonly toMs: number;
  /** Only those that no collection up to then found dead; null: dead or alive. */
  readonly aliveMs: number | null;
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

export function bytesByStack(
  { allocations, samples }: Pick<IsolateData, "allocations" | "samples">,
  selection: Selection,
): StackBytes {
  if (selection.of === "windows") {
    const windows = allocations?.windows ?? [];
    const from = firstWindow(windows, (window) => window.startMs >= selection.fromMs);
    const to = firstWindow(windows, (window) => window.endMs > selection.toMs);
    return bytesOfWindows(windows.slice(from, to));
  }
  const columns = selection.of === "heap" ? samples?.heap : samples?.buffers;
  return columns == null ? new Map() : bytesOfSamples(columns, selection);
}

export function bytesOfWindows(windows: readonly AllocationWindow[]): StackBytes {
  const sums = new Map<number, number>();
  for (const { samples } of windows) {
    for (const { stack, bytes } of samples) sums.set(stack, (sums.get(stack) ?? 0) + bytes);
  }
  return sums;
}

function bytesOfSamples(columns: SampleColumns, { fromMs, toMs, aliveMs, leastBytes }: Selection): StackBytes {
  const { bornMs, diedMs, bytes, objects, stack, count } = columns;
  const first = lowerBound(bornMs, fromMs, count);
  const last = lowerBound(bornMs, toMs, count);
  const step = Math.max(1, Math.ceil((last - first) / MOST_OBJECTS));
  const sums = new Map<number, number>();
  for (let i = first; i < last; i += step) {
    if (aliveMs !== null && !((diedMs[i] ?? 0) > aliveMs)) continue;
    if (leastBytes > 0 && !((bytes[i] ?? 0) / (objects[i] ?? 1) >= leastBytes)) continue;
    const index = stack[i] ?? -1;
    sums.set(index, (sums.get(index) ?? 0) + (bytes[i] ?? 0) * step);
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

/** Sampled bytes by window and stack: what was allocated, and how much of it no collection had found dead at the end. */
import type { AllocationWindow, Frame, IsolateData, Recording, SampleColumns } from "../recording/model.ts";

export interface Amount {
  readonly objects: number;
  readonly bytes: number;
}

export interface HeapRow {
  readonly isolate: IsolateData;
  readonly window: AllocationWindow;
  /** Index into the stacks of the isolate's allocations. */
  readonly stack: number;
  readonly allocated: Amount;
  /** Alive at the end; null: deaths are not known. */
  readonly live: Amount | null;
  /** ArrayBuffers, and with them Buffers, in bytes; 0 where they were not sampled. */
  readonly buffers: number;
  readonly liveBuffers: number;
}

const NOTHING: Amount = { objects: 0, bytes: 0 };

/** In order of isolates, windows and stacks. A window without samples has no row. */
export function* heapRows({ isolates }: Recording): Generator<HeapRow> {
  for (const isolate of isolates) {
    const { allocations, samples } = isolate;
    if (allocations === null) continue;
    const { windows } = allocations;
    const isLive = (diedMs: number) => diedMs === Number.POSITIVE_INFINITY;
    const live = samples === null ? null : sumByWindow(windows, samples.heap, isLive);
    const buffers = samples?.buffers == null ? null : sumByWindow(windows, samples.buffers, () => true);
    const liveBuffers = samples?.buffers == null ? null : sumByWindow(windows, samples.buffers, isLive);
    for (const [index, window] of windows.entries()) {
      const allocated = new Map(window.samples.map(({ stack, objects, bytes }) => [stack, { objects, bytes }]));
      const stacks = new Set([...allocated.keys(), ...(buffers?.[index]?.keys() ?? [])]);
      for (const stack of [...stacks].sort((a, b) => a - b)) {
        yield {
          isolate,
          window,
          stack,
          allocated: allocated.get(stack) ?? NOTHING,
          live: live === null ? null : (live[index]?.get(stack) ?? NOTHING),
          buffers: buffers?.[index]?.get(stack)?.bytes ?? 0,
          liveBuffers: liveBuffers?.[index]?.get(stack)?.bytes ?? 0,
        };
      }
    }
  }
}

/** Leaf first; `stack`: index into the stacks of the isolate's allocations. */
export function stackFrames({ allocations }: IsolateData, stack: number): readonly Frame[] {
  return (allocations?.stacks[stack] ?? []).flatMap((frame) => allocations?.frames[frame] ?? []);
}

/** By window, the sums by stack of those samples that were born in it; the first and the last take what came before and after. */
function sumByWindow(
  windows: readonly AllocationWindow[],
  { count, bornMs, diedMs, bytes, objects, stack }: SampleColumns,
  isChosen: (diedMs: number) => boolean,
): readonly ReadonlyMap<number, Amount>[] {
  const sums = windows.map(() => new Map<number, Amount>());
  let window = 0;
  for (let i = 0; i < count; i++) {
    while (window < windows.length - 1 && (bornMs[i] ?? 0) >= (windows[window]?.endMs ?? 0)) window++;
    const into = sums[window];
    if (into === undefined || !isChosen(diedMs[i] ?? 0)) continue;
    const of = stack[i] ?? -1;
    const before = into.get(of) ?? NOTHING;
    into.set(of, { objects: before.objects + (objects[i] ?? 0), bytes: before.bytes + (bytes[i] ?? 0) });
  }
  return sums;
}

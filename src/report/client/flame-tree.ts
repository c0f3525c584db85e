/** Allocation stacks of a range of windows as a tree. */
import type { AllocationData } from "./wire.ts";

export interface FlameTree {
  /** Index into AllocationData.frames; -1 is the root. */
  readonly frame: number;
  /** Bytes of this function and all that it called. */
  total: number;
  /** Bytes that it allocated itself. */
  self: number;
  readonly children: Map<number, FlameTree>;
}

/** Windows from the first to before the second index. */
export interface WindowRange {
  readonly from: number;
  readonly to: number;
}

const node = (frame: number): FlameTree => ({ frame, total: 0, self: 0, children: new Map() });

/** Bytes by stack, summed over the windows. */
function bytesByStack(data: AllocationData, { from, to }: WindowRange): Map<number, number> {
  const sums = new Map<number, number>();
  const first = from === 0 ? 0 : (data.entryEnds[from - 1] ?? 0);
  const end = to === 0 ? 0 : (data.entryEnds[to - 1] ?? 0);
  for (let i = first; i < end; i += 1) {
    const stack = data.entryStacks[i] ?? -1;
    const bytes = data.entryBytes[i] ?? 0;
    if (Number.isFinite(bytes)) sums.set(stack, (sums.get(stack) ?? 0) + bytes);
  }
  return sums;
}

/** Frames of a stack, root first. */
function framesOf(data: AllocationData, stack: number): Int32Array {
  return data.stackFrames.subarray(stack === 0 ? 0 : data.stackEnds[stack - 1], data.stackEnds[stack]);
}

export function buildFlameTree(data: AllocationData, range: WindowRange): FlameTree {
  const root = node(-1);
  for (const [stack, bytes] of bytesByStack(data, range)) {
    let at = root;
    at.total += bytes;
    for (const frame of framesOf(data, stack)) {
      let child = at.children.get(frame);
      if (child === undefined) {
        child = node(frame);
        at.children.set(frame, child);
      }
      child.total += bytes;
      at = child;
    }
    at.self += bytes;
  }
  return root;
}

export interface TopFunction {
  readonly frame: number;
  readonly bytes: number;
}

/** Bytes by the innermost frame of user code, most first: what the program can change. */
export function topFunctions(data: AllocationData, range: WindowRange, most: number): readonly TopFunction[] {
  const sums = new Map<number, number>();
  for (const [stack, bytes] of bytesByStack(data, range)) {
    const frame = framesOf(data, stack).findLast((index) => data.frames[index]?.origin === "user");
    if (frame !== undefined) sums.set(frame, (sums.get(frame) ?? 0) + bytes);
  }
  const all = [...sums].map(([frame, bytes]) => ({ frame, bytes }));
  return all.sort((a, b) => b.bytes - a.bytes).slice(0, most);
}

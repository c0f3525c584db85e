/** What was allocated in a range of windows, by stack and by function. */
import { type FlameTree, flameTree } from "../../analysis/flame-tree.ts";
import type { AllocationData } from "./wire.ts";

/** Windows from the first to before the second index. */
export interface WindowRange {
  readonly from: number;
  readonly to: number;
}

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

export function windowsTree(data: AllocationData, range: WindowRange): FlameTree {
  const stacks = Array.from(bytesByStack(data, range), ([stack, bytes]) => ({ frames: framesOf(data, stack), bytes }));
  return flameTree(stacks, { inlinedOf: (frame) => data.frames[frame]?.inlinedOf });
}

export interface TopFunction {
  readonly frame: number;
  readonly bytes: number;
}

/** Bytes by the innermost frame of user code, most first: what the program can change. */
export function topFunctions(data: AllocationData, range: WindowRange, most: number): readonly TopFunction[] {
  const sums = new Map<number, number>();
  for (const [stack, bytes] of bytesByStack(data, range)) {
    const leaf = framesOf(data, stack).findLast((index) => data.frames[index]?.origin === "user");
    if (leaf === undefined) continue;
    const frame = data.frames[leaf]?.inlinedOf ?? leaf;
    sums.set(frame, (sums.get(frame) ?? 0) + bytes);
  }
  const all = [...sums].map(([frame, bytes]) => ({ frame, bytes }));
  return all.sort((a, b) => b.bytes - a.bytes).slice(0, most);
}

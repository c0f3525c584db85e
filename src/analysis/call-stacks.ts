/** Recorded stacks as a tree of calls wants them. Pure. */
import type { Allocations } from "../recording/model.ts";
import { firstEqual } from "./sites.ts";

export interface CallStacks {
  /** Indices into the frames, root first. Of equal frames the first, but for calls that were inlined, which keep theirs. */
  readonly stacks: readonly (readonly number[])[];
  /** By frame: of one that stands for inlined calls, the frame of the same function where it was not; else undefined. */
  readonly inlinedOf: readonly (number | undefined)[];
}

export function callStacks({ frames, stacks }: Pick<Allocations, "frames" | "stacks">): CallStacks {
  const first = firstEqual(frames);
  const inlinedOf = frames.map(({ isInlined }, frame) => (isInlined ? first[frame] : undefined));
  const callOf = (frame: number): number => (inlinedOf[frame] === undefined ? (first[frame] ?? frame) : frame);
  return { stacks: stacks.map((stack) => stack.map(callOf).reverse()), inlinedOf };
}

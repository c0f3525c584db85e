/** Both sides of a check as flame graphs over the same functions. Pure. */
import type { Frame, Recording } from "../../recording/model.ts";
import { callStacks } from "../call-stacks.ts";
import { type FlameTree, flameTree, type WeighedStack } from "../flame-tree.ts";
import { type RunMeasure, runBytes } from "../run-bytes.ts";
import { fromRoot } from "./from-root.ts";

/** Boxes of a graph. */
const MOST_CALLS = 800;

/** A function, the same in both sides: its file is named from its side's folder on, and its line is that of the last run read. */
export type SharedFrame = Pick<Frame, "function" | "file" | "line" | "origin">;

export interface FlameDifference {
  readonly measure: RunMeasure;
  readonly frames: readonly SharedFrame[];
  /** Bytes of one run, on average. */
  readonly baseline: FlameTree;
  readonly candidate: FlameTree;
}

/** Collects runs, one recording after the other, so that only their stacks are kept. */
export class FlameRuns {
  readonly #measure: RunMeasure;
  readonly #frames: SharedFrame[] = [];
  readonly #known = new Map<string, number>();
  readonly #sides = { baseline: new SideStacks(), candidate: new SideStacks() };

  constructor(measure: RunMeasure) {
    this.#measure = measure;
  }

  add(side: "baseline" | "candidate", recording: Recording, root: string): void {
    const stacks = this.#sides[side];
    stacks.runs++;
    for (const isolate of recording.isolates) {
      const bytes = runBytes(isolate)[this.#measure];
      if (isolate.allocations === null || bytes === null) continue;
      const frames = isolate.allocations.frames.map((frame) => this.#index(frame, root));
      const calls = callStacks(isolate.allocations).stacks;
      for (const [stack, sum] of bytes)
        stacks.add(
          (calls[stack] ?? []).map((frame) => frames[frame] ?? -1),
          sum,
        );
    }
  }

  finish(): FlameDifference {
    const { baseline, candidate } = this.#sides;
    return { measure: this.#measure, frames: this.#frames, baseline: baseline.tree(), candidate: candidate.tree() };
  }

  #index({ function: name, file: path, line, origin }: Frame, root: string): number {
    const file = fromRoot(path, root);
    const key = `${file}\0${name}\0${origin}`;
    const index = this.#known.get(key) ?? this.#frames.length;
    this.#known.set(key, index);
    this.#frames[index] = { function: name, file, line, origin };
    return index;
  }
}

class SideStacks {
  runs = 0;
  readonly #stacks = new Map<string, WeighedStack & { bytes: number }>();

  add(frames: readonly number[], bytes: number): void {
    const key = frames.join(" ");
    const known = this.#stacks.get(key);
    if (known === undefined) this.#stacks.set(key, { frames, bytes });
    else known.bytes += bytes;
  }

  tree(): FlameTree {
    const mean = [...this.#stacks.values()].map((stack) => ({ ...stack, bytes: stack.bytes / Math.max(1, this.runs) }));
    return flameTree(mean, { mostNodes: MOST_CALLS });
  }
}

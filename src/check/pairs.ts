/** Makes runs of both sides, interleaved, until a check is decided. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { CheckedRun } from "../analysis/check/check.ts";
import { looksOf } from "../analysis/check/looks.ts";
import { type RunOptions, runOnce, type Side } from "./side.ts";

export interface PairsPlan {
  /** null: the baseline is recorded already. */
  readonly baseline: Side | null;
  readonly candidate: Side;
  readonly mostRuns: number;
  /** No pair is begun after this moment; Infinity: never. */
  readonly untilMs: number;
  /** For the recordings. */
  readonly folder: string;
  readonly options: RunOptions;
}

export interface Runs {
  readonly baseline: readonly CheckedRun[];
  readonly candidate: readonly CheckedRun[];
}

export interface PairsObserver {
  /** `run` counts from 1; 0: the run that warms up. */
  readonly around: <T>(side: Side, run: number, make: () => Promise<T>) => Promise<T>;
  /** After the first run of the candidate, which is not compared. */
  readonly warmedUp: (candidate: CheckedRun) => void;
  /** At each look, and at the end: is it decided? */
  readonly isDecided: (runs: Runs) => boolean;
}

/**
 * The first run of each side reads files that no one has read for some time, and is thrown away. Then pairs, of which every other
 * one begins with the candidate, so that whatever a run does to the next one meets both sides alike.
 */
export async function makePairs(plan: PairsPlan, observer: PairsObserver): Promise<Runs> {
  const { baseline, candidate, folder, options, mostRuns } = plan;
  const runs = { baseline: [] as CheckedRun[], candidate: [] as CheckedRun[] };
  const sides = baseline === null ? [candidate] : [baseline, candidate];
  for (const side of sides) {
    const output = join(folder, `${side.name}-warm-up.gcspike`);
    const run = await observer.around(side, 0, () => runOnce(side, output, options));
    discard(output);
    if (side === candidate) observer.warmedUp(run);
  }
  const looks = looksOf(mostRuns);
  for (let number = 1; number <= mostRuns; number++) {
    for (const side of number % 2 === 1 ? sides : sides.toReversed()) {
      const output = join(folder, `${side.name}-${number}.gcspike`);
      const made = await observer.around(side, number, () => runOnce(side, output, options));
      (side === candidate ? runs.candidate : runs.baseline).push(made);
    }
    if (looks.includes(number) && observer.isDecided(runs)) break;
    if (performance.now() >= plan.untilMs) break;
  }
  return runs;
}

/** A daemon that the program left behind may be writing to it still. */
function discard(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // What is left is one more recording beside the others.
  }
}

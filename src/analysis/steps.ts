/** Runs of incremental steps that together hold up the main thread like a pause. */
import type { Intervals } from "./intervals.ts";

/**
 * A reader at 20 frames a second waits 50 ms for an answer: steps that fill much of such a window are felt as one stop, however
 * short each is. The window is that of the report's contract.
 */
const WINDOW_MS = 50;

export interface StepRun {
  readonly steps: Intervals;
  /** Time of the steps themselves, ms; the gaps between them are not in it. */
  readonly durationMs: number;
}

/**
 * Runs of steps with at least `thresholdMs` of step time inside a window of 50 ms; windows that share a step are one run.
 * It is enough to look at windows that begin with a step: where any window holds that much, one of these does.
 */
export function stepRuns(steps: Intervals, thresholdMs: number): readonly StepRun[] {
  const runs: StepRun[] = [];
  let first = -1;
  let behind = 0;
  let next = 0;
  let begun = 0;
  for (let i = 0; i < steps.count; i++) {
    const windowEnd = (steps.startMs[i] ?? 0) + WINDOW_MS;
    while (next < steps.count && (steps.startMs[next] ?? 0) < windowEnd) begun += length(steps, next++);
    const inside = begun - Math.max(0, (steps.endMs[next - 1] ?? 0) - windowEnd);
    begun -= length(steps, i);
    if (inside < thresholdMs) continue;
    if (first >= 0 && i >= behind) {
      runs.push(run(steps, first, behind));
      first = -1;
    }
    if (first < 0) first = i;
    behind = next;
  }
  if (first >= 0) runs.push(run(steps, first, behind));
  return runs;
}

function length(steps: Intervals, index: number): number {
  return (steps.endMs[index] ?? 0) - (steps.startMs[index] ?? 0);
}

function run(steps: Intervals, from: number, to: number): StepRun {
  let durationMs = 0;
  for (let i = from; i < to; i++) durationMs += length(steps, i);
  const cut = { count: to - from, startMs: steps.startMs.subarray(from, to), endMs: steps.endMs.subarray(from, to) };
  return { steps: cut, durationMs };
}

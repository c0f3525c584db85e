/** Runs of incremental steps that together hold up the main thread like a pause. */
import { type Intervals, lowerBound } from "./intervals.ts";

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
 * Runs of steps with at least `thresholdMs` of step time inside a window of 50 ms: every step that such a window touches;
 * windows that share a step are one run. Linear: as a window slides, the step time in it changes its slope only where an end
 * of the window meets an end of a step, and between two such positions the threshold is met at most once.
 */
export function stepRuns(steps: Intervals, thresholdMs: number): readonly StepRun[] {
  const runs: { from: number; to: number }[] = [];
  const touch = (fromMs: number, toMs: number): void => {
    const ended = lowerBound(steps.endMs, fromMs, steps.count);
    // A step that ends where the window begins is not touched.
    const from = steps.endMs[ended] === fromMs ? ended + 1 : ended;
    const to = lowerBound(steps.startMs, toMs + WINDOW_MS, steps.count);
    const last = runs.at(-1);
    if (last !== undefined && from < last.to) last.to = Math.max(last.to, to);
    else runs.push({ from, to });
  };
  let before: { readonly at: number; readonly inside: number } | null = null;
  for (const { at, inside } of windowsOf(steps)) {
    const held = before !== null && before.inside >= thresholdMs;
    const holds = inside >= thresholdMs;
    if (before !== null && (held || holds)) {
      const slope = (inside - before.inside) / (at - before.at);
      const crossing = slope === 0 ? at : before.at + (thresholdMs - before.inside) / slope;
      touch(held ? before.at : Math.min(crossing, at), holds ? at : Math.max(crossing, before.at));
    } else if (holds) touch(at, at);
    before = { at, inside };
  }
  return runs.map(({ from, to }) => run(steps, from, to));
}

/** Every position of a window, by its start, at which one of its ends meets the end of a step, with the step time in it. */
function* windowsOf(steps: Intervals): Generator<{ readonly at: number; readonly inside: number }> {
  const edges = steps.count * 2;
  const edge = (index: number): number =>
    index < edges
      ? ((index % 2 === 0 ? steps.startMs : steps.endMs)[index >> 1] ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY;
  // Edges that the window's start and its end have passed, and the step time before each.
  let startEdge = 0;
  let endEdge = 0;
  let startTime = 0;
  let endTime = 0;
  let at = edge(0) - WINDOW_MS;
  while (startEdge < edges) {
    const next = Math.min(edge(startEdge), edge(endEdge) - WINDOW_MS);
    if (startEdge % 2 === 1) startTime += next - at;
    if (endEdge % 2 === 1) endTime += next - at;
    at = next;
    while (startEdge < edges && edge(startEdge) <= at) startEdge++;
    while (endEdge < edges && edge(endEdge) - WINDOW_MS <= at) endEdge++;
    yield { at, inside: endTime - startTime };
  }
}

function run(steps: Intervals, from: number, to: number): StepRun {
  let durationMs = 0;
  for (let i = from; i < to; i++) durationMs += (steps.endMs[i] ?? 0) - (steps.startMs[i] ?? 0);
  const cut = { count: to - from, startMs: steps.startMs.subarray(from, to), endMs: steps.endMs.subarray(from, to) };
  return { steps: cut, durationMs };
}

/** Stops that are as long as a spike: pauses at or over the threshold, and runs of incremental steps that amount to one. Pure. */
import { PAUSE_KINDS } from "../recording/model.ts";
import { type SpikeFacts, type SpikeTerms, spikeFacts } from "./causes/facts.ts";
import type { Stop } from "./causes/machine-time.ts";
import type { Intervals } from "./intervals.ts";
import type { ObservedIsolate } from "./observed.ts";
import { type StepRun, stepRuns } from "./steps.ts";

export interface FoundStop {
  readonly observed: ObservedIsolate;
  readonly startMs: number;
  readonly durationMs: number;
  readonly found:
    | { readonly type: "pause"; readonly index: number }
    | { readonly type: "steps"; readonly run: StepRun };
}

/** Of all isolates, longest first. A run of steps stays its own stop where it touches a pause that is one. */
export function findStops(observed: readonly ObservedIsolate[], spikeMs: number): readonly FoundStop[] {
  const stops = observed.flatMap((one) => [
    ...pausesOf(one, spikeMs),
    ...(one.time.outside === null ? [] : runsOf(one, one.time.outside, spikeMs)),
  ]);
  return stops.sort((a, b) => b.durationMs - a.durationMs || a.startMs - b.startMs);
}

function pausesOf(observed: ObservedIsolate, spikeMs: number): readonly FoundStop[] {
  const { count, startMs, durationMs: durations } = observed.isolate.pauses;
  const stops: FoundStop[] = [];
  for (let index = 0; index < count; index++) {
    const durationMs = durations[index] ?? 0;
    if (durationMs < spikeMs) continue;
    stops.push({ observed, startMs: startMs[index] ?? 0, durationMs, found: { type: "pause", index } });
  }
  return stops;
}

function runsOf(observed: ObservedIsolate, steps: Intervals, spikeMs: number): readonly FoundStop[] {
  return stepRuns(steps, spikeMs).map((run) => ({
    observed,
    startMs: run.steps.startMs[0] ?? 0,
    durationMs: run.durationMs,
    found: { type: "steps", run },
  }));
}

export function stopOf({ observed, startMs, durationMs, found }: FoundStop): Stop {
  if (found.type === "steps") {
    return { kind: "incremental-steps", pause: -1, intervals: found.run.steps, startMs, durationMs };
  }
  const kind = PAUSE_KINDS[observed.isolate.pauses.kind[found.index] ?? 0] ?? "scavenge";
  const intervals = { count: 1, startMs: Float64Array.of(startMs), endMs: Float64Array.of(startMs + durationMs) };
  return { kind, pause: found.index, intervals, startMs, durationMs };
}

/** What the rules judge it by. */
export function factsOf(stop: FoundStop, terms: SpikeTerms): SpikeFacts {
  return spikeFacts(stop.observed, stopOf(stop), terms);
}

/** Spikes: pauses at or over the threshold, and runs of incremental steps that amount to one. */
import type { IsolateData } from "../recording/model.ts";
import { PAUSE_KINDS } from "../recording/model.ts";
import { decide } from "./causes/decide.ts";
import { type SpikeTerms, spikeFacts } from "./causes/facts.ts";
import { headline, pauseEvidence, reasonOf, stepsEvidence } from "./evidence.ts";
import type { GcHistory } from "./gc-history.ts";
import type { Intervals } from "./intervals.ts";
import type { Spike } from "./report-types.ts";
import { longestPhases } from "./spike-phases.ts";
import { SpikeSites } from "./spike-sites.ts";
import { type StepRun, stepRuns } from "./steps.ts";
import type { ObservedIsolate } from "./summary.ts";
import { tagsBefore } from "./tags.ts";

/** Spikes that are described, the worst; a threshold of microseconds would otherwise fill the memory. */
export const MAX_SPIKES = 10_000;

interface Candidate {
  readonly observed: ObservedIsolate;
  readonly startMs: number;
  readonly durationMs: number;
  readonly stop: { readonly type: "pause"; readonly index: number } | { readonly type: "steps"; readonly run: StepRun };
}

export interface Spikes {
  /** Worst first, at most MAX_SPIKES. */
  readonly spikes: readonly Spike[];
  /** Of all spikes, the ones that are not described too. */
  readonly count: number;
  readonly totalMs: number;
}

/** All isolates' spikes. A run of steps stays its own spike where it touches a pause that is one. */
export function findSpikes(observed: readonly ObservedIsolate[], terms: SpikeTerms): Spikes {
  const { spikeMs } = terms;
  const candidates = observed.flatMap((one) => [
    ...pauseCandidates(one, spikeMs),
    ...(one.time.outside === null ? [] : stepCandidates(one, one.time.outside, spikeMs)),
  ]);
  candidates.sort((a, b) => b.durationMs - a.durationMs || a.startMs - b.startMs);
  const backgrounds = new Map<IsolateData, Background>();
  const backgroundOf = ({ isolate, history }: ObservedIsolate): Background => {
    const background = backgrounds.get(isolate) ?? { history, sites: new SpikeSites(isolate, history) };
    backgrounds.set(isolate, background);
    return background;
  };
  return {
    spikes: candidates
      .slice(0, MAX_SPIKES)
      .map((candidate, rank) => describe(candidate, `s${rank + 1}`, terms, backgroundOf(candidate.observed))),
    count: candidates.length,
    totalMs: candidates.reduce((sum, candidate) => sum + candidate.durationMs, 0),
  };
}

function pauseCandidates(observed: ObservedIsolate, spikeMs: number): readonly Candidate[] {
  const { count, startMs, durationMs: durations } = observed.isolate.pauses;
  const found: Candidate[] = [];
  for (let index = 0; index < count; index++) {
    const durationMs = durations[index] ?? 0;
    if (durationMs < spikeMs) continue;
    found.push({ observed, startMs: startMs[index] ?? 0, durationMs, stop: { type: "pause", index } });
  }
  return found;
}

function stepCandidates(observed: ObservedIsolate, steps: Intervals, spikeMs: number): readonly Candidate[] {
  return stepRuns(steps, spikeMs).map((run) => ({
    observed,
    startMs: run.steps.startMs[0] ?? 0,
    durationMs: run.durationMs,
    stop: { type: "steps", run },
  }));
}

/** What an isolate's spikes share. */
interface Background {
  readonly history: GcHistory;
  readonly sites: SpikeSites;
}

function describe(candidate: Candidate, id: string, terms: SpikeTerms, { history, sites }: Background): Spike {
  const { startMs, durationMs, stop } = candidate;
  const { isolate } = candidate.observed;
  const isSteps = stop.type === "steps";
  const intervals = isSteps
    ? stop.run.steps
    : { count: 1, startMs: Float64Array.of(startMs), endMs: Float64Array.of(startMs + durationMs) };
  const pause = isSteps ? -1 : stop.index;
  const kind = isSteps ? "incremental-steps" : (PAUSE_KINDS[isolate.pauses.kind[pause] ?? 0] ?? "scavenge");
  const facts = spikeFacts(isolate, history, { kind, pause, intervals, startMs, durationMs }, terms);
  const verdict = decide(facts);
  const cpuMs = isolate.pauses.cpuMs[pause] ?? Number.NaN;
  return {
    id,
    isolate: isolate.id,
    startMs,
    durationMs,
    kind,
    cpuMs: Number.isNaN(cpuMs) ? null : cpuMs,
    reason: isSteps ? null : reasonOf(isolate, pause),
    phases: facts.phases === null ? [] : longestPhases(facts.phases),
    cause: verdict.cause,
    confidence: verdict.confidence,
    contributing: verdict.contributing,
    headline: headline(isolate, stop.type === "steps" ? stop.run : pause, verdict.primary?.why ?? null),
    sites: sites.of(verdict.cause, facts),
    tags: tagsBefore(isolate, startMs),
    evidence: [
      ...verdict.judgements.flatMap(({ evidence }) => evidence),
      ...(isSteps ? stepsEvidence(isolate, stop.run) : pauseEvidence(isolate, pause)),
    ],
    advice: verdict.primary?.advice ?? [],
  };
}

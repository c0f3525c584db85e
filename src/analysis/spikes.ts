/** Spikes: pauses at or over the threshold, and runs of incremental steps that amount to one. */
import type { AllocationWindow, Frame, IsolateData } from "../recording/model.ts";
import { PAUSE_KINDS } from "../recording/model.ts";
import { pauseEvidence, pauseHeadline, reasonOf, stepsEvidence, stepsHeadline } from "./evidence.ts";
import type { Intervals } from "./intervals.ts";
import type { Site, Spike } from "./report-types.ts";
import { rankSites, siteOfStack, tallySites } from "./sites.ts";
import { phasesInside } from "./spike-phases.ts";
import { type StepRun, stepRuns } from "./steps.ts";
import type { ObservedIsolate } from "./summary.ts";
import { tagsBefore } from "./tags.ts";

/** Allocations that feed a spike: windows that overlap it or ended within this time before it. */
const FEED_MS = 3000;
/** Spikes that are described, the worst; a threshold of microseconds would otherwise fill the memory. */
export const MAX_SPIKES = 10_000;

interface Candidate {
  readonly isolate: IsolateData;
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
export function findSpikes(observed: readonly ObservedIsolate[], spikeMs: number): Spikes {
  const candidates = observed.flatMap(({ isolate, time }) => [
    ...pauseCandidates(isolate, spikeMs),
    ...(time.outside === null ? [] : stepCandidates(isolate, time.outside, spikeMs)),
  ]);
  candidates.sort((a, b) => b.durationMs - a.durationMs || a.startMs - b.startMs);
  const sites = new Map(observed.map(({ isolate }) => [isolate, siteFinder(isolate)]));
  return {
    spikes: candidates
      .slice(0, MAX_SPIKES)
      .map((candidate, rank) => describe(candidate, `s${rank + 1}`, sites.get(candidate.isolate) ?? (() => []))),
    count: candidates.length,
    totalMs: candidates.reduce((sum, candidate) => sum + candidate.durationMs, 0),
  };
}

function pauseCandidates(isolate: IsolateData, spikeMs: number): readonly Candidate[] {
  const { count, startMs, durationMs: durations } = isolate.pauses;
  const found: Candidate[] = [];
  for (let index = 0; index < count; index++) {
    const durationMs = durations[index] ?? 0;
    if (durationMs < spikeMs) continue;
    found.push({ isolate, startMs: startMs[index] ?? 0, durationMs, stop: { type: "pause", index } });
  }
  return found;
}

function stepCandidates(isolate: IsolateData, steps: Intervals, spikeMs: number): readonly Candidate[] {
  return stepRuns(steps, spikeMs).map((run) => ({
    isolate,
    startMs: run.steps.startMs[0] ?? 0,
    durationMs: run.durationMs,
    stop: { type: "steps", run },
  }));
}

type SiteFinder = (fromMs: number, toMs: number) => readonly Site[];

function describe(candidate: Candidate, id: string, sitesFor: SiteFinder): Spike {
  const { isolate, startMs, durationMs, stop } = candidate;
  const intervals =
    stop.type === "steps"
      ? stop.run.steps
      : { count: 1, startMs: Float64Array.of(startMs), endMs: Float64Array.of(startMs + durationMs) };
  const endMs = intervals.endMs[intervals.count - 1] ?? startMs;
  return {
    id,
    isolate: isolate.id,
    startMs,
    durationMs,
    ...(stop.type === "steps" ? describeSteps(isolate, stop.run) : describePause(isolate, stop.index)),
    phases: isolate.phases === null ? [] : phasesInside(isolate.phases, intervals),
    cause: "unknown",
    confidence: 0,
    contributing: [],
    sites: sitesFor(startMs - FEED_MS, endMs),
    tags: tagsBefore(isolate, startMs),
    advice: [],
  };
}

function describePause(
  isolate: IsolateData,
  index: number,
): Pick<Spike, "kind" | "cpuMs" | "reason" | "headline" | "evidence"> {
  const cpuMs = isolate.pauses.cpuMs[index] ?? Number.NaN;
  return {
    kind: PAUSE_KINDS[isolate.pauses.kind[index] ?? 0] ?? "scavenge",
    cpuMs: Number.isNaN(cpuMs) ? null : cpuMs,
    reason: reasonOf(isolate, index),
    headline: pauseHeadline(isolate, index),
    evidence: pauseEvidence(isolate, index),
  };
}

function describeSteps(
  isolate: IsolateData,
  run: StepRun,
): Pick<Spike, "kind" | "cpuMs" | "reason" | "headline" | "evidence"> {
  return {
    kind: "incremental-steps",
    cpuMs: null,
    reason: null,
    headline: stepsHeadline(isolate, run),
    evidence: stepsEvidence(isolate, run),
  };
}

/** Sites of the windows that end at or after a moment and begin before another. Spikes of one second share their answer. */
function siteFinder({ allocations }: IsolateData): SiteFinder {
  if (allocations === null) return () => [];
  const sites: readonly (Frame | undefined)[] = siteOfStack(allocations);
  const known = new Map<string, readonly Site[]>();
  return (fromMs, toMs) => {
    const from = firstWindow(allocations.windows, (window) => window.endMs >= fromMs);
    const to = firstWindow(allocations.windows, (window) => window.startMs >= toMs);
    const key = `${from}-${to}`;
    const ranked = known.get(key) ?? rankSites(tallySites(allocations.windows.slice(from, to), sites));
    known.set(key, ranked);
    return ranked;
  };
}

/** Index of the first window for which `holds` is true; windows are in order of time, so that it holds for all behind it. */
function firstWindow(windows: readonly AllocationWindow[], holds: (window: AllocationWindow) => boolean): number {
  let low = 0;
  let high = windows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const window = windows[middle];
    if (window !== undefined && holds(window)) high = middle;
    else low = middle + 1;
  }
  return low;
}

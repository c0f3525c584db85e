/** Spikes: stops that are long enough for one, and everything that is said of them. */
import type { IsolateData } from "../recording/model.ts";
import { decide } from "./causes/decide.ts";
import { isMemoryReducer, type SpikeTerms } from "./causes/facts.ts";
import { headline, pauseEvidence, reasonOf, reducerEvidence, stepsEvidence } from "./evidence.ts";
import { ExternalMemory, externalEvidence } from "./external-share.ts";
import type { GcHistory } from "./gc-history.ts";
import type { ObservedIsolate } from "./observed.ts";
import type { Spike } from "./report-types.ts";
import { longestPhases } from "./spike-phases.ts";
import { SpikeSites } from "./spike-sites.ts";
import { type FoundStop, factsOf, findStops } from "./stops.ts";
import { tagsBefore } from "./tags.ts";

/** Spikes that are described, the worst; a threshold of microseconds would otherwise fill the memory. */
export const MAX_SPIKES = 10_000;

export interface Spikes {
  /** In the order of `findStops`, at most MAX_SPIKES. */
  readonly spikes: readonly Spike[];
  /** Of all spikes, the ones that are not described too. */
  readonly count: number;
  readonly totalMs: number;
}

/** All isolates' spikes, worst first. */
export function findSpikes(observed: readonly ObservedIsolate[], terms: SpikeTerms): Spikes {
  const stops = findStops(observed, terms.spikeMs);
  const backgrounds = new Map<IsolateData, Background>();
  const backgroundOf = ({ isolate, history }: ObservedIsolate): Background => {
    const background = backgrounds.get(isolate) ?? {
      history,
      sites: new SpikeSites(isolate, history),
      external: new ExternalMemory(isolate.samples),
    };
    backgrounds.set(isolate, background);
    return background;
  };
  return {
    spikes: stops
      .slice(0, MAX_SPIKES)
      .map((stop, rank) => describe(stop, `s${rank + 1}`, terms, backgroundOf(stop.observed))),
    count: stops.length,
    totalMs: stops.reduce((sum, { durationMs }) => sum + durationMs, 0),
  };
}

/** What an isolate's spikes share. */
interface Background {
  readonly history: GcHistory;
  readonly sites: SpikeSites;
  readonly external: ExternalMemory;
}

function describe(stop: FoundStop, id: string, terms: SpikeTerms, background: Background): Spike {
  const { history, sites } = background;
  const { startMs, durationMs, found } = stop;
  const { isolate } = stop.observed;
  const facts = factsOf(stop, terms);
  const { kind } = facts;
  const pause = found.type === "steps" ? -1 : found.index;
  const verdict = decide(facts);
  const isExternal = [verdict.cause, ...verdict.contributing].includes("external-memory");
  const external = isExternal ? background.external.shareBefore(facts.before, history) : null;
  const cpuMs = isolate.pauses.cpuMs[pause] ?? Number.NaN;
  const isSteps = found.type === "steps";
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
    headline: headline(isolate, isSteps ? found.run : pause, verdict.primary?.why ?? null),
    sites: sites.of(verdict.cause, facts),
    external,
    tags: tagsBefore(isolate, startMs),
    evidence: [
      ...verdict.judgements.flatMap(({ evidence }) => evidence),
      ...(external === null ? [] : [externalEvidence(external)]),
      ...(isMemoryReducer(facts) ? reducerEvidence() : []),
      ...(isSteps ? stepsEvidence(isolate, found.run) : pauseEvidence(isolate, pause)),
    ],
    advice: verdict.primary?.advice ?? [],
  };
}

/** Which allocation sites stand behind a spike: of what its cause is about, over the time that fed it. */
import type { IsolateData } from "../recording/model.ts";
import { isYoungCollection, type SpikeFacts, triggerFrame } from "./causes/facts.ts";
import type { GcHistory } from "./gc-history.ts";
import type { Cause, Site } from "./report-types.ts";
import { type Choice, SampleSites } from "./sample-sites.ts";
import { windowSites } from "./window-sites.ts";

/** Allocations that feed a spike of no known cause: those of this time before it. */
const FEED_MS = 3000;
/** The young generation holds what was allocated since the last scavenge but one. */
const YOUNG_SCAVENGES = 2;
/** Larger objects have pages of their own: V8's limit is between 128 and 256 KiB, by version. */
const LARGE_BYTES = 120 * 1024;

/** Finds the sites of an isolate's spikes. */
export class SpikeSites {
  readonly #history: GcHistory;
  /** null: deaths are not known, only windows of a second. */
  readonly #samples: SampleSites | null;
  readonly #ofWindows: (fromMs: number, toMs: number) => readonly Site[];

  constructor(isolate: IsolateData, history: GcHistory) {
    this.#history = history;
    this.#samples = isolate.samples === null ? null : new SampleSites(isolate.samples);
    this.#ofWindows = windowSites(isolate);
  }

  of(cause: Cause, facts: SpikeFacts): readonly Site[] {
    switch (cause) {
      // The machine, not the code.
      case "descheduled":
      case "page-faults":
        return [];
      case "explicit":
        return askers(facts);
      default: {
        const { fromMs, toMs } = this.#fed(facts);
        return this.#sampled(cause, facts, fromMs, toMs) ?? this.#ofWindows(fromMs, toMs);
      }
    }
  }

  /** Null where there is nothing of the kind. */
  #sampled(cause: Cause, facts: SpikeFacts, fromMs: number, toMs: number): readonly Site[] | null {
    if (this.#samples === null) return null;
    const { startMs } = facts;
    const alive: Choice = { fromMs, toMs, aliveMs: startMs };
    const isYoung = isYoungCollection(facts);
    switch (cause) {
      case "external-memory":
        return this.#samples.ofBuffers(alive) ?? this.#samples.ofBuffers({ ...alive, aliveMs: null });
      case "large-objects": {
        const large: Choice = { fromMs, toMs, aliveMs: null, leastBytes: LARGE_BYTES };
        return this.#samples.ofHeap(large, "allocated");
      }
      // What is kept may have been kept for long.
      case "heap-limit":
      case "weak-processing":
        return this.#samples.ofHeap({ ...alive, fromMs: Number.NEGATIVE_INFINITY }, "retained");
      case "survivor-copy":
      case "old-growth":
      case "allocation-burst":
      case "compaction":
        return this.#samples.ofHeap(alive, isYoung ? "survived" : "retained");
      default:
        return this.#samples.ofHeap({ fromMs, toMs, aliveMs: null }, "allocated");
    }
  }

  /** The time whose allocations fed the spike. */
  #fed(facts: SpikeFacts): { readonly fromMs: number; readonly toMs: number } {
    const { startMs, endMs, isolate } = facts;
    if (!isYoungCollection(facts)) return { fromMs: this.#history.endOf(this.#history.lastFull(startMs)), toMs: endMs };
    const before = this.#history.lastScavenge(startMs, YOUNG_SCAVENGES);
    return { fromMs: isolate.pauses.startMs[before] ?? startMs - FEED_MS, toMs: startMs };
  }
}

/** The function that asked for a collection. */
function askers(facts: SpikeFacts): readonly Site[] {
  const user = triggerFrame(facts);
  if (user === undefined) return [];
  const { function: name, file, line, column } = user;
  return [
    {
      function: name,
      file,
      line,
      column: column > 0 ? column : null,
      share: 1,
      measure: "asked",
      exact: true,
      bytes: null,
      survivedBytes: null,
    },
  ];
}

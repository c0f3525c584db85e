/** Which allocation sites stand behind a spike: of what its cause is about, over the time that fed it. */
import type { Frame, IsolateData } from "../recording/model.ts";
import { SECOND_MS } from "./allocation-rate.ts";
import { isYoungCollection, type SpikeFacts } from "./causes/facts.ts";
import type { GcHistory } from "./gc-history.ts";
import type { Cause, Site } from "./report-types.ts";
import { isExact, rankSites, siteOfStack, tallySites } from "./sites.ts";
import { bytesByStack, type Selection, selectWindows, widened } from "./stack-bytes.ts";

/** Allocations that feed a spike of no known cause: those of this time before it. */
const FEED_MS = 3000;
/** The young generation holds what was allocated since the last scavenge but one. */
const YOUNG_SCAVENGES = 2;
/** Larger objects have pages of their own: V8's limit is between 128 and 256 KiB, by version. */
const LARGE_BYTES = 120 * 1024;

/** All objects of the heap, and all ArrayBuffers. */
const ALLOCATED = { measure: "allocated", of: "heap", aliveMs: null, leastBytes: 0 } as const;
const BUFFERS = { ...ALLOCATED, measure: "external", of: "buffers" } as const;

/** What decides about the time that fed a spike. */
type SpikeTime = Pick<SpikeFacts, "kind" | "startMs" | "endMs">;

interface Time {
  readonly fromMs: number;
  readonly toMs: number;
}

interface PartlyAsked {
  readonly selection: Selection;
  /** Of its time, the share that was asked for. */
  readonly part: number;
}

function partOf(asked: Time, selection: Selection): PartlyAsked {
  const part = (asked.toMs - asked.fromMs) / (selection.toMs - selection.fromMs);
  return { selection, part: part < 1 ? part : 1 };
}

function scaled(site: Site, part: number): Site {
  const of = (bytes: number | null): number | null => (bytes === null ? null : Math.round(bytes * part));
  return { ...site, bytes: of(site.bytes), survivedBytes: of(site.survivedBytes) };
}

/** Finds the sites of an isolate's spikes. */
export class SpikeSites {
  readonly #isolate: IsolateData;
  readonly #history: GcHistory;
  readonly #siteOfStack: readonly (Frame | undefined)[];
  /** Spikes that were fed in the same windows share their answer. */
  readonly #known = new Map<string, readonly Site[]>();

  constructor(isolate: IsolateData, history: GcHistory) {
    this.#isolate = isolate;
    this.#history = history;
    this.#siteOfStack = isolate.allocations === null ? [] : siteOfStack(isolate.allocations);
  }

  /** When young collections began. */
  get scavengeMs(): Float64Array {
    return this.#history.scavengeMs;
  }

  /** Shares may be those of a longer time, bytes are those of the time that fed the spike. */
  of(cause: Cause, facts: SpikeFacts): readonly Site[] {
    if (cause === "explicit") return askers(facts);
    const found = this.#find(cause, facts);
    return found === null ? [] : this.#ranked(found.selection).map((site) => scaled(site, found.part));
  }

  /** The bytes that a cause is about; null where it is about none, and where no site of them is known. */
  behind(cause: Cause, spike: SpikeTime): Selection | null {
    return this.#find(cause, spike)?.selection ?? null;
  }

  #find(cause: Cause, spike: SpikeTime): PartlyAsked | null {
    return this.#selections(cause, spike).find(({ selection }) => this.#ranked(selection).length > 0) ?? null;
  }

  /** All of the same sort that was allocated in the time that fed a spike, dead or alive; null where nothing was sampled. */
  allocated(spike: SpikeTime, of: Selection["of"]): Selection | null {
    if (!this.#areSampled(of)) return this.#windows(spike);
    return { ...this.#fed(spike), ...(of === "buffers" ? BUFFERS : ALLOCATED) };
  }

  /** What a collection found alive of all that was allocated in the time that fed it; null where deaths are not known. */
  kept(spike: SpikeTime): Selection | null {
    if (this.#isolate.samples === null) return null;
    const measure = isYoungCollection(spike) ? "survived" : "retained";
    const kept: Selection = { ...this.#fed(spike), ...ALLOCATED, measure, aliveMs: spike.endMs };
    return widened(this.#isolate, kept, this.scavengeMs);
  }

  /** What says most comes first. */
  #selections(cause: Cause, spike: SpikeTime): readonly PartlyAsked[] {
    switch (cause) {
      // The machine, not the code.
      case "descheduled":
      case "page-faults":
      // Who asked, whatever is there.
      case "explicit":
        return [];
      default: {
        const windows = this.#windows(spike);
        const ofSamples = this.#ofSamples(cause, spike).map((asked) =>
          partOf(asked, widened(this.#isolate, asked, this.scavengeMs)),
        );
        return [...ofSamples, ...(windows === null ? [] : [partOf(this.#fed(spike), windows)])];
      }
    }
  }

  /** All of the sort, not only large objects of the heap. */
  #areSampled(of: Selection["of"]): boolean {
    const { samples } = this.#isolate;
    return samples !== null && (samples.hasDeaths || of === "buffers");
  }

  /** What was sampled answers; of what nobody saw die, it does not answer what lived. */
  #ofSamples(cause: Cause, spike: SpikeTime): readonly Selection[] {
    const { samples } = this.#isolate;
    if (samples === null) return [];
    const all = this.#aboutCause(cause, spike);
    return samples.hasDeaths
      ? all
      : all.filter(({ of, aliveMs, leastBytes }) => aliveMs === null && (of === "buffers" || leastBytes > 0));
  }

  #aboutCause(cause: Cause, spike: SpikeTime): readonly Selection[] {
    const time = this.#fed(spike);
    // Not when it began: while incremental steps go on the program allocates, and scavenges free.
    const kept: Selection = { ...time, ...ALLOCATED, measure: "retained", aliveMs: spike.endMs };
    switch (cause) {
      case "external-memory":
        return [
          { ...time, ...BUFFERS, aliveMs: spike.endMs },
          { ...time, ...BUFFERS },
        ];
      case "large-objects":
        return [{ ...time, ...ALLOCATED, leastBytes: LARGE_BYTES }];
      // What is kept may have been kept for long.
      case "heap-limit":
      case "weak-processing":
        return [{ ...kept, fromMs: Number.NEGATIVE_INFINITY }];
      case "allocation-burst": {
        // What a burst made may be dead by the time of a full collection, and what lived before it did not come from it.
        const { startMs } = spike;
        const burst: Selection = { ...ALLOCATED, fromMs: startMs - SECOND_MS, toMs: startMs };
        return [isYoungCollection(spike) ? { ...kept, measure: "survived" } : burst];
      }
      case "survivor-copy": {
        if (isYoungCollection(spike)) return [{ ...kept, measure: "survived" }];
        const fromMs = Math.max(kept.fromMs, this.#isolate.startMs);
        // A full collection finds dead what passed through the old generation.
        return [{ ...kept, fromMs, measure: "survived", aliveMs: "young" }];
      }
      case "old-growth":
      case "compaction":
        return [isYoungCollection(spike) ? { ...kept, measure: "survived" } : kept];
      default:
        return [{ ...time, ...ALLOCATED }];
    }
  }

  #windows(spike: SpikeTime): Selection | null {
    const { fromMs, toMs } = this.#fed(spike);
    const { allocations } = this.#isolate;
    return allocations === null ? null : selectWindows(allocations, fromMs, toMs);
  }

  /** The time whose allocations fed the spike. */
  #fed(spike: SpikeTime): Time {
    const { startMs, endMs } = spike;
    if (!isYoungCollection(spike)) {
      const full = this.#history.lastFull(startMs);
      // In a flight recorder's dump the last one may have been before its beginning.
      return { fromMs: full < 0 ? Number.NEGATIVE_INFINITY : this.#history.endOf(full), toMs: endMs };
    }
    const before = this.#history.lastScavenge(startMs, YOUNG_SCAVENGES);
    return { fromMs: before < 0 ? startMs - FEED_MS : this.#history.startOf(before), toMs: startMs };
  }

  #ranked(selection: Selection): readonly Site[] {
    const key = Object.values(selection).join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const tally = tallySites(bytesByStack(this.#isolate, selection, this.scavengeMs), this.#siteOfStack);
    const ranked = rankSites(tally, selection.measure, isExact(this.#isolate));
    this.#known.set(key, ranked);
    return ranked;
  }
}

/** The function that asked for a collection. */
function askers({ trigger }: SpikeFacts): readonly Site[] {
  if (trigger === null) return [];
  const { function: name, file, line, column } = trigger;
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

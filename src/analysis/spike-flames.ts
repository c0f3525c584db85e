/** Who allocated the bytes behind the worst spikes, as flame graphs. Pure. */
import type { IsolateData, Recording } from "../recording/model.ts";
import { type CallStacks, callStacks } from "./call-stacks.ts";
import { type FlameTree, flameTree } from "./flame-tree.ts";
import { type ObservedIsolate, observe } from "./observed.ts";
import type { Cause, Spike } from "./report-types.ts";
import { SpikeSites } from "./spike-sites.ts";
import { bytesByStack, type Selection } from "./stack-bytes.ts";
import { type FoundStop, findStops, stopOf } from "./stops.ts";

/** So many spikes have flame graphs, the worst: those of the page after a reader asked for more once. Each takes up to 3 KiB. */
export const MOST_FLAMED = 60;
/** Boxes of a graph: with fewer the narrow ones are missed, of more a reader sees nothing more without zooming in. */
export const MOST_CALLS = 250;

export interface SpikeFlame {
  readonly selection: Selection;
  /** Frames are indices into those of the isolate's allocations; of equal ones, the first. */
  readonly tree: FlameTree;
}

export interface SpikeFlames {
  /** The spike's id. */
  readonly spike: string;
  /** What the verdict is about, with the measure of the spike's sites; then all of that sort that was allocated, where that is more. */
  readonly flames: readonly SpikeFlame[];
}

/**
 * Of the first MOST_FLAMED of `spikes`, which are those of the report, worst first. A spike whose cause is not about bytes has
 * none, nor has one of which nothing was sampled. `spikeMs`: the threshold that the report was made with.
 */
export function spikeFlames(recording: Recording, spikes: readonly Spike[], spikeMs: number): readonly SpikeFlames[] {
  const observed = observe(recording);
  const stops = findStops(observed, spikeMs);
  const byIsolate = new Map(observed.map((one) => [one.isolate, new IsolateFlames(one)]));
  return spikes.slice(0, MOST_FLAMED).flatMap(({ id, cause }, rank) => {
    const stop = stops[rank];
    const flames = stop === undefined ? [] : (byIsolate.get(stop.observed.isolate)?.of(cause, stop) ?? []);
    return flames.length === 0 ? [] : [{ spike: id, flames }];
  });
}

class IsolateFlames {
  readonly #isolate: IsolateData;
  readonly #sites: SpikeSites;
  readonly #calls: CallStacks;

  constructor({ isolate, history }: ObservedIsolate) {
    this.#isolate = isolate;
    this.#sites = new SpikeSites(isolate, history);
    this.#calls = callStacks(isolate.allocations ?? { frames: [], stacks: [] });
  }

  of(cause: Cause, found: FoundStop): readonly SpikeFlame[] {
    const { kind, startMs, intervals } = stopOf(found);
    const spike = { kind, startMs, endMs: intervals.endMs[intervals.count - 1] ?? startMs };
    const behind = this.#sites.behind(cause, spike);
    if (behind === null) return [];
    const allocated = this.#sites.allocated(spike, behind.of);
    const selections = allocated === null || isSame(allocated, behind) ? [behind] : [behind, allocated];
    return selections
      .map((selection) => ({ selection, tree: this.#treeOf(selection) }))
      .filter(({ tree }) => tree.total > 0);
  }

  #treeOf(selection: Selection): FlameTree {
    const { stacks, inlinedOf } = this.#calls;
    const byStack = bytesByStack(this.#isolate, selection, this.#sites.scavengeMs);
    return flameTree(
      Array.from(byStack, ([stack, bytes]) => ({ frames: stacks[stack] ?? [], bytes })),
      { mostNodes: MOST_CALLS, inlinedOf: (frame) => inlinedOf[frame] },
    );
  }
}

function isSame(a: Selection, b: Selection): boolean {
  return (Object.keys(a) as (keyof Selection)[]).every((key) => a[key] === b[key]);
}

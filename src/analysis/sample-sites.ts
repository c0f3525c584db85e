/** Sites by what became of the sampled objects: which survived a collection, which are kept, which lie outside the heap. Pure. */
import type { Frame, SampleColumns, Samples } from "../recording/model.ts";
import { lowerBound } from "./intervals.ts";
import type { Site, SiteMeasure } from "./report-types.ts";
import { rankSites, siteOfStack } from "./sites.ts";

/** So many objects are looked at for one spike; of more, every n-th. */
const MOST_OBJECTS = 50_000;

/** Objects that were born in a time and were alive at a moment. */
export interface Choice {
  readonly fromMs: number;
  readonly toMs: number;
  /** Found alive by the collection that began then, or later; null: dead or alive. */
  readonly aliveMs: number | null;
  /** Of this size at least, bytes. */
  readonly leastBytes?: number;
}

export class SampleSites {
  readonly #samples: Samples;
  readonly #sites: readonly (Frame | undefined)[];
  readonly #known = new Map<string, readonly Site[]>();

  constructor(samples: Samples) {
    this.#samples = samples;
    this.#sites = siteOfStack(samples);
  }

  /** Null where there were no such objects. */
  ofHeap(choice: Choice, measure: SiteMeasure): readonly Site[] | null {
    return this.#ranked(this.#samples.heap, choice, measure);
  }

  /** Of Buffers and ArrayBuffers; null where none was sampled. */
  ofBuffers(choice: Choice): readonly Site[] | null {
    const { buffers } = this.#samples;
    return buffers === null ? null : this.#ranked(buffers, choice, "external");
  }

  #ranked(columns: SampleColumns, choice: Choice, measure: SiteMeasure): readonly Site[] | null {
    const key = `${measure} ${choice.fromMs} ${choice.toMs} ${choice.aliveMs} ${choice.leastBytes ?? 0}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known.length === 0 ? null : known;
    const ranked = this.#rank(columns, choice, measure);
    this.#known.set(key, ranked);
    return ranked.length === 0 ? null : ranked;
  }

  #rank(columns: SampleColumns, choice: Choice, measure: SiteMeasure): readonly Site[] {
    const { bornMs, diedMs, bytes, objects, stack, count } = columns;
    const first = lowerBound(bornMs, choice.fromMs, count);
    const last = lowerBound(bornMs, choice.toMs, count);
    const step = Math.max(1, Math.ceil((last - first) / MOST_OBJECTS));
    const { aliveMs, leastBytes = 0 } = choice;
    const frames = new Map<Frame, number>();
    let totalBytes = 0;
    for (let i = first; i < last; i += step) {
      if (aliveMs !== null && !((diedMs[i] ?? 0) > aliveMs)) continue;
      if (leastBytes > 0 && !((bytes[i] ?? 0) / (objects[i] ?? 1) >= leastBytes)) continue;
      const weight = (bytes[i] ?? 0) * step;
      totalBytes += weight;
      const site = this.#sites[stack[i] ?? -1];
      if (site !== undefined) frames.set(site, (frames.get(site) ?? 0) + weight);
    }
    return rankSites({ frames, totalBytes }, measure, this.#samples.isExact);
  }
}

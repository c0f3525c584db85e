/** The figures of processes that are recorded, from the files of their recordings. */
import { type LiveFigures, type LiveSite, liveFigures } from "../../analysis/live-figures.ts";
import { siteKey } from "../../analysis/sites.ts";
import type { Frame } from "../../recording/model.ts";
import { locateFrame, RecentReader } from "../../recording/read-recent.ts";

/** Places of functions that are remembered. */
const MOST_PLACES = 1000;

interface Measured {
  readonly folder: string;
  readonly reader: RecentReader;
}

export class Measuring {
  readonly #startNs: bigint;
  readonly #measured = new Map<string, Measured>();
  readonly #places = new Map<string, Frame>();

  /** Times are ms since `startNs` on the monotonic clock. */
  constructor(startNs: bigint) {
    this.#startNs = startNs;
  }

  /** Of a process that records into `folder`; null where nothing can be read there (yet). */
  figuresOf(row: string, pid: number, folder: string, nowMs: number): LiveFigures | null {
    let measured = this.#measured.get(row);
    if (measured?.folder !== folder) {
      measured = { folder, reader: new RecentReader(folder, pid, this.#startNs) };
      this.#measured.set(row, measured);
    }
    const isolates = measured.reader.read(nowMs);
    if (isolates.length === 0) return null;
    const figures = liveFigures(isolates, nowMs);
    return { ...figures, sites: figures.sites.map((site) => this.#located(site)) };
  }

  /** Nothing of them is measured any more. */
  keepOnly(rows: ReadonlySet<string>): void {
    for (const row of this.#measured.keys()) if (!rows.has(row)) this.#measured.delete(row);
  }

  #located({ frame, share }: LiveSite): LiveSite {
    const key = siteKey(frame);
    if (this.#places.size > MOST_PLACES) this.#places.clear();
    const place = this.#places.get(key) ?? locateFrame(frame);
    this.#places.set(key, place);
    return { frame: place, share };
  }
}

/** From when to when a trace is, though some of its events may be on another clock. */

const DAY_MS = 86_400_000;
/** A trace is no longer. */
const MOST_DAYS = 31;
/** Days that are told apart: a trace has one or two. */
const MOST_KNOWN = 100_000;

interface Day {
  firstMs: number;
  lastMs: number;
}

export class TraceTimes {
  readonly #days = new Map<number, Day>();

  add(ms: number): void {
    const day = Math.floor(ms / DAY_MS);
    const known = this.#days.get(day);
    if (known !== undefined) {
      known.firstMs = Math.min(known.firstMs, ms);
      known.lastMs = Math.max(known.lastMs, ms);
    } else if (this.#days.size < MOST_KNOWN && Number.isFinite(day)) {
      this.#days.set(day, { firstMs: ms, lastMs: ms });
    }
  }

  /** The first and the last time of the days around one. */
  around(ms: number): { readonly startMs: number; readonly endMs: number } {
    const middle = Math.floor(ms / DAY_MS);
    let startMs = ms;
    let endMs = ms;
    for (const [day, { firstMs, lastMs }] of this.#days) {
      if (Math.abs(day - middle) > MOST_DAYS / 2) continue;
      startMs = Math.min(startMs, firstMs);
      endMs = Math.max(endMs, lastMs);
    }
    return { startMs, endMs };
  }
}

/** When the pool must do with hashes: a pure prediction from what was measured lately, and a switch that remembers. */

/** All that the prediction knows. Times in ms, memory in bytes. */
export interface Measurements {
  /** How long the latest blocks took. */
  readonly blocksMs: ArrayLike<number>;
  /** The longest stall of the thread between each of them and the one before: a collection, page faults, whatever held it up. */
  readonly stallsMs: ArrayLike<number>;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
}

/** Back to normal below these shares of the budget and of the memory limit, so that the pool does not go to and fro. */
const LEAVE_AT_BUDGET = 0.5;
const LEAVE_AT_MEMORY = 0.8;

/**
 * How long the next block takes if it meets a stall, ms: as long as the latest ones did, and the worst stall that comes with each of
 * them on top. Medians: what happened once does not come again.
 */
export function predictBlockMs({ blocksMs, stallsMs }: Pick<Measurements, "blocksMs" | "stallsMs">): number {
  return median(blocksMs) + median(stallsMs);
}

function median(values: ArrayLike<number>): number {
  return Float64Array.from(values).sort()[values.length >> 1] ?? 0;
}

export class LightSwitch {
  readonly #budgetMs: number;
  #since: number | null = null;
  #pastMs = 0;
  /** Times that light mode was entered. */
  entries = 0;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  /** Whether the pool should be light from `now` (ms) on. */
  update(now: number, measurements: Measurements): boolean {
    const share = predictBlockMs(measurements) / this.#budgetMs;
    const memory = measurements.memoryBytes / measurements.memoryLimitBytes;
    if (this.#since === null && (share > 1 || memory > 1)) {
      this.#since = now;
      this.entries++;
    } else if (this.#since !== null && share < LEAVE_AT_BUDGET && memory < LEAVE_AT_MEMORY) {
      this.#pastMs += now - this.#since;
      this.#since = null;
    }
    return this.#since !== null;
  }

  /** Time in light mode up to `now`, ms. */
  timeMs(now: number): number {
    return this.#pastMs + (this.#since === null ? 0 : now - this.#since);
  }
}

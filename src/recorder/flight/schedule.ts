/**
 * When a dump is written, and which triggers it is about. Pure: it is told the time.
 *
 * A trigger has its dump `afterMs` later, so that what came of it is in it, too. For `keepMs` after a dump there is no other: what fires
 * meanwhile shares one dump at the end of that time, which is as long. However much fires, there is one dump in `keepMs`, and none of it
 * is without one.
 */
import { DEATH_TRIGGER } from "../../lib/triggers.ts";
import type { Fired } from "./evaluate.ts";

/** So many are told of by name. */
export const MOST_TOLD = 100;

export interface DueDump {
  readonly fired: readonly Fired[];
  /** How many more there were. */
  readonly untold: number;
}

export class Schedule {
  readonly #keepMs: number;
  readonly #afterMs: number;
  #fired: Fired[] = [];
  #untold = 0;
  #dueMs = Number.POSITIVE_INFINITY;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(keepMs: number, afterMs: number) {
    this.#keepMs = keepMs;
    this.#afterMs = afterMs;
  }

  add(fired: readonly Fired[], nowMs: number): void {
    if (fired.length === 0) return;
    if (this.#fired.length === 0) this.#dueMs = Math.max(nowMs + this.#afterMs, this.#notBeforeMs);
    for (const one of fired) {
      // There always is room for the end.
      if (this.#fired.length < MOST_TOLD - 1 || one.trigger === DEATH_TRIGGER) this.#fired.push(one);
      else this.#untold++;
    }
  }

  /** The dump that is to be written now; null where none is. `isLast`: no later one can be. */
  take(nowMs: number, isLast = false): DueDump | null {
    if (this.#fired.length === 0 || (nowMs < this.#dueMs && !isLast)) return null;
    const due = { fired: this.#fired.toSorted((a, b) => a.atMs - b.atMs), untold: this.#untold };
    this.#fired = [];
    this.#untold = 0;
    this.#notBeforeMs = nowMs + this.#keepMs;
    return due;
  }
}

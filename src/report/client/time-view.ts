/** The stretch of time that all charts of a page show, and whatever else its state holds. */

/** A stretch of a recording, ms. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

interface Ranged {
  readonly range: Range;
}

type Listener<State> = (state: State, previous: State) => void;

/** Closer than this there is nothing to see: pauses are told apart to the microsecond. */
const SHORTEST_RANGE_MS = 0.05;

export class TimeView<State extends Ranged = Ranged> {
  readonly whole: Range;
  #state: State;
  readonly #listeners = new Set<Listener<State>>();

  /** `begin` makes the first state, which shows all of `durationMs`. */
  constructor(durationMs: number, begin: (whole: Range) => State) {
    this.whole = { min: 0, max: Math.max(durationMs, 1) };
    this.#state = begin(this.whole);
  }

  get state(): State {
    return this.#state;
  }

  subscribe(listener: Listener<State>): void {
    this.#listeners.add(listener);
  }

  change(change: Partial<State>): void {
    const previous = this.#state;
    this.#state = { ...previous, ...change };
    for (const listener of this.#listeners) listener(this.#state, previous);
  }

  /** Shows from min to max, moved inside the recording and not shorter than can be told apart. */
  showRange({ min, max }: Range): void {
    const length = Math.min(Math.max(max - min, SHORTEST_RANGE_MS), this.whole.max);
    const middle = (min + max) / 2;
    const start = Math.min(Math.max(middle - length / 2, 0), this.whole.max - length);
    this.#setRange({ min: start, max: start + length });
  }

  showAll(): void {
    this.#setRange(this.whole);
  }

  #setRange(range: Range): void {
    const change: Partial<Ranged> = { range };
    this.change(change as Partial<State>);
  }

  get isZoomed(): boolean {
    return this.#state.range.max - this.#state.range.min < this.whole.max * 0.9999;
  }

  /** Below 1 zooms in. The moment `at` stays where it is on the screen. */
  zoom(factor: number, at = (this.#state.range.min + this.#state.range.max) / 2): void {
    const { min, max } = this.#state.range;
    this.showRange({ min: at - (at - min) * factor, max: at + (max - at) * factor });
  }

  /** Moves the view by a part of its length. */
  pan(part: number): void {
    const { min, max } = this.#state.range;
    const by = (max - min) * part;
    this.showRange({ min: min + by, max: max + by });
  }
}

/** What moves the time and follows it, whatever else is in the state. */
export type TimeControl = Pick<
  TimeView,
  "whole" | "state" | "subscribe" | "showRange" | "showAll" | "isZoomed" | "zoom" | "pan"
>;

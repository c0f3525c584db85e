/** What the reader is looking at. Everything on the page that follows it subscribes here. */
import type { Spike } from "../../analysis/report-types.ts";
import type { IsolateData, ReportData } from "./wire.ts";

/** A stretch of the recording, ms. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface State {
  readonly isolate: IsolateData;
  readonly range: Range;
  readonly spike: Spike | null;
}

type Listener = (state: State, previous: State) => void;

/** Closer than this there is nothing to see: pauses are told apart to the microsecond. */
const SHORTEST_RANGE_MS = 0.05;
/** A spike is shown with this many times its length around it, and at least with this much. */
const SPIKE_SURROUNDINGS = 12;
const SPIKE_SURROUNDINGS_MS = 400;

export class Store {
  readonly data: ReportData;
  readonly whole: Range;
  #state: State;
  readonly #listeners = new Set<Listener>();

  /** `isolate` is where the reader starts; the data has at least this one. */
  constructor(data: ReportData, isolate: IsolateData) {
    this.data = data;
    this.whole = { min: 0, max: Math.max(data.report.recording.durationMs, 1) };
    this.#state = { isolate, range: this.whole, spike: null };
  }

  get state(): State {
    return this.#state;
  }

  subscribe(listener: Listener): void {
    this.#listeners.add(listener);
  }

  #set(change: Partial<State>): void {
    const previous = this.#state;
    this.#state = { ...previous, ...change };
    for (const listener of this.#listeners) listener(this.#state, previous);
  }

  showIsolate(isolate: IsolateData): void {
    this.#set({ isolate, spike: null });
  }

  /** Shows from min to max, moved inside the recording and not shorter than can be told apart. */
  showRange({ min, max }: Range): void {
    const length = Math.min(Math.max(max - min, SHORTEST_RANGE_MS), this.whole.max);
    const middle = (min + max) / 2;
    const start = Math.min(Math.max(middle - length / 2, 0), this.whole.max - length);
    this.#set({ range: { min: start, max: start + length } });
  }

  showAll(): void {
    this.#set({ range: this.whole, spike: null });
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

  showSpike(spike: Spike): void {
    const isolate = this.data.isolates.find(({ id }) => id === spike.isolate) ?? this.#state.isolate;
    const around = Math.max(spike.durationMs * SPIKE_SURROUNDINGS, SPIKE_SURROUNDINGS_MS);
    const middle = spike.startMs + spike.durationMs / 2;
    this.#set({ isolate, spike });
    this.showRange({ min: middle - around / 2, max: middle + around / 2 });
  }
}

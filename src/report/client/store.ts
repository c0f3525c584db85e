/** What the reader of a report is looking at. Everything on the page that follows it subscribes here. */
import type { Spike } from "../../analysis/report-types.ts";
import { type Range, TimeView } from "./time-view.ts";
import type { IsolateData, ReportData } from "./wire.ts";

interface State {
  readonly isolate: IsolateData;
  readonly range: Range;
  readonly spike: Spike | null;
}

/** A spike is shown with this many times its length around it, and at least with this much. */
const SPIKE_SURROUNDINGS = 12;
const SPIKE_SURROUNDINGS_MS = 400;

export class Store extends TimeView<State> {
  readonly data: ReportData;

  /** `isolate` is where the reader starts; the data has at least this one. */
  constructor(data: ReportData, isolate: IsolateData) {
    super(data.report.recording.durationMs, (range) => ({ isolate, range, spike: null }));
    this.data = data;
  }

  showIsolate(isolate: IsolateData): void {
    this.change({ isolate, spike: null });
  }

  override showAll(): void {
    this.change({ range: this.whole, spike: null });
  }

  showSpike(spike: Spike): void {
    const isolate = this.data.isolates.find(({ id }) => id === spike.isolate) ?? this.state.isolate;
    const around = Math.max(spike.durationMs * SPIKE_SURROUNDINGS, SPIKE_SURROUNDINGS_MS);
    const middle = spike.startMs + spike.durationMs / 2;
    this.change({ isolate, spike });
    this.showRange({ min: middle - around / 2, max: middle + around / 2 });
  }
}

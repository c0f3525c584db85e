/** Which run stands for each column, and what stretch of time is in view. */

import type { RunPictures } from "../../run-pictures.ts";
import { type Range, TimeView } from "../time-view.ts";
import type { ComparisonData } from "./data.ts";

interface State {
  readonly range: Range;
  /** Index of the run shown, by column. */
  readonly runs: readonly number[];
}

export interface ShownColumn {
  readonly index: number;
  readonly label: string;
  readonly runs: readonly RunPictures[];
  readonly run: RunPictures;
}

/** All columns have one time scale: that of the longest run. */
export class Choice extends TimeView<State> {
  readonly data: ComparisonData;

  constructor(data: ComparisonData) {
    const durations = data.columns.flatMap(({ runs }) => runs.map(({ durationMs }) => durationMs));
    super(Math.max(0, ...durations), (range) => ({ range, runs: data.columns.map(({ typical }) => typical) }));
    this.data = data;
  }

  /** The columns with the run that stands for each; one that has none is left out. */
  get shown(): readonly ShownColumn[] {
    return this.data.columns.flatMap(({ label, runs }, index) => {
      const run = runs[this.state.runs[index] ?? 0];
      return run === undefined ? [] : [{ index, label, runs, run }];
    });
  }

  showRun(column: number, run: number): void {
    this.change({ runs: this.state.runs.map((shown, index) => (index === column ? run : shown)) });
  }
}

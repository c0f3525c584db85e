/** What the page of a comparison gets, as wire.ts packs it. */
import type { Check } from "../../../analysis/check/check-types.ts";
import type { RunMeasure } from "../../../analysis/run-bytes.ts";
import type { ComparisonView } from "../../compare-view.ts";
import type { RunPictures } from "../../run-pictures.ts";
import type { FlameColumns } from "../flame-columns.ts";
import type { AllocationData } from "../wire.ts";

export interface FlameDifferenceData {
  readonly measure: RunMeasure;
  readonly frames: AllocationData["frames"];
  readonly baseline: FlameColumns;
  readonly candidate: FlameColumns;
}

export interface ComparisonData extends Pick<ComparisonView, "comparison" | "verdict"> {
  /** null: nobody asked for a verdict on a change. */
  readonly check: Check | null;
  /** Of a check, who allocates what on both sides; null where that is not known. */
  readonly flames: FlameDifferenceData | null;
  /** In the order of `comparison.columns`. */
  readonly columns: readonly {
    readonly name: string;
    /** The name, short enough for a legend. */
    readonly label: string;
    readonly command: string;
    readonly recorded: string;
    readonly node: string;
    readonly runs: readonly RunPictures[];
    /** Index of the run that stands for the column: the one in the middle, by its P99 pause. */
    readonly typical: number;
  }[];
}

/** gcspike.compare/1: the shape of `compare --format json` (docs/compare.schema.json). Types only. */
import type { Measurement, Warning } from "../recording/spec.ts";

/** One number of one column: of all its runs that know it, in the order of its recordings. */
export interface ColumnValue {
  readonly column: string;
  /** Of an even number of runs the mean of the two in the middle. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: readonly number[];
}

/** A metric and the columns that know it; those that do not are left out. */
export interface ComparisonRow extends Omit<Measurement, "value"> {
  readonly values: readonly ColumnValue[];
}

export interface Comparison {
  readonly schema: "gcspike.compare/1";
  readonly columns: readonly { readonly name: string; readonly recordings: readonly string[] }[];
  readonly rows: readonly ComparisonRow[];
  readonly warnings: readonly Warning[];
}

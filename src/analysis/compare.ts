import type { Measurement, Warning } from "../recording/spec.ts";
import { comparability } from "./comparability.ts";
import type { ColumnValue, Comparison, ComparisonRow } from "./compare-types.ts";
import type { Column } from "./run.ts";
import { columnValue, extremes, hasSpread, isToldApart } from "./spread.ts";

/** Puts columns side by side. Pure. Columns have different names and at least one run each. */
export function compare(columns: readonly Column[]): Comparison {
  const rows = metricsOf(columns).map((metric) => rowOf(metric, columns));
  return {
    schema: "gcspike.compare/1",
    columns: columns.map(({ name, runs }) => ({ name, recordings: runs.map(({ recording }) => recording) })),
    rows,
    warnings: [...comparability(columns), ...otherUnits(columns, rows), ...withinSpread(rows)],
  };
}

/**
 * Every metric of any run, once: as the first run has it. One that only later runs know comes behind the one that is before
 * it there, so that the order of the metrics stays.
 */
function metricsOf(columns: readonly Column[]): readonly Measurement[] {
  const all: Measurement[] = [];
  for (const { metrics } of columns.flatMap(({ runs }) => runs)) {
    let before = -1;
    for (const measurement of metrics) {
      const at = all.findIndex(({ metric }) => metric === measurement.metric);
      if (at < 0) all.splice(before + 1, 0, measurement);
      before = at < 0 ? before + 1 : at;
    }
  }
  return all;
}

function rowOf({ metric, unit, better }: Measurement, columns: readonly Column[]): ComparisonRow {
  const values = columns.flatMap(({ name, runs }): readonly ColumnValue[] => {
    const known = runs.flatMap(({ metrics }) =>
      metrics.filter((other) => other.metric === metric && other.unit === unit).map(({ value }) => value),
    );
    return known.length === 0 ? [] : [columnValue(name, known)];
  });
  return { metric, unit, better, values };
}

/** A workload may have changed its unit from one run to the next: such numbers cannot stand in one row. */
function otherUnits(columns: readonly Column[], rows: readonly ComparisonRow[]): readonly Warning[] {
  const units = new Map(rows.map(({ metric, unit }) => [metric, unit]));
  const runs = columns.flatMap((column) => column.runs);
  const others = runs.flatMap(({ metrics }) => metrics.filter(({ metric, unit }) => units.get(metric) !== unit));
  return [...new Set(others.map(({ metric }) => metric))].map((metric) => ({
    code: "different-unit",
    message: `${metric} has different units: only the runs that have it in ${units.get(metric)} are compared.`,
    hint: "Record all of them with the same version of the workload.",
  }));
}

const MOST_NAMED = 8;

/** Metrics of which not even the lowest and the highest column are further apart than runs of the same column. */
function withinSpread(rows: readonly ComparisonRow[]): readonly Warning[] {
  const within = rows.filter(({ values }) => {
    const ends = extremes(values);
    if (ends === null) return false;
    const { lowest, highest } = ends;
    return lowest.median !== highest.median && hasSpread(lowest, highest) && !isToldApart(lowest, highest);
  });
  if (within.length === 0) return [];
  const named = within.slice(0, MOST_NAMED).map(({ metric }) => metric);
  const more = within.length > MOST_NAMED ? ` and ${within.length - MOST_NAMED} more` : "";
  return [
    {
      code: "within-spread",
      message: `The columns differ by no more than runs of one column do in ${named.join(", ")}${more}.`,
      hint: "More runs of each would tell whether there is a difference.",
    },
  ];
}

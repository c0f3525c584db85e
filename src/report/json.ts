import type { Check } from "../analysis/check/check-types.ts";
import type { ComparisonView } from "./compare-view.ts";
import type { ReportView } from "./view-model.ts";

/** Milliseconds and shares carry six decimals (nanoseconds, millionths): sums of floats otherwise end in noise. */
const DECIMALS = 1e6;

/** The report as gcspike.report/1 (docs/report.schema.json), UTF-8, with a newline at its end. */
export function renderJson(view: Pick<ReportView, "report">): Uint8Array {
  return jsonBytes(view.report);
}

/** The comparison as gcspike.compare/1 (docs/compare.schema.json), likewise. */
export function renderComparisonJson(view: Pick<ComparisonView, "comparison">): Uint8Array {
  return jsonBytes(view.comparison);
}

/** The check as gcspike.check/1 (docs/check.schema.json), likewise. */
export function renderCheckJson(check: Check): Uint8Array {
  return jsonBytes(check);
}

/** Any other data of ours, likewise. */
export function jsonBytes(value: object): Uint8Array {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === "number" ? round(item) : item), 2);
  return new TextEncoder().encode(`${text}\n`);
}

function round(value: number): number {
  return Number.isInteger(value) ? value : Math.round(value * DECIMALS) / DECIMALS;
}

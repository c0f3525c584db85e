import type { ReportView } from "./view-model.ts";

/** Milliseconds and shares carry six decimals (nanoseconds, millionths): sums of floats otherwise end in noise. */
const DECIMALS = 1e6;

/** The report as gcspike.report/1 (docs/report.schema.json), UTF-8, with a newline at its end. */
export function renderJson(view: Pick<ReportView, "report">): Uint8Array {
  const text = JSON.stringify(
    view.report,
    (_, value: unknown) => (typeof value === "number" ? round(value) : value),
    2,
  );
  return new TextEncoder().encode(`${text}\n`);
}

function round(value: number): number {
  return Number.isInteger(value) ? value : Math.round(value * DECIMALS) / DECIMALS;
}

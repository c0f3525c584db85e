import type { ReportView } from "./view-model.ts";

/** The report as gcspike.report/1 (docs/report.schema.json), UTF-8, with a newline at its end. */
export function renderJson(view: ReportView): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(view.report, null, 2)}\n`);
}

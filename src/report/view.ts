import type { Report } from "../analysis/report-types.ts";
import type { Recording } from "../recording/model.ts";
import type { ReportView } from "./view-model.ts";

/** What the renderers draw: the report and the series behind its pictures. */
export function buildView(_recording: Recording, _report: Report, _options: { readonly spikeMs: number }): ReportView {
  throw new Error("not written yet");
}

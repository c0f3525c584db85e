import type { ReportView } from "./view-model.ts";

/** The report for a pull-request comment or a job summary: GitHub-flavoured Markdown, UTF-8. */
export function renderMarkdown(_view: ReportView): Uint8Array {
  throw new Error("not written yet");
}

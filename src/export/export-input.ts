import type { Report } from "../analysis/report-types.ts";
import type { Recording } from "../recording/model.ts";

/** What every export is made from: a recording and the report of it. */
export interface ExportInput {
  readonly recording: Recording;
  readonly report: Report;
}

/** Calendar time of a moment of the recording, ms since 1970. */
export function epochMs({ manifest }: Recording, timeMs: number): number {
  return Date.parse(manifest.startedAt) + timeMs;
}

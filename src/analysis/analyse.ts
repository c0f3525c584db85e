import type { Recording } from "../recording/model.ts";
import type { Report } from "./report-types.ts";

/** Explains a recording. Pure: the same recording and threshold give the same report. Linear in pauses and phases. */
export function analyse(_recording: Recording, _options: { readonly spikeMs: number }): Report {
  throw new Error("not written yet");
}

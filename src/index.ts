/** The JavaScript API: `import { record, read, analyse } from "gcspike"`. */
export { type AnalyseOptions, analyse } from "./analysis/analyse.ts";
export type * from "./analysis/report-types.ts";
export { GcspikeError } from "./lib/errors.ts";
export type { WrittenDump } from "./recorder/flight/flight.ts";
export type { FlightOptions } from "./recorder/flight/flight-options.ts";
export { type Exit, type RecordObserver, type RecordResult, record } from "./recorder/record.ts";
export type { RecordOptions } from "./recorder/record-options.ts";
export type { IsolateData, Recording } from "./recording/model.ts";
export { readRecording as read } from "./recording/read-recording.ts";
export type { Manifest, Warning } from "./recording/spec.ts";

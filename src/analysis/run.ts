/** What a comparison keeps of a recording: its numbers, and what they depend on besides the program. */
import type { Recording } from "../recording/model.ts";
import type { Measurement, Warning, Workload } from "../recording/spec.ts";
import { analyse } from "./analyse.ts";
import { measure } from "./measure.ts";
import type { Report } from "./report-types.ts";

export interface Run {
  readonly recording: string;
  readonly metrics: readonly Measurement[];
  readonly durationMs: number;
  readonly complete: boolean;
  readonly redacted: boolean;
  readonly command: readonly string[];
  /** Of the program's own isolate; "" unknown. */
  readonly node: string;
  readonly v8: string;
  readonly execArgv: readonly string[];
  readonly heapLimitBytes: number | null;
  readonly semiSpaceBytes: number | null;
  readonly collectors: Report["recording"]["collectors"];
  readonly machine: Recording["manifest"]["machine"];
  readonly workload: Pick<Workload, "name" | "options"> | null;
  readonly warnings: readonly Warning[];
}

/** The runs that stand in one column of a comparison: several are runs of the same thing. */
export interface Column {
  readonly name: string;
  readonly runs: readonly Run[];
}

/** One run for a comparison. `report` is that of the recording, where it is there already. */
export function runOf(recording: Recording, report: Report = analyse(recording)): Run {
  const { manifest, isolates } = recording;
  const { command, node, v8, heapLimitBytes, semiSpaceBytes, collectors, complete, durationMs, warnings } =
    report.recording;
  const main = isolates.find((isolate) => isolate.kind === "main") ?? isolates[0];
  return {
    recording: recording.path,
    metrics: measure(recording, report.summary),
    durationMs,
    complete,
    redacted: manifest.options.redacted,
    command,
    node,
    v8,
    execArgv: main?.execArgv ?? [],
    heapLimitBytes,
    semiSpaceBytes,
    collectors,
    machine: manifest.machine,
    workload: recording.workload,
    warnings,
  };
}

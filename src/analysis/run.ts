/** What a comparison keeps of a recording: its numbers, and what they depend on besides the program. */
import type { Recording } from "../recording/model.ts";
import type { Measurement, Warning, Workload } from "../recording/spec.ts";
import { analyse } from "./analyse.ts";
import { measure } from "./measure.ts";
import { partOf } from "./part-of.ts";
import { type RegimeFacts, regimeOf } from "./regimes.ts";
import type { Report } from "./report-types.ts";

export interface Run {
  readonly recording: string;
  readonly metrics: readonly Measurement[];
  /** Of what is compared. */
  readonly durationMs: number;
  /** Of what its workload does not call measured. */
  readonly leftOutMs: number;
  readonly complete: boolean;
  readonly redacted: boolean;
  readonly command: readonly string[];
  /** Of the program's own isolate; "" unknown. */
  readonly node: string;
  readonly v8: string;
  readonly execArgv: readonly string[];
  readonly heapLimitBytes: number | null;
  readonly semiSpaceBytes: number | null;
  /** Of the program's own isolate; null: too little was collected to say. */
  readonly regime: RegimeFacts | null;
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

/** What a comparison is about: the part that the recording's workload calls measured, else all of it. */
export function measuredPart(recording: Recording): Recording {
  const measured = recording.workload?.measured ?? null;
  if (measured === null) return recording;
  const fromMs = Math.max(0, measured.fromMs);
  const toMs = Math.min(recording.durationMs, measured.toMs);
  return fromMs < toMs ? partOf(recording, fromMs, toMs) : recording;
}

/** One run for a comparison. */
export function runOf(whole: Recording): Run {
  const recording = measuredPart(whole);
  const report = analyse(recording);
  const { manifest, isolates } = recording;
  const { command, node, v8, heapLimitBytes, semiSpaceBytes, collectors, complete, durationMs, warnings } =
    report.recording;
  const main = isolates.find((isolate) => isolate.kind === "main") ?? isolates[0];
  return {
    recording: recording.path,
    metrics: measure(recording, report.summary),
    durationMs,
    leftOutMs: whole.durationMs - durationMs,
    complete,
    redacted: manifest.options.redacted,
    command,
    node,
    v8,
    execArgv: main?.execArgv ?? [],
    heapLimitBytes,
    semiSpaceBytes,
    regime: main === undefined ? null : regimeOf(main),
    collectors,
    machine: manifest.machine,
    workload: recording.workload,
    warnings,
  };
}

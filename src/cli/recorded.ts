/** What `--json` of record, attach and recover says: docs/recorded.schema.json. */
import { existsSync } from "node:fs";
import type { Fired } from "../recorder/flight/evaluate.ts";
import type { WrittenDump } from "../recorder/flight/flight.ts";
import type { Exit } from "../recorder/record.ts";
import type { Warning } from "../recording/spec.ts";

interface RecordedDump {
  /** Folder of a recording, absolute. */
  readonly recording: string;
  readonly bytes: number;
  /** Null: there is no pause in it. */
  readonly worstPauseMs: number | null;
  /** In order of time; `atMs` from the flight recorder's start. */
  readonly triggers: readonly Fired[];
  /** How many more fired. */
  readonly untold: number;
}

export interface Recorded {
  readonly schema: "gcspike.recorded/1";
  /** Its folder, absolute; null where there is none: a flight recorder has dumps. */
  readonly recording: string | null;
  readonly durationMs: number;
  readonly programEnded: boolean;
  /** Null where gcspike did not start the program. */
  readonly exit: Exit | null;
  /** Those that are there, the oldest first. */
  readonly dumps: readonly RecordedDump[];
  /** What is missing in the recording, and why. */
  readonly warnings: readonly Warning[];
}

/** A recording that has ended. */
interface EndedRecording {
  readonly path: string;
  readonly durationMs: number;
  readonly programEnded: boolean;
  readonly warnings: readonly Warning[];
  readonly exit?: Exit;
  readonly dumps?: readonly WrittenDump[];
}

function dumpOf({ path, bytes, worstMs, fired, untold }: WrittenDump): RecordedDump {
  return { recording: path, bytes, worstPauseMs: worstMs > 0 ? worstMs : null, triggers: fired, untold };
}

/** `isFlight`: the folder at `path` is that of a flight recorder. */
export function recorded(ended: EndedRecording, isFlight = false): Recorded {
  const { path, durationMs, programEnded, exit = null, dumps = [], warnings } = ended;
  return {
    schema: "gcspike.recorded/1",
    recording: !isFlight && existsSync(path) ? path : null,
    durationMs,
    programEnded,
    exit,
    dumps: dumps.map(dumpOf),
    warnings,
  };
}

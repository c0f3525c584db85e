/** `gcspike record`: progress while it runs, a summary at the end. */
import { GcspikeError, usageError } from "../lib/errors.ts";
import { programName } from "../lib/program-name.ts";
import { plainText } from "../lib/text.ts";
import { formatMs } from "../lib/units.ts";
import type { FlightOptions } from "../recorder/flight/flight-options.ts";
import { type RecordResult, record } from "../recorder/record.ts";
import { jsonBytes } from "../report/json.ts";
import type { FlagWords } from "../workload/flags.ts";
import { checkWords, type WorkloadSpec } from "../workload/workloads.ts";
import { requireWritable, writeReportFile } from "./files.ts";
import { dumpLine, startArmedLine, summariseFlight } from "./flight-output.ts";
import { haveProbe } from "./have-native.ts";
import type { LiveLine } from "./live-line.ts";
import { recorded } from "./recorded.ts";
import { startLiveLine, summarise } from "./recording-summary.ts";
import type { Terminal } from "./terminal.ts";

export interface RecordFlags {
  readonly output?: string;
  /** ms */
  readonly spike?: number;
  readonly collector?: "probe" | "perf_hooks";
  readonly phases: boolean;
  readonly allocations: boolean;
  readonly nodeArgs?: string;
  readonly liveHeap?: boolean;
  readonly cpu?: boolean;
  readonly redact?: boolean;
  readonly flight?: FlightOptions | undefined;
  /** A file. */
  readonly json?: string;
}

function howItEnded({ exit }: RecordResult): string {
  if (exit.signal !== null) return ` by ${exit.signal}`;
  return exit.code === 0 ? "" : ` with exit code ${exit.code}`;
}

/** Records one command. Returns the target's own exit code, or 128 + its signal. */
export async function runRecord(command: readonly string[], flags: RecordFlags, terminal: Terminal): Promise<number> {
  const { spike, json, ...options } = flags;
  if (json !== undefined) requireWritable(json);
  const name = programName(command);
  if (options.collector !== "perf_hooks") await haveProbe(terminal);
  let line: LiveLine | undefined;
  const result = await record(
    { ...options, command, spikeMs: spike },
    {
      started: ({ path, pid, flight }) => {
        if (!terminal.interactive) return;
        line = flight === null ? startLiveLine(terminal, name, path, pid) : startArmedLine(terminal, name, pid, flight);
      },
      dumped: (dump) => terminal.err(dumpLine(dump)),
      ended: () => line?.stop(),
    },
  );
  // First: where the program left its last line open, the spinner would take that line away.
  terminal.err("\n");
  const ended = `${plainText(name, 40)} ended${howItEnded(result)} after ${formatMs(result.durationMs)}`;
  terminal.err(flags.flight === undefined ? await summarise(ended, result, terminal) : summariseFlight(ended, result));
  if (json !== undefined) writeJson(json, result, flags.flight !== undefined);
  return result.exitCode;
}

/** Where that fails, the exit code is still the program's. */
function writeJson(path: string, result: RecordResult, isFlight: boolean): void {
  try {
    writeReportFile(path, jsonBytes(recorded({ ...result, programEnded: true }, isFlight)));
  } catch (error) {
    if (!(error instanceof GcspikeError)) throw error;
    const { code, message, kept, hint, cause } = error;
    throw new GcspikeError(code, message, { kept, hint, cause, exitCode: result.exitCode });
  }
}

/** Records a built-in workload. Returns its exit code: 1 where it did not hold its rate. */
export async function runRecordWorkload(
  workload: WorkloadSpec,
  given: FlagWords,
  command: readonly string[],
  flags: RecordFlags,
  terminal: Terminal,
): Promise<number> {
  if (command.length > 0) {
    throw usageError(
      `There is a workload and a command to record, "${command[0]}".`,
      "Leave out --workload, or the command.",
    );
  }
  checkWords(workload, given);
  const { withWorkload } = await import("./workload-command.ts");
  return withWorkload(workload, given, "one", terminal, (commandOf) => runRecord(commandOf(given), flags, terminal));
}

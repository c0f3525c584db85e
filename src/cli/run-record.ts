/** `gcspike record`: progress while it runs, a summary at the end. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { usageError } from "../lib/errors.ts";
import { programName } from "../lib/program-name.ts";
import { shellWord } from "../lib/shell.ts";
import { plainText, plural } from "../lib/text.ts";
import { formatBytes, formatMs } from "../lib/units.ts";
import { type LiveState, LiveTail } from "../recorder/live.ts";
import { type RecordResult, record } from "../recorder/record.ts";
import type { Warning } from "../recording/spec.ts";
import type { FlagWords } from "../workload/flags.ts";
import { checkWords, type WorkloadSpec } from "../workload/workloads.ts";
import { LiveLine } from "./live-line.ts";
import { withSpinner } from "./spinner.ts";
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
}

/** The path as the reader would type it, but for quotes; not like an option. */
function shortPath(path: string): string {
  const near = relative(process.cwd(), path);
  if (near.startsWith("..")) return path;
  return near.startsWith("-") ? `./${near}` : near;
}

function howItEnded({ exit }: RecordResult): string {
  if (exit.signal !== null) return ` by ${exit.signal}`;
  return exit.code === 0 ? "" : ` with exit code ${exit.code}`;
}

/** "01:12", "1:02:05". */
export function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  return `${hours > 0 ? `${hours}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** `recording server.js (pid 4121)   01:12   pauses 318   worst 41.8 ms   heap 212 MiB` */
export function describeLive(name: string, pid: number, elapsedMs: number, state: LiveState): string {
  const parts = [`  recording ${plainText(name, 40)} (pid ${pid})`, formatElapsed(elapsedMs), `pauses ${state.pauses}`];
  if (state.pauses > 0) parts.push(`worst ${formatMs(state.worstMs)}`);
  if (state.heapBytes !== null) parts.push(`heap ${formatBytes(state.heapBytes)}`);
  return parts.join("   ");
}

function startLiveLine(terminal: Terminal, name: string, path: string, pid: number): LiveLine {
  const tail = new LiveTail(path);
  const startMs = performance.now();
  const line = new LiveLine(terminal, () => describeLive(name, pid, performance.now() - startMs, tail.read()));
  line.start();
  return line;
}

/** Reading and analysing more than this would hold the shell's prompt back for seconds. */
const MAX_SUMMARY_BYTES = 128 * 1024 * 1024;

function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function warningLines(warnings: readonly Warning[]): string {
  return warnings
    .map(({ message, hint }) => `  ${plainText(message, 400)}${hint === undefined ? "" : ` ${plainText(hint, 400)}`}\n`)
    .join("");
}

const PROFILES: readonly (readonly [suffix: string, name: string])[] = [
  [".live.pb.gz", "Live heap"],
  [".wall.pb.gz", "Wall-clock time"],
];

/** Where the profiles are that were asked for; of many isolates the first. */
function profileLines(folder: string): string {
  const files = readdirSync(folder).sort();
  return PROFILES.map(([suffix, name]) => {
    const [first, ...others] = files.filter((file) => file.endsWith(suffix));
    if (first === undefined) return "";
    const more = others.length === 0 ? "" : `, and ${plural(others.length, "more isolate")}`;
    return `  ${name}:  go tool pprof -top ${shellWord(shortPath(join(folder, first)))}${more}\n`;
  }).join("");
}

/** For a recording that was not read: how the program ended, where the recording is, and why there is no more. */
function shortSummary(name: string, result: RecordResult, why: string): string {
  const recording = shellWord(shortPath(result.path));
  return `  ${plainText(name, 40)} ended${howItEnded(result)} after ${formatMs(result.durationMs)}: ${recording}\n${warningLines(result.warnings)}\n  ${why}  gcspike report ${recording}\n`;
}

/** What is printed at the end. A recording that cannot be summed up is still a recording: this never throws. */
async function summarise(name: string, result: RecordResult, terminal: Terminal): Promise<string> {
  if (!existsSync(result.path)) {
    return `  ${plainText(name, 40)} ended${howItEnded(result)} after ${formatMs(result.durationMs)}.\n${warningLines(result.warnings)}`;
  }
  try {
    const bytes = bytesOf(result.path);
    if (bytes > MAX_SUMMARY_BYTES) return shortSummary(name, result, `${formatBytes(bytes)} recorded. Full story:`);
    const { loadView } = await import("./load-view.ts");
    const { renderSummary } = await import("../report/terminal.ts");
    const view = await withSpinner(terminal, "Reading the recording", () => loadView(result.path, {}));
    const told = new Set(view.report.recording.warnings.map(({ message }) => message));
    const options = { color: terminal.errColor, width: terminal.width(), recording: shortPath(result.path) };
    const untold = result.warnings.filter(({ message }) => !told.has(message));
    return renderSummary(view, options) + profileLines(result.path) + warningLines(untold);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return shortSummary(name, result, `It could not be summed up (${plainText(reason, 200)}). Try:`);
  }
}

/** Records one command. Returns the target's own exit code, or 128 + its signal. */
export async function runRecord(command: readonly string[], flags: RecordFlags, terminal: Terminal): Promise<number> {
  const { spike, ...options } = flags;
  const name = programName(command);
  let line: LiveLine | undefined;
  const result = await record(
    { ...options, command, spikeMs: spike },
    {
      started: ({ path, pid }) => {
        if (terminal.interactive) line = startLiveLine(terminal, name, path, pid);
      },
      ended: () => line?.stop(),
    },
  );
  // First: where the program left its last line open, the spinner would take that line away.
  terminal.err("\n");
  terminal.err(await summarise(name, result, terminal));
  return result.exitCode;
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

/** `gcspike record`: progress while it runs, a summary at the end. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { plainText } from "../lib/text.ts";
import { formatBytes, formatMs } from "../lib/units.ts";
import { programName } from "../recorder/folder.ts";
import { type LiveState, LiveTail } from "../recorder/live.ts";
import { type RecordResult, record } from "../recorder/record.ts";
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

/** The path as the reader would type it. */
function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}

function ending(name: string, result: RecordResult): string {
  const { code, signal } = result.exit;
  const how = signal !== null ? ` by ${signal}` : code === 0 ? "" : ` with exit code ${code}`;
  return `${name} ended${how} after ${formatMs(result.durationMs)}. Recorded in ${shortPath(result.path)}`;
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

/** The few lines at the end. A recording that cannot be summed up is still a recording: the exit code stays the target's. */
async function summarise(result: RecordResult, terminal: Terminal): Promise<string> {
  const recording = shortPath(result.path);
  const next = `Full story:  gcspike report ${recording}`;
  if (!existsSync(result.path)) return "";
  try {
    const bytes = bytesOf(result.path);
    if (bytes > MAX_SUMMARY_BYTES) return `  ${formatBytes(bytes)} recorded. ${next}\n`;
    const { loadView } = await import("./load-view.ts");
    const { renderSummary } = await import("../report/terminal.ts");
    const view = await withSpinner(terminal, "Reading the recording", () => loadView(result.path, undefined));
    return renderSummary(view, { color: terminal.errColor, width: terminal.width(), recording });
  } catch (error) {
    return `  The recording could not be summed up: ${error instanceof Error ? error.message : String(error)}\n  ${next}\n`;
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
  terminal.err(`\n${ending(plainText(name, 40), result)}\n`);
  for (const { message, hint } of result.warnings) {
    terminal.err(`  ${plainText(message, 400)}${hint === undefined ? "" : ` ${hint}`}\n`);
  }
  terminal.err(await summarise(result, terminal));
  return result.exitCode;
}

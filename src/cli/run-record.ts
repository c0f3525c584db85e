/** `gcspike record`: progress while it runs, a summary at the end. */
import { basename, relative } from "node:path";
import { formatMs } from "../lib/units.ts";
import { programName } from "../recorder/folder.ts";
import { type RecordResult, record } from "../recorder/record.ts";
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

/** Records one command. Returns the target's own exit code, or 128 + its signal. */
export async function runRecord(command: readonly string[], flags: RecordFlags, terminal: Terminal): Promise<number> {
  const { spike, ...options } = flags;
  const result = await record({ ...options, command, spikeMs: spike });
  terminal.err(`\n${ending(basename(programName(command)), result)}\n`);
  for (const { message, hint } of result.warnings)
    terminal.err(`  ${message}${hint === undefined ? "" : ` ${hint}`}\n`);
  return result.exitCode;
}

/** What is printed while a recording grows, and when it has ended. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { shellWord } from "../lib/shell.ts";
import { plainText, plural } from "../lib/text.ts";
import { formatBytes, formatMs } from "../lib/units.ts";
import { type LiveState, LiveTail } from "../recorder/live.ts";
import type { Warning } from "../recording/spec.ts";
import { LiveLine } from "./live-line.ts";
import { withSpinner } from "./spinner.ts";
import type { Terminal } from "./terminal.ts";

/** The path as the reader would type it, but for quotes; not like an option. */
export function shortPath(path: string): string {
  const near = relative(process.cwd(), path);
  if (near.startsWith("..")) return path;
  return near.startsWith("-") ? `./${near}` : near;
}

/** "01:12", "1:02:05". */
export function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  return `${hours > 0 ? `${hours}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** `recording server.js (pid 4121)   01:12   pauses 318   worst 41.8 ms   heap 212 MiB`; `doing` is its first word. */
export function describeLive(doing: string, name: string, pid: number, elapsedMs: number, state: LiveState): string {
  const parts = [`  ${doing} ${plainText(name, 40)} (pid ${pid})`, formatElapsed(elapsedMs), `pauses ${state.pauses}`];
  if (state.pauses > 0) parts.push(`worst ${formatMs(state.worstMs)}`);
  if (state.heapBytes !== null) parts.push(`heap ${formatBytes(state.heapBytes)}`);
  return parts.join("   ");
}

export function startLiveLine(terminal: Terminal, name: string, path: string, pid: number): LiveLine {
  const tail = new LiveTail(path);
  const startMs = performance.now();
  const line = new LiveLine(terminal, () =>
    describeLive("recording", name, pid, performance.now() - startMs, tail.read()),
  );
  line.start();
  return line;
}

/** Reading and analysing more than this would hold the shell's prompt back for seconds. */
const MAX_SUMMARY_BYTES = 128 * 1024 * 1024;

function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

export function warningLines(warnings: readonly Warning[]): string {
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

/** A recording that has ended. */
export interface EndedRecording {
  readonly path: string;
  readonly warnings: readonly Warning[];
}

/** For a recording that was not read: how it ended, where it is, and why there is no more. */
function shortSummary(ended: string, { path, warnings }: EndedRecording, why: string): string {
  const recording = shellWord(shortPath(path));
  return `  ${ended}: ${recording}\n${warningLines(warnings)}\n  ${why}  gcspike report ${recording}\n`;
}

/**
 * What is printed at the end; `ended` says how it did, without a full stop. A recording that cannot be summed up is still a recording:
 * this never throws.
 */
export async function summarise(ended: string, recorded: EndedRecording, terminal: Terminal): Promise<string> {
  const { path, warnings } = recorded;
  if (!existsSync(path)) return `  ${ended}.\n${warningLines(warnings)}`;
  try {
    const bytes = bytesOf(path);
    if (bytes > MAX_SUMMARY_BYTES) return shortSummary(ended, recorded, `${formatBytes(bytes)} recorded. Full story:`);
    const { loadView } = await import("./load-view.ts");
    const { renderSummary } = await import("../report/terminal.ts");
    const view = await withSpinner(terminal, "Reading the recording", () => loadView(path, {}));
    const told = new Set(view.report.recording.warnings.map(({ message }) => message));
    const options = { color: terminal.errColor, width: terminal.width(), recording: shortPath(path) };
    const untold = warnings.filter(({ message }) => !told.has(message));
    return renderSummary(view, options) + profileLines(path) + warningLines(untold);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return shortSummary(ended, recorded, `It could not be summed up (${plainText(reason, 200)}). Try:`);
  }
}

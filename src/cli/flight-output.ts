/** What a flight recorder says: that it is armed, what it wrote, and which of it to read. */
import { shellWord } from "../lib/shell.ts";
import { plainText, plural } from "../lib/text.ts";
import { DEATH_TRIGGER, foremost } from "../lib/triggers.ts";
import { formatBytes } from "../lib/units.ts";
import type { FlightRecorder, FlightState, WrittenDump } from "../recorder/flight/flight.ts";
import type { Warning } from "../recording/spec.ts";
import { LiveLine } from "./live-line.ts";
import { describeLive, shortPath, warningLines } from "./recording-summary.ts";
import type { Terminal } from "./terminal.ts";

/** `armed for server.js (pid 4121)   01:12   pauses 318   worst 41.8 ms   heap 212 MiB   dumps 2` */
export function describeArmed(name: string, pid: number, elapsedMs: number, state: FlightState): string {
  return `${describeLive("armed for", name, pid, elapsedMs, state)}   dumps ${state.dumps}`;
}

export function startArmedLine(terminal: Terminal, name: string, pid: number, flight: FlightRecorder): LiveLine {
  const startMs = performance.now();
  const line = new LiveLine(terminal, () => describeArmed(name, pid, performance.now() - startMs, flight.state()));
  line.start();
  return line;
}

/** `pause>50ms: a scavenge of 62 ms`, and how many more fired. */
function reasons({ fired, untold }: WrittenDump): string {
  const why = foremost(fired);
  const others = fired.length - 1 + untold;
  const more = others === 0 ? "" : `, and ${plural(others, "more trigger")}`;
  return why === undefined ? "" : `${why.trigger}: ${plainText(why.what, 200)}${more}`;
}

/** One line for a dump: what, where, how large. */
export function dumpLine(dump: WrittenDump): string {
  return `  ${reasons(dump)}\n    ${shellWord(shortPath(dump.path))}  (${formatBytes(dump.bytes)})\n`;
}

/** The program's death tells most; else the longest pause. */
function worst(dumps: readonly WrittenDump[]): WrittenDump | undefined {
  const death = dumps.find(({ fired }) => fired.some(({ trigger }) => trigger === DEATH_TRIGGER));
  return death ?? dumps.toSorted((a, b) => b.worstMs - a.worstMs)[0];
}

/** What is printed at the end; `ended` says how it came to it, without a full stop. */
export function summariseFlight(
  ended: string,
  { dumps, warnings }: { readonly dumps: readonly WrittenDump[]; readonly warnings: readonly Warning[] },
): string {
  if (dumps.length === 0) return `  ${ended}. No trigger fired: nothing was kept.\n${warningLines(warnings)}`;
  const read = worst(dumps);
  const command = read === undefined ? "" : `\n  Read the worst:  gcspike report ${shellWord(shortPath(read.path))}\n`;
  return `  ${ended}. ${plural(dumps.length, "dump")}:\n${dumps.map(dumpLine).join("")}${warningLines(warnings)}${command}`;
}

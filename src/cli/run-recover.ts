/** `gcspike recover`: a recording of what a flight recorder that was killed had kept. */
import { ExitCode } from "../lib/errors.ts";
import { shellWord } from "../lib/shell.ts";
import { recoverFlight } from "../recorder/flight/recover.ts";
import { shortPath, warningLines } from "./recording-summary.ts";
import type { Terminal } from "./terminal.ts";

/** Returns exit code 0. */
export async function runRecover(folder: string, terminal: Terminal): Promise<number> {
  const { path, warnings, programRuns } = await recoverFlight(folder);
  const runs = programRuns ? "  The program still runs: its ring stays.\n" : "";
  terminal.err(`${warningLines(warnings)}${runs}  Read it:  gcspike report ${shellWord(shortPath(path))}\n`);
  return ExitCode.ok;
}

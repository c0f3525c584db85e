/** `gcspike recover`: a recording of what a flight recorder that was killed had kept. */
import { ExitCode } from "../lib/errors.ts";
import { shellWord } from "../lib/shell.ts";
import { recoverFlight } from "../recorder/flight/recover.ts";
import { printJson } from "./json-output.ts";
import { recorded } from "./recorded.ts";
import { shortPath, warningLines } from "./recording-summary.ts";
import type { Terminal } from "./terminal.ts";

/** Returns exit code 0. */
export async function runRecover(folder: string, json: true | undefined, terminal: Terminal): Promise<number> {
  const result = await recoverFlight(folder);
  const { path, warnings, programRuns } = result;
  const runs = programRuns ? "  The program still runs: its ring stays.\n" : "";
  terminal.err(`${warningLines(warnings)}${runs}  Read it:  gcspike report ${shellWord(shortPath(path))}\n`);
  printJson(json, () => recorded({ ...result, programEnded: !programRuns }), terminal);
  return ExitCode.ok;
}

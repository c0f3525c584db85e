/** `gcspike compare --workload`: records the modes of a workload, interleaved, and compares them. */
import { existsSync, rmdirSync } from "node:fs";
import { join, relative } from "node:path";
import { GcspikeError, usageError } from "../lib/errors.ts";
import { shellWord } from "../lib/shell.ts";
import { createGroupFolder } from "../recorder/folder.ts";
import { record } from "../recorder/record.ts";
import { type FlagWords, wholeNumber } from "../workload/flags.ts";
import { roomHere } from "../workload/room.ts";
import { requireRoom } from "../workload/txpool/fits.ts";
import { MODES, parseTxpool } from "../workload/txpool/options.ts";
import { checkWords, WORKLOADS } from "../workload/workloads.ts";
import type { ColumnFolders } from "./compare-columns.ts";
import { requireWritable } from "./files.ts";
import { haveProbe } from "./have-native.ts";
import { chooseOutput, type FormatFlags } from "./report-formats.ts";
import { PAGE_EXAMPLE, runCompare } from "./run-compare.ts";
import { withSpinner } from "./spinner.ts";
import { stoppable } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";
import { withWorkload } from "./workload-command.ts";

export interface ModesFlags extends FormatFlags {
  /** "pooled,naive,mmap" */
  readonly modes?: string;
  readonly runs?: string;
}

const DEFAULT_RUNS = "3";
const MOST_RUNS = 100;

/** In their order. @throws a usage error for one that is not there, or is there twice */
function parseModes(text: string): readonly string[] {
  const modes = text.split(",");
  const unknown = modes.find((mode) => !(MODES as readonly string[]).includes(mode));
  if (unknown !== undefined) {
    throw usageError(`--modes ${text} names a mode "${unknown}".`, `There are ${MODES.join(", ")}.`);
  }
  if (new Set(modes).size < modes.length) throw usageError(`--modes ${text} names a mode twice.`, "Name each once.");
  if (modes.length < 2) throw usageError(`--modes ${text} leaves nothing to compare.`, "Name two or three.");
  return modes;
}

/** Prints the comparison, and writes it as HTML beside the recordings. Returns 0, also where a mode did not hold its rate. */
export async function runCompareModes(
  recordings: readonly string[],
  given: FlagWords,
  flags: ModesFlags,
  terminal: Terminal,
): Promise<number> {
  const workload = WORKLOADS.txpool;
  if (recordings.length > 0) {
    throw usageError(
      `There is a workload and a recording to compare, "${recordings[0]}".`,
      "Leave out --workload, or the recordings.",
    );
  }
  // Says now what is wrong with it, not in ten minutes.
  chooseOutput(flags, terminal.outIsTerminal, PAGE_EXAMPLE);
  if (flags.output !== undefined) requireWritable(flags.output);
  const modes = parseModes(flags.modes ?? MODES.join(","));
  const runs = wholeNumber("runs", flags.runs ?? DEFAULT_RUNS, 1, MOST_RUNS);
  for (const mode of modes) {
    checkWords(workload, { ...given, mode });
    requireRoom(parseTxpool({ ...given, mode }), roomHere());
  }
  await haveProbe(terminal);
  const folder = relative(process.cwd(), createGroupFolder("txpool-modes", new Date()));
  const columns = modes.map((mode) => ({ name: mode, folders: [] as string[] }));
  try {
    const late = await withWorkload(workload, { ...given, mode: modes[0] }, "several", terminal, (commandOf) =>
      recordRuns(columns, runs, folder, (mode) => commandOf({ ...given, mode }), terminal),
    );
    return await finish(columns, flags, folder, late, terminal);
  } finally {
    removeEmpty(folder);
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It has recordings.
  }
}

/** Records each mode `runs` times, in turn, and adds the folders to its column. Returns the runs that did not hold the rate. */
function recordRuns(
  columns: readonly { readonly name: string; readonly folders: string[] }[],
  runs: number,
  folder: string,
  commandOf: (mode: string) => readonly string[],
  terminal: Terminal,
): Promise<readonly string[]> {
  return stoppable(async (throwIfStopped) => {
    const late: string[] = [];
    for (let run = 1; run <= runs; run++) {
      for (const { name, folders } of columns) {
        const output = join(folder, `${name}-${run}.gcspike`);
        const text = `Run ${run} of ${runs}: ${name}`;
        if (!terminal.interactive) terminal.err(`${text}\n`);
        const command = [...commandOf(name), "--quiet"];
        const { exitCode } = await withSpinner(terminal, text, () => record({ command, output }));
        throwIfStopped(keptIn(folder));
        if (exitCode > 1) throw failed(text, exitCode, folder);
        if (exitCode === 1) late.push(text);
        folders.push(output);
      }
    }
    return late;
  });
}

const keptIn = (folder: string): string => `What was recorded is in ${folder}.`;

function failed(text: string, exitCode: number, folder: string): GcspikeError {
  return new GcspikeError("workload", `${text} ended with exit code ${exitCode}.`, {
    kept: keptIn(folder),
    hint: "Run the mode alone to see why: gcspike simulate txpool --mode ...",
  });
}

async function finish(
  columns: readonly ColumnFolders[],
  flags: FormatFlags,
  folder: string,
  late: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const page = join(folder, "compare.html");
  try {
    await runCompare(columns, { format: "html", output: page }, terminal);
    terminal.err("\n");
    return await runCompare(columns, flags, terminal);
  } finally {
    for (const run of late) terminal.err(`  ${run} did not hold the rate: see throughput, latency and behind.\n`);
    const pictures = existsSync(page) ? `  The same with pictures:  ${shellWord(page)}\n` : "";
    terminal.err(`\n${pictures}  The recordings:          ${shellWord(folder)}\n`);
  }
}

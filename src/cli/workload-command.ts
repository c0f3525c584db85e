/** A workload as a command of its own process, with what must be there before it starts. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type GcspikeError, usageError } from "../lib/errors.ts";
import { packageRoot } from "../lib/package.ts";
import { abandonedFolders, makeTemporaryFolder } from "../lib/temporary-folder.ts";
import { plainText, plural } from "../lib/text.ts";
import { formatBytes } from "../lib/units.ts";
import { commandWords, type FlagWords } from "../workload/flags.ts";
import { roomHere } from "../workload/room.ts";
import {
  arrivalsFailed,
  END_FILE,
  FILE_BYTES,
  MEAN_ARRIVAL_BYTES,
  MOST_FILES,
  reportFailure,
} from "../workload/txpool/arrivals.ts";
import { requireRoom } from "../workload/txpool/fits.ts";
import { parseTxpool, TXPOOL_FLAGS, type TxpoolOptions } from "../workload/txpool/options.ts";
import type { WorkloadSpec } from "../workload/workloads.ts";
import { withSpinner } from "./spinner.ts";
import { stoppable } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

const STEM = "gcspike-arrivals";
const LOOK_EVERY_MS = 50;

function entry(name: string): string {
  return join(packageRoot(), "dist", "workload", `${name}.js`);
}

/** A program and its arguments. */
type WorkloadCommand = readonly string[];

/** Several read the same arrivals, so that all of them must be there; one does with those of the next minutes. */
type Runs = "one" | "several";

/**
 * Makes what the workload needs, calls `use`, and removes it again. `commandOf` gives the command that runs the workload with
 * the words of one run: of those that say what arrives, all runs have the same. `runs`: how many there may be.
 */
export async function withWorkload<T>(
  workload: WorkloadSpec,
  words: FlagWords,
  runs: Runs,
  terminal: Terminal,
  use: (commandOf: (words: FlagWords) => WorkloadCommand) => Promise<T>,
): Promise<T> {
  const command = (own: FlagWords, more: readonly string[]): WorkloadCommand => [
    process.execPath,
    ...workload.nodeFlags,
    entry(workload.name),
    ...commandWords(workload.flags, own),
    ...more,
  ];
  if (workload.name !== "txpool") return use((own) => command(own, []));
  return withArrivals(words, runs, terminal, (arrivals) =>
    use((own) => command(own, ["--arrivals", arrivals.folder, ...(arrivals.keep ? ["--keep-arrivals"] : [])])),
  );
}

interface Arrivals {
  readonly folder: string;
  /** All of them are there: several runs may read them. */
  readonly keep: boolean;
}

async function withArrivals<T>(
  words: FlagWords,
  runs: Runs,
  terminal: Terminal,
  use: (arrivals: Arrivals) => Promise<T>,
): Promise<T> {
  const options = parseTxpool(words);
  requireRoom(options, roomHere());
  const most = runs === "one" ? MOST_FILES : Number.POSITIVE_INFINITY;
  requireDisk(options, most);
  removeAbandoned();
  const folder = makeTemporaryFolder(STEM);
  let maker: ChildProcess | undefined;
  let failure: GcspikeError | undefined;
  return stoppable(async (throwIfStopped) => {
    const count = (options.tps * options.durationMs) / 1000;
    const text = `Making ${plural(Math.round(count), "signed transaction")}`;
    if (!terminal.interactive) terminal.err(`${text}\n`);
    maker = startMaker(folder, most, words, (why) => {
      failure = arrivalsFailed(folder, why);
    });
    const keep = await withSpinner(terminal, text, () =>
      waitForArrivals(folder, most, () => {
        throwIfStopped("Nothing was run.");
        if (failure !== undefined) throw failure;
      }),
    );
    return await use({ folder, keep });
  }).finally(() => {
    maker?.removeAllListeners().kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
}

/**
 * Runs beside gcspike, unrecorded, and ends with it: it watches its stdin. A terminal's Ctrl-C does not reach it, or who is
 * stopped by that would be told that the transactions failed. Calls `failed` where they do, and tells who reads the folder.
 */
function startMaker(folder: string, most: number, words: FlagWords, failed: (why: string) => void): ChildProcess {
  const program = [entry("make-arrivals"), folder, String(most), ...commandWords(TXPOOL_FLAGS, words)];
  const maker = spawn(process.execPath, program, { stdio: ["pipe", "ignore", "pipe"], detached: true });
  let complaint = "";
  maker.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(0, 4000);
  });
  maker.on("error", (error) => {
    complaint = String(error);
  });
  return maker.once("close", (code, signal) => {
    if (code === 0) return;
    const line = complaint.split("\n").find((one) => /^\w*Error: /.test(one));
    const why = plainText(line ?? `their process ended by ${signal ?? `exit code ${code}`}`);
    failed(why);
    reportFailure(folder, why);
  });
}

/** Until all arrivals are there (true), or `most` files (false). `check` throws what ends the waiting. */
async function waitForArrivals(folder: string, most: number, check: () => void): Promise<boolean> {
  for (;;) {
    check();
    if (existsSync(join(folder, END_FILE))) return true;
    if (readdirSync(folder).length >= most) return false;
    await setTimeout(LOOK_EVERY_MS);
  }
}

/** @throws a usage error where the folder for temporary files has no room for the arrivals */
function requireDisk({ tps, durationMs }: TxpoolOptions, most: number): void {
  const bytes = Math.min(((tps * durationMs) / 1000) * MEAN_ARRIVAL_BYTES, most * FILE_BYTES);
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bytes <= bavail * bsize) return;
  throw usageError(
    `The transactions take ${formatBytes(bytes)} while the workload runs, and ${tmpdir()} has ${formatBytes(bavail * bsize)} left.`,
    "Name another folder with TMPDIR, or choose a lower --tps or a shorter --duration.",
  );
}

/** Of a gcspike that was killed. */
function removeAbandoned(): void {
  for (const folder of abandonedFolders(STEM)) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Something in it is another user's: theirs to remove.
    }
  }
}

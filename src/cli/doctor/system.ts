/** What the checks of `gcspike doctor` ask of the machine. The real one stands here, tests bring their own. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineName } from "../../lib/native-file.ts";
import { packageRoot } from "../../lib/package.ts";
import { makeTemporaryFolder } from "../../lib/temporary-folder.ts";
import { record } from "../../recorder/record.ts";
import { readRecording } from "../../recording/read-recording.ts";
import { whyNotCompiled } from "../have-native.ts";

/** What a short recording of a program with a known number of collections gave. */
export interface TrialRecording {
  readonly pauses: number;
  readonly collectors: readonly string[];
  readonly warnings: readonly string[];
}

export interface ProgramResult {
  /** null: ended by a signal, or not started. */
  readonly code: number | null;
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface System {
  readonly platform: string;
  readonly arch: string;
  /** As names of binaries say it: "linux-x64", "linux-musl-x64". */
  readonly machine: string;
  readonly nodeVersion: string;
  readonly abi: string;
  /** Why no probe could be compiled for this Node; null where none had to be. */
  readonly compilerSaid: string | null;
  readonly currentFolder: string;
  readonly temporaryFolder: string;
  /** null where the file cannot be read. */
  readonly readText: (path: string) => string | null;
  readonly exists: (path: string) => boolean;
  readonly isWritable: (path: string) => boolean;
  /** Bytes that this user may still write; null where the file system does not say. */
  readonly freeBytes: (folder: string) => number | null;
  /** Runs a program of a few seconds at most, in gcspike's own folder. */
  readonly run: (program: string, words: readonly string[]) => ProgramResult;
  readonly remove: (path: string) => void;
  /** Records a small program. Throws where that fails. */
  readonly tryRecording: (collector: "probe" | "perf_hooks") => Promise<TrialRecording>;
}

/** Full collections that somebody asked for: their number does not depend on the machine. */
const TRIAL_PROGRAM =
  "let kept = []; for (let i = 0; i < 5; i++) { for (let j = 0; j < 2e5; j++) kept.push({ j }); kept = []; gc(); } setTimeout(() => {}, 300)";

async function tryRecording(collector: "probe" | "perf_hooks"): Promise<TrialRecording> {
  const parent = makeTemporaryFolder("gcspike-doctor");
  try {
    const command = [process.execPath, "--expose-gc", "-e", TRIAL_PROGRAM];
    const { path, exit } = await record({ command, collector, output: join(parent, "trial.gcspike") });
    if (exit.signal !== null) throw new Error(`the recorded program died of ${exit.signal}`);
    if (exit.code !== 0) throw new Error(`the recorded program ended with exit code ${exit.code}`);
    const { isolates, warnings } = await readRecording(path);
    return {
      pauses: isolates.reduce((sum, isolate) => sum + isolate.pauses.count, 0),
      collectors: [...new Set(isolates.flatMap((isolate) => isolate.collectors))],
      warnings: [...warnings, ...isolates.flatMap((isolate) => isolate.warnings)].map(({ message }) => message),
    };
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** This machine. */
export function thisSystem(): System {
  return {
    platform: process.platform,
    arch: process.arch,
    machine: machineName(),
    nodeVersion: process.version,
    abi: process.versions.modules,
    compilerSaid: whyNotCompiled(),
    currentFolder: process.cwd(),
    temporaryFolder: tmpdir(),
    readText: (path) => attempt(() => readFileSync(path, "utf8")),
    exists: existsSync,
    isWritable: (path) => attempt(() => accessSync(path, constants.W_OK)) !== null,
    freeBytes: (folder) =>
      attempt(() => {
        const { bavail, bsize } = statfsSync(folder);
        return bavail * bsize;
      }),
    run: (program, words) => {
      const { status, pid, stdout, stderr } = spawnSync(program, words, {
        cwd: packageRoot(),
        encoding: "utf8",
        timeout: 20_000,
      });
      return { code: status, pid, stdout: stdout ?? "", stderr: stderr ?? "" };
    },
    remove: (path) => rmSync(path, { force: true }),
    tryRecording,
  };
}

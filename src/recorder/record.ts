/** Runs a command with the agent inside, and keeps what it writes. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { GcspikeError, usageError } from "../lib/errors.ts";
import { packageRoot } from "../lib/package.ts";
import { writeManifest } from "../recording/manifest.ts";
import type { Warning } from "../recording/spec.ts";
import { type FlightObserver, FlightRecorder, type WrittenDump } from "./flight/flight.ts";
import { planFlight } from "./flight/flight-options.ts";
import { createFolder } from "./folder.ts";
import { keepAll } from "./keeping.ts";
import {
  isNode,
  leadingOptions,
  type NodeArguments,
  permissionToRead,
  planNodeArguments,
  splitNodeOptions,
  targetNodeOptions,
} from "./node-options.ts";
import { agentOptions, manifestOptions, type RecordOptions, requireValid } from "./record-options.ts";
import { background, type Exit, foreground, type Target } from "./run-target.ts";
import { forwardSignals } from "./signals.ts";
import { startingManifest } from "./starting-manifest.ts";

export type { Exit };

export interface RecordResult {
  /** The recording's folder, absolute. */
  readonly path: string;
  readonly exit: Exit;
  /** The target's own exit code, or 128 + its signal. */
  readonly exitCode: number;
  /** It was ended since it took longer than `timeoutMs`. */
  readonly timedOut: boolean;
  readonly durationMs: number;
  /** What is missing in the recording, and why; also in its manifest, where that could be written. */
  readonly warnings: readonly Warning[];
  /** Of a flight recorder, the oldest first. */
  readonly dumps: readonly WrittenDump[];
}

/** For somebody who watches. What these throw is theirs: the recording goes on. */
export interface RecordObserver extends FlightObserver {
  readonly started?: (recording: StartedRecording) => void;
  readonly ended?: (exit: Exit) => void;
}

export interface StartedRecording {
  readonly path: string;
  readonly pid: number;
  readonly flight: FlightRecorder | null;
}

/** The shell's way of saying how a process ended. */
function exitCodeOf(exit: Exit): number {
  return exit.code ?? 128 + (exit.signal === null ? 0 : constants.signals[exit.signal]);
}

const NOT_STARTED: Readonly<Record<string, string>> = {
  ENOENT: "there is no such program",
  EACCES: "it is not executable",
  E2BIG: "its arguments and environment are too long",
};

/** Why nothing was run: the program, or the recording's first files. */
function notStarted(program: string, error: unknown): Error {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const reason = code ?? String(error);
  if (syscall?.startsWith("spawn") === true) {
    return usageError(`Cannot run "${program}": ${NOT_STARTED[reason] ?? reason}. Nothing was run.`, "Check the name.");
  }
  return new GcspikeError("folder", `Cannot write the recording: ${reason}. Nothing was run.`, {
    hint: "Name a folder on a disk with free space: -o DIR.gcspike",
    cause: error,
  });
}

function targetOf(options: RecordOptions, nodeArguments: NodeArguments, folder: string, preload: string): Target {
  const [program = "", ...rest] = options.command;
  const ours = [join(dirname(preload), "*"), join(packageRoot(), "prebuilds", "*"), join(folder, "*")];
  const inherited = options.env ?? process.env;
  const existing = inherited.NODE_OPTIONS;
  const environment = [...splitNodeOptions("NODE_OPTIONS", existing ?? ""), ...nodeArguments.environment];
  const commandLine = isNode(program)
    ? permissionToRead([...nodeArguments.commandLine, ...leadingOptions(rest)], ours)
    : [];
  const added = [...nodeArguments.environment, ...permissionToRead(environment, ours)];
  return {
    program,
    cwd: options.cwd,
    arguments: [...commandLine, ...nodeArguments.commandLine, ...rest],
    env: { ...inherited, GCSPIKE_RECORDING: folder, NODE_OPTIONS: targetNodeOptions(preload, existing, added) },
  };
}

/** Calls somebody who watches; what goes wrong there must not end the recording. */
function tell(call: () => void): void {
  try {
    call();
  } catch {
    // The watcher's own trouble.
  }
}

/** The agent is a file that the target loads: without it the target would die at its start. */
function requireAgent(preload: string): void {
  if (existsSync(preload)) return;
  throw new GcspikeError("installation", `${preload} is missing: this installation is incomplete. Nothing was run.`, {
    hint: "Install gcspike again, or in a clone: npm run build",
  });
}

/**
 * Records a command until it ends. The command has gcspike's own stdin, stdout, stderr and process group; signals sent to
 * this process alone are passed on to it, and this process stays until it has ended.
 *
 * Throws GcspikeError with exit code 2 where nothing was run and nothing is left behind.
 */
export async function record(options: RecordOptions, observer: RecordObserver = {}): Promise<RecordResult> {
  requireValid(options);
  const [program = ""] = options.command;
  const nodeArguments = planNodeArguments(splitNodeOptions("--node-args", options.nodeArgs ?? ""), program);
  const root = packageRoot();
  const preload = join(root, "dist", "agent", "preload.cjs");
  requireAgent(preload);
  const plan = options.flight === undefined ? null : planFlight(options.flight);
  const folder = createFolder(options.output, options.command, new Date(), plan === null ? ".gcspike" : ".flight");
  let manifest = startingManifest(options.command, manifestOptions(options));
  const flight = plan === null ? null : new FlightRecorder(folder.path, plan, manifest, observer);
  const keeping = flight ?? keepAll(folder.path);
  const run = options.outputFile === undefined ? foreground() : background(options.outputFile, options.timeoutMs);
  // Until the recording is finished, so that a second Ctrl-C does not cut what the first one completed.
  const release = forwardSignals(run.signal, run.hasTerminal);
  try {
    const exit = await start();
    keeping.stop();
    const endNs = process.hrtime.bigint();
    tell(() => observer.ended?.(exit));
    const warnings = await keeping.finish({ ...manifest, endNs: String(endNs), exit }, { programEnded: true });
    const dumps = flight?.dumps ?? [];
    if (flight !== null && dumps.length === 0) folder.discard();
    const durationMs = Number(endNs - BigInt(manifest.startNs)) / 1e6;
    return {
      path: folder.path,
      exit,
      exitCode: exitCodeOf(exit),
      timedOut: run.timedOut(),
      durationMs,
      warnings,
      dumps,
    };
  } finally {
    keeping.stop();
    release();
  }

  async function start(): Promise<Exit> {
    try {
      mkdirSync(keeping.folder, { recursive: true });
      writeFileSync(join(keeping.folder, "agent.json"), JSON.stringify(agentOptions(options, root)));
      writeManifest(keeping.folder, manifest);
      return await run.toEnd(targetOf(options, nodeArguments, keeping.folder, preload), (started) => {
        manifest = { ...manifest, pid: started.pid ?? null };
        tell(() => writeManifest(keeping.folder, manifest));
        keeping.begin(manifest);
        tell(() => observer.started?.({ path: folder.path, pid: started.pid ?? 0, flight }));
      });
    } catch (error) {
      folder.discard();
      throw notStarted(program, error);
    }
  }
}

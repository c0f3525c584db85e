/** Runs the target to its end: where the user is, or in the background. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

export interface Target {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string | undefined;
}

/** How a process ended: one of the two is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface TargetRun {
  /** Rejects where it could not be started. */
  readonly toEnd: (target: Target, started: (child: ChildProcess) => void) => Promise<Exit>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Is it in gcspike's process group, which a terminal may send signals to? */
  readonly hasTerminal: boolean;
  readonly timedOut: () => boolean;
}

/** A program that is asked to end has so long to do it. */
const GRACE_MS = 5000;

/** The real descriptors and the same process group: the target cannot tell gcspike from the shell. */
export function foreground(): TargetRun {
  let child: ChildProcess | undefined;
  return {
    toEnd: (target, started) =>
      spawned(target, { stdio: "inherit", detached: false }, (process) => {
        child = process;
        started(process);
      }),
    signal: (signal) => child?.kill(signal),
    hasTerminal: true,
    timedOut: () => false,
  };
}

/** A process group of its own, all of which is ended with the program, or after `timeoutMs`. */
export function background(outputFile: string, timeoutMs: number | undefined): TargetRun {
  let group: number | undefined;
  let timedOut = false;
  const signal = (name: NodeJS.Signals): void => {
    try {
      if (group !== undefined) process.kill(-group, name);
    } catch {
      // Nobody is left.
    }
  };
  return {
    async toEnd(target, started): Promise<Exit> {
      const output = openSync(outputFile, "w");
      const timers: NodeJS.Timeout[] = [];
      try {
        return await spawned(target, { stdio: ["ignore", output, output], detached: true }, (child) => {
          group = child.pid;
          if (timeoutMs !== undefined) {
            timers.push(
              setTimeout(() => {
                timedOut = true;
                signal("SIGTERM");
              }, timeoutMs),
              setTimeout(signal, timeoutMs + GRACE_MS, "SIGKILL"),
            );
          }
          started(child);
        });
      } finally {
        for (const timer of timers) clearTimeout(timer);
        closeSync(output);
        signal("SIGKILL");
      }
    },
    signal,
    hasTerminal: false,
    timedOut: () => timedOut,
  };
}

function spawned(
  { program, arguments: words, env, cwd }: Target,
  options: { readonly stdio: StdioOptions; readonly detached: boolean },
  started: (child: ChildProcess) => void,
): Promise<Exit> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { ...options, env, cwd });
    child.once("spawn", () => started(child));
    child.on("error", reject);
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}

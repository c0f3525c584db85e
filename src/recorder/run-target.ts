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

/** A program in the background that is asked to end has so long to do it. */
const GRACE_MS = 5000;
const ASK_TO_END: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
/** Of a timer, 24 days; a longer one would end at once. */
const MOST_MS = 2 ** 31 - 1;

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

/** A process group of its own, all of which is ended with the program, or after `timeoutMs`, or soon after a signal that asks for it. */
export function background(outputFile: string, timeoutMs: number | undefined): TargetRun {
  let group: number | undefined;
  let timedOut = false;
  const timers: NodeJS.Timeout[] = [];
  const send = (name: NodeJS.Signals): void => {
    try {
      if (group !== undefined) process.kill(-group, name);
    } catch {
      // Nobody is left.
    }
  };
  const signal = (name: NodeJS.Signals): void => {
    send(name);
    if (ASK_TO_END.includes(name)) timers.push(setTimeout(send, GRACE_MS, "SIGKILL"));
  };
  return {
    async toEnd(target, started): Promise<Exit> {
      const output = openSync(outputFile, "w");
      try {
        return await spawned(target, { stdio: ["ignore", output, output], detached: true }, (child) => {
          group = child.pid;
          if (timeoutMs !== undefined) {
            const end = (): void => {
              timedOut = true;
              signal("SIGTERM");
            };
            timers.push(setTimeout(end, Math.min(timeoutMs, MOST_MS)));
          }
          started(child);
        });
      } finally {
        for (const timer of timers) clearTimeout(timer);
        closeSync(output);
        send("SIGKILL");
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

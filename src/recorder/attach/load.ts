/** Starts loader.ts, and speaks with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { GcspikeError } from "../../lib/errors.ts";
import type { Evaluated } from "./inspector.ts";
import type { AttachTarget } from "./target.ts";

export interface Job {
  readonly target: AttachTarget;
  readonly expression: string;
}

export type Outcome =
  | { readonly evaluated: Evaluated }
  | { readonly failure: { readonly message: string; readonly hint: string } };

/** A loader that has been started, and waits for what to do: starting takes it longer than doing it. */
export interface Loader {
  /** Throws GcspikeError. */
  readonly evaluate: (job: Job) => Promise<Evaluated>;
  /** Ends it, unless it has something to do. */
  readonly release: () => void;
}

/** `program`: path of what loader.ts became. */
export function startLoader(program: string): Loader {
  // Options of gcspike's own Node are not for it; signals of a terminal neither.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [program], { env, detached: true, stdio: ["pipe", "pipe", "ignore"] });
  const output = outputOf(child);
  // It may have ended.
  child.stdin?.on("error", () => {});
  return {
    evaluate: async (job) => {
      child.stdin?.write(`${JSON.stringify(job)}\n`);
      const text = await output;
      if (text === "") throw new GcspikeError("attach", "gcspike's own loader did not run.", { hint: "Try again." });
      const outcome = JSON.parse(text) as Outcome;
      if ("evaluated" in outcome) return outcome.evaluated;
      throw new GcspikeError("attach", outcome.failure.message, { hint: outcome.failure.hint });
    },
    release: () => child.stdin?.end(),
  };
}

/** All that it prints; "" where it cannot be started. */
function outputOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    child.once("error", () => resolve(""));
    child.once("close", () => resolve(text));
  });
}

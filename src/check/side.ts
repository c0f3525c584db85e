/** One side of a check: makes its runs, each recorded. */
import { rmSync } from "node:fs";
import type { CheckedRun } from "../analysis/check/check.ts";
import { siteBytesOf } from "../analysis/check/site-bytes.ts";
import { runOf } from "../analysis/run.ts";
import { GcspikeError } from "../lib/errors.ts";
import { formatMs } from "../lib/units.ts";
import { record } from "../recorder/record.ts";
import type { Recording } from "../recording/model.ts";
import { readRecording } from "../recording/read-recording.ts";
import { lastLines } from "./last-lines.ts";
import { type Work, workOf } from "./work.ts";

export interface Side {
  /** "baseline", "candidate" */
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Of its source files. */
  readonly root: string;
  /** What to do where the program fails. */
  readonly hint: string;
}

export interface RunOptions {
  readonly nodeArgs: string | undefined;
  readonly timeoutMs: number;
  readonly work: Work;
}

/** Runs it once, into the folder `output`. Throws GcspikeError where the program fails, takes too long, or is no program of Node. */
export async function runOnce(
  side: Side,
  output: string,
  { nodeArgs, timeoutMs, work }: RunOptions,
): Promise<CheckedRun> {
  const outputFile = `${output}.log`;
  const { command, cwd, env, name } = side;
  const kept = `Its recording is in ${output}, and what it printed in ${outputFile}.`;
  const { timedOut, exit } = await record({ command, cwd, env, output, outputFile, timeoutMs, nodeArgs });
  if (timedOut) {
    throw new GcspikeError(
      "timeout",
      `The ${name} was still running after ${formatMs(timeoutMs)}, and was ended.${lastLines(outputFile)}`,
      { kept, hint: "A check needs a program that ends by itself. Where it only takes long: --timeout 20m" },
    );
  }
  if (exit.code !== 0) {
    const how = exit.signal ?? `exit code ${exit.code}`;
    throw new GcspikeError("program", `The ${name} ended with ${how}.${lastLines(outputFile)}`, {
      kept,
      hint: side.hint,
    });
  }
  rmSync(outputFile, { force: true });
  const recording = await readRecording(output);
  if (recording.isolates.length === 0) {
    throw new GcspikeError("no-isolates", `The ${name} started no Node.js program that could be recorded.`, {
      kept: `Its recording is in ${output}.`,
      hint: "gcspike doctor says what works on this machine.",
    });
  }
  return checkedRun(recording, side.root, work);
}

/** A recording as a run of a check. Throws GcspikeError where its work cannot be counted. */
export function checkedRun(recording: Recording, root: string, work: Work): CheckedRun {
  return { run: runOf(recording), sites: siteBytesOf(recording, root), work: workOf(recording, work) };
}

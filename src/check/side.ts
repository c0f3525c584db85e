/** One side of a check: makes its runs, each recorded. */
import { readFileSync, rmSync } from "node:fs";
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
  /** Of its source files. */
  readonly root: string;
}

export interface RunOptions {
  readonly nodeArgs: string | undefined;
  readonly timeoutMs: number;
  readonly work: Work;
}

/** Runs it once, into the folder `output`. Throws GcspikeError where the program fails or takes too long. */
export async function runOnce(
  side: Side,
  output: string,
  { nodeArgs, timeoutMs, work }: RunOptions,
): Promise<CheckedRun> {
  const outputFile = `${output}.log`;
  const { command, cwd, name } = side;
  const result = await record({ command, cwd, output, outputFile, timeoutMs, nodeArgs });
  if (result.timedOut) {
    throw new GcspikeError(
      "timeout",
      `The ${name} was still running after ${formatMs(timeoutMs)}, and was ended.${lastLines(readFileSync(outputFile, "utf8"))}`,
      {
        kept: `Its recording is in ${output}.`,
        hint: "A check needs a program that ends by itself. Where it only takes long: --timeout 20m",
      },
    );
  }
  if (result.exitCode !== 0) {
    throw new GcspikeError(
      "program",
      `The ${name} ended with exit code ${result.exitCode}.${lastLines(readFileSync(outputFile, "utf8"))}`,
      {
        kept: `Its recording is in ${output}.`,
        hint: `Make the program work first: (cd ${cwd}; ${command.join(" ")})`,
      },
    );
  }
  rmSync(outputFile, { force: true });
  return checkedRun(await readRecording(output), side.root, work);
}

/** A recording as a run of a check. Throws GcspikeError where its work cannot be counted. */
export function checkedRun(recording: Recording, root: string, work: Work): CheckedRun {
  return { run: runOf(recording), sites: siteBytesOf(recording, root), work: workOf(recording, work) };
}

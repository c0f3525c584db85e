/** Makes a commit's files ready to run: `--setup 'npm ci'`. */
import { GcspikeError } from "../lib/errors.ts";
import { background } from "../recorder/run-target.ts";
import { forwardSignals } from "../recorder/signals.ts";
import { lastLines } from "./last-lines.ts";

/** Runs a shell's command in `cwd`; what it prints goes to `outputFile`. Throws GcspikeError where it fails. */
export async function setUp(command: string, cwd: string, env: NodeJS.ProcessEnv, outputFile: string): Promise<void> {
  const run = background(outputFile, undefined);
  const release = forwardSignals(run.signal, run.hasTerminal);
  try {
    const target = { program: "/bin/sh", arguments: ["-c", command], env, cwd };
    const { code, signal } = await run.toEnd(target, () => {});
    if (code === 0) return;
    throw new GcspikeError(
      "setup",
      `--setup '${command}' ended with ${signal ?? `exit code ${code}`}.${lastLines(outputFile)}`,
      {
        kept: `Nothing was compared. What it printed is in ${outputFile}.`,
        hint: "It runs in a clean checkout of the commit: what it needs has to be in git, or be made by it.",
      },
    );
  } finally {
    release();
  }
}

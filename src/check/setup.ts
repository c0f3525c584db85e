/** Makes a commit's files ready to run: `--setup 'npm ci'`. */
import { GcspikeError } from "../lib/errors.ts";
import { formatMs } from "../lib/units.ts";
import { background } from "../recorder/run-target.ts";
import { forwardSignals } from "../recorder/signals.ts";
import { lastLines } from "./last-lines.ts";

/** Runs a shell's command in `cwd`; what it prints goes to `outputFile`. Throws GcspikeError where it fails or takes too long. */
export async function setUp(
  command: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
  outputFile: string,
  timeoutMs: number,
): Promise<void> {
  const run = background(outputFile, timeoutMs);
  const release = forwardSignals(run.signal, run.hasTerminal);
  try {
    const target = { program: "/bin/sh", arguments: ["-c", command], env, cwd };
    const { code, signal } = await run.toEnd(target, () => {});
    const kept = `Nothing was compared. What it printed is in ${outputFile}.`;
    if (run.timedOut()) {
      throw new GcspikeError(
        "timeout",
        `--setup '${command}' was still running after ${formatMs(timeoutMs)}, and was ended.${lastLines(outputFile)}`,
        { kept, hint: "Where it only takes long: --timeout 30m" },
      );
    }
    if (code === 0) return;
    throw new GcspikeError(
      "setup",
      `--setup '${command}' ended with ${signal ?? `exit code ${code}`}.${lastLines(outputFile)}`,
      {
        kept,
        hint: "It runs in a clean checkout of the commit: what it needs has to be in git, or be made by it.",
      },
    );
  } finally {
    release();
  }
}

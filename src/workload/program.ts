/** What the programs of the workloads have in common: how they end. */
import { GcspikeError } from "../lib/errors.ts";

/**
 * Runs a workload's program. `run` returns what it fell short of, a sentence ("" to say nothing), or
 * undefined: exit code 1 or 0. Errors that a person can
 * act on are printed as gcspike's own command line does.
 */
export async function runWorkload(run: () => Promise<string | undefined>): Promise<void> {
  try {
    const shortfall = await run();
    if (shortfall === undefined) return;
    if (shortfall !== "") process.stderr.write(`\n${shortfall}\n`);
    process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof GcspikeError)) throw error;
    process.stderr.write(`gcspike: ${error.message}\n${error.hint === undefined ? "" : `  ${error.hint}\n`}`);
    process.exitCode = error.exitCode;
  }
}

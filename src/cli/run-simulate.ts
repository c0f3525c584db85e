/** `gcspike simulate`: a workload alone, in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { forwardSignals } from "../recorder/signals.ts";
import type { FlagWords } from "../workload/flags.ts";
import { checkWords, type WorkloadSpec } from "../workload/workloads.ts";
import type { Terminal } from "./terminal.ts";
import { withWorkload } from "./workload-command.ts";

/** `format`: of what the workload prints at its end. Returns its exit code: 1 where it did not hold its rate. */
export async function runSimulate(
  workload: WorkloadSpec,
  words: FlagWords,
  format: "text" | "json",
  terminal: Terminal,
): Promise<number> {
  checkWords(workload, words);
  const more = format === "json" ? ["--json"] : [];
  return withWorkload(workload, words, "one", terminal, (commandOf) => runToEnd([...commandOf(words), ...more]));
}

function runToEnd([program = "", ...words]: readonly string[]): Promise<number> {
  let child: ChildProcess | undefined;
  const release = forwardSignals((signal) => child?.kill(signal), true);
  return new Promise<number>((resolve, reject) => {
    child = spawn(program, words, { stdio: "inherit" });
    child.on("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  }).finally(release);
}

import { Option } from "commander";
import { usageError } from "../../lib/errors.ts";
import { CHECK_FORMATS, type CheckFlags } from "../check-flags.ts";
import type { CommandSpec } from "../command.ts";
import { addJsonFormat } from "../json-output.ts";

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export const checkCommand: CommandSpec = {
  name: "check",
  summary: "fail when a program's pauses got worse, and name the function that did it",
  examples: [
    "gcspike check --against origin/main --setup 'npm ci' -- node bench.js",
    "gcspike check --budget 'pause.p99<20ms' --budget 'heap.peak<200MiB' -- node bench.js",
    "gcspike check --against HEAD~1 --metric pause.p99 --metric 'alloc.bytes=3%' --work 10000 -o check.md -o check.html -- node bench.js",
    "gcspike check --save-baseline baseline.json -- node bench.js",
    "gcspike check --baseline baseline.json -- node bench.js",
    "gcspike check --calibrate -- node bench.js",
  ],
  configure: (command, { terminal, finish }) => {
    command
      .argument("[command...]", "the program and its arguments; it has to end by itself")
      .passThroughOptions()
      .optionsGroup("Against what:")
      .option(
        "--against <ref>",
        "a commit, in a temporary work tree, in turns with the working tree as it stands: the fair way",
      )
      .option("--setup <command>", "makes that work tree ready to run, once: 'npm ci && npm run build'")
      .option("--baseline <REC...>", "recordings, or a file of --save-baseline")
      .option("--budget <limit>", "a limit, such as 'pause.p99<5ms'; again for another one", several)
      .option("--calibrate", "against itself: what this machine's noise is, and what a check can see here")
      .option("--save-baseline <FILE>", "keep what the runs measured, to compare with later")
      .option("--force", "compare with a baseline of another machine or another Node")
      .optionsGroup("What is judged:")
      .option(
        "--metric <NAME[=SHARE]>",
        "default: pause.p99, pause.cpu.p99, alloc.bytes, survived.bytes; =5% allows it to get 5 % worse",
        several,
      )
      .option(
        "--max-regression <share>",
        "what any metric may get worse by (default: 10% for times and counts, 5% for bytes)",
      )
      .option("--work <units>", "units of work of a run, by which bytes and counts are divided: a number, or tag:NAME")
      .optionsGroup("How many runs:")
      .option("--runs <number>", "of each side, at most (default: 10)")
      .option("--max-time <duration>", "begin no pair of runs after this time")
      .option("--timeout <duration>", "end a run, or the set-up, that takes longer (default: 10m)")
      .addOption(
        new Option("--inconclusive <verdict>", "what to exit with where the runs do not decide (default: 3)").choices([
          "pass",
          "fail",
        ]),
      )
      .option("--node-args <options>", "more options for the program's Node")
      .optionsGroup("Results:")
      .addOption(new Option("--format <name>", "on stdout (default: terminal)").choices(CHECK_FORMATS))
      .option(
        "-o, --output <FILE>",
        "write it to a file: .md, .json, .xml (JUnit), .html, .txt; again for another one",
        several,
      );
    addJsonFormat(command);
    command.action(async (words: readonly string[], flags: CheckFlags) => {
      if (words.length === 0) {
        throw usageError("Missing required argument 'command'.", "Accepted forms: gcspike check --help");
      }
      const { runCheck } = await import("../run-check.ts");
      finish(await runCheck(words, flags, terminal));
    });
  },
};

import { Option } from "commander";
import { parseDuration } from "../../lib/units.ts";
import type { CommandSpec } from "../command.ts";
import type { RecordFlags } from "../run-record.ts";

export const recordCommand: CommandSpec = {
  name: "record",
  summary: "run a Node.js program and record its garbage collections",
  examples: [
    "gcspike record -- node server.js",
    'gcspike record -o load.gcspike --node-args "--max-semi-space-size=64" -- npx vitest run',
  ],
  configure: (command, { terminal, finish }) => {
    command
      .argument("<command...>", "the program and its arguments")
      .passThroughOptions()
      .option("-o, --output <DIR.gcspike>", "folder of the recording (default: <program>-<time>.gcspike)")
      .option("--spike <duration>", "a pause this long is a spike (default: 10ms)", (text) =>
        parseDuration("--spike", text),
      )
      .addOption(
        new Option("--collector <name>", "what records the pauses (default: probe)").choices(["probe", "perf_hooks"]),
      )
      .option("--no-phases", "leave out V8's phases, reasons and incremental steps")
      .option("--no-allocations", "leave out sampled allocations")
      .option("--node-args <options>", "more options for the program's Node")
      .option("--live-heap", "add a profile of the heap that is alive at the end")
      .option("--cpu", "add a wall-clock profile")
      .option("--redact", "keep neither the command's arguments nor the home folder's name")
      .action(async (words: readonly string[], flags: RecordFlags) => {
        const { runRecord } = await import("../run-record.ts");
        finish(await runRecord(words, flags, terminal));
      });
  },
};

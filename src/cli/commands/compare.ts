import { Option } from "commander";
import type { CommandSpec } from "../command.ts";
import { FORMATS, type FormatFlags } from "../report-formats.ts";

export const compareCommand: CommandSpec = {
  name: "compare",
  summary: "put recordings side by side, and say what differs by more than chance",
  examples: [
    "gcspike compare before.gcspike after.gcspike",
    "gcspike compare before.gcspike after.gcspike -o compare.html",
    "gcspike compare old=1.gcspike,2.gcspike,3.gcspike new=4.gcspike,5.gcspike,6.gcspike",
  ],
  configure: (command, { terminal, finish }) => {
    command
      .argument("<recording...>", "folders of gcspike record, a column each; NAME=A,B,C makes a column of several runs")
      .addOption(
        new Option("--format <name>", "default: what the name after -o ends with, else terminal").choices(FORMATS),
      )
      .option("-o, --output <FILE>", "write the comparison to a file")
      .action(async (words: readonly string[], flags: FormatFlags) => {
        const [{ parseColumns }, { runCompare }] = await Promise.all([
          import("../compare-columns.ts"),
          import("../run-compare.ts"),
        ]);
        finish(await runCompare(parseColumns(words), flags, terminal));
      });
  },
};

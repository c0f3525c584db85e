import { Option } from "commander";
import { usageError } from "../../lib/errors.ts";
import { MODES, TXPOOL_FLAGS } from "../../workload/txpool/options.ts";
import type { CommandSpec } from "../command.ts";
import { addJsonFormat } from "../json-output.ts";
import { FORMATS } from "../report-formats.ts";
import type { ModesFlags } from "../run-compare-workload.ts";
import { addFlags, givenWords } from "../workload-flags.ts";

/** All but the mode, which is what is compared. */
const SHARED_FLAGS = TXPOOL_FLAGS.filter(({ name }) => name !== "mode");

type Parsed = ModesFlags & { readonly workload?: "txpool" } & Readonly<Record<string, unknown>>;

export const compareCommand: CommandSpec = {
  name: "compare",
  summary: "put recordings side by side, and say what differs by more than chance",
  examples: [
    "gcspike compare before.gcspike after.gcspike",
    "gcspike compare before.gcspike after.gcspike -o compare.html",
    "gcspike compare old=1.gcspike,2.gcspike,3.gcspike new=4.gcspike,5.gcspike,6.gcspike",
    "gcspike compare --workload txpool --modes pooled,mmap --runs 5 --duration 30s",
  ],
  configure: (command, { terminal, finish }) => {
    command
      .argument("[recording...]", "folders of gcspike record, a column each; NAME=A,B,C makes a column of several runs")
      .addOption(
        new Option("--format <name>", "default: what the name after -o ends with, else terminal").choices(FORMATS),
      )
      .option("-o, --output <FILE>", "write the comparison to a file");
    addJsonFormat(command);
    command
      .optionsGroup("Instead of recordings, record the modes of a built-in workload, and compare them:")
      .addOption(new Option("--workload <name>", "gcspike simulate <name> --help").choices(["txpool"]))
      .option("--modes <names>", `the columns, in their order (default: ${MODES.join(",")})`)
      .option("--runs <number>", "runs of each mode, interleaved (default: 3)");
    addFlags(command, SHARED_FLAGS);
    command.action(async (words: readonly string[], parsed: Parsed) => {
      const given = givenWords(SHARED_FLAGS, parsed);
      if (parsed.workload !== undefined) {
        const { runCompareModes } = await import("../run-compare-workload.ts");
        finish(await runCompareModes(words, given, parsed, terminal));
        return;
      }
      const [own] = [...Object.keys(given), ...["modes", "runs"].filter((name) => parsed[name] !== undefined)];
      if (own !== undefined) throw usageError(`--${own} is an option of a workload.`, "Name it: --workload txpool");
      const [{ parseColumns }, { runCompare }] = await Promise.all([
        import("../compare-columns.ts"),
        import("../run-compare.ts"),
      ]);
      finish(await runCompare(parseColumns(words), parsed, terminal));
    });
  },
};

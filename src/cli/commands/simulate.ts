import { WORKLOADS } from "../../workload/workloads.ts";
import type { CommandSpec } from "../command.ts";
import { addJsonFlag } from "../json-output.ts";
import { addFlags, givenWords } from "../workload-flags.ts";

export const simulateCommand: CommandSpec = {
  name: "simulate",
  summary: "run a built-in workload, not recorded",
  examples: [
    "gcspike simulate txpool --mode naive",
    "gcspike simulate txpool --mode mmap --tps 20000 --duration 30s --batch 256",
    "gcspike simulate sessions --pool on",
  ],
  configure: (command, { terminal, finish }) => {
    command.helpCommand(false);
    for (const workload of Object.values(WORKLOADS)) {
      const own = command.command(workload.name).description(workload.summary);
      addFlags(own, workload.flags);
      addJsonFlag(own, "its figures, in the place of words");
      own.option("--verbose", "print stack traces of errors");
      own.action(async (parsed: Readonly<Record<string, unknown>>) => {
        const { runSimulate } = await import("../run-simulate.ts");
        const format = parsed.json === true ? "json" : "text";
        finish(await runSimulate(workload, givenWords(workload.flags, parsed), format, terminal));
      });
    }
  },
};

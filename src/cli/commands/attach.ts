import { parseDuration } from "../../lib/units.ts";
import type { CommandSpec } from "../command.ts";
import { parsePid } from "../parse-pid.ts";
import type { AttachFlags } from "../run-attach.ts";

export const attachCommand: CommandSpec = {
  name: "attach",
  summary: "record a Node.js program that is already running",
  examples: ["gcspike attach 4121", "gcspike attach 4121 --duration 30s -o stall.gcspike"],
  configure: (command, { terminal, finish }) => {
    command
      .argument("<pid>", "process id of the program", parsePid)
      .option("-o, --output <DIR.gcspike>", "folder of the recording (default: <program>-<time>.gcspike)")
      .option("--duration <duration>", "stop after this time (default: on Ctrl-C, or when the program ends)", (text) =>
        parseDuration("--duration", text),
      )
      .option("--spike <duration>", "a pause this long is a spike (default: 10ms)", (text) =>
        parseDuration("--spike", text),
      )
      .option("--no-phases", "leave out V8's phases, reasons and incremental steps")
      .option("--no-allocations", "leave out sampled allocations")
      .action(async (pid: number, flags: AttachFlags) => {
        const { runAttach } = await import("../run-attach.ts");
        finish(await runAttach(pid, flags, terminal));
      });
  },
};

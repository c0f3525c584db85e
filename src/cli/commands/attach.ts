import { usageError } from "../../lib/errors.ts";
import { parseDuration } from "../../lib/units.ts";
import type { CommandSpec } from "../command.ts";
import type { AttachFlags } from "../run-attach.ts";

function parsePid(text: string): number {
  const pid = Number(text);
  if (/^\d{1,10}$/.test(text) && pid > 0) return pid;
  throw usageError(`"${text}" is no process id.`, "Give a number: gcspike attach 4121  (find it: pgrep -af node)");
}

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

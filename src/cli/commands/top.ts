import type { CommandSpec } from "../command.ts";
import { parsePid } from "../parse-pid.ts";

export const topCommand: CommandSpec = {
  name: "top",
  summary: "show the Node.js processes of this machine, and what those that are attached to collect",
  examples: ["gcspike top", "gcspike top 4121"],
  configure: (command, { terminal, finish }) => {
    command
      .argument("[pid]", "process id of a program to attach to at once", parsePid)
      .action(async (pid: number | undefined) => {
        const { runTop } = await import("../run-top.ts");
        finish(await runTop(pid, terminal));
      });
  },
};

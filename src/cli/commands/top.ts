import type { CommandSpec } from "../command.ts";
import { addJsonFlag } from "../json-output.ts";
import { parsePid } from "../parse-pid.ts";

export const topCommand: CommandSpec = {
  name: "top",
  summary: "show the Node.js processes of this machine, and what those that are attached to collect",
  examples: ["gcspike top", "gcspike top 4121", "gcspike top --json"],
  configure: (command, { terminal, finish }) => {
    command
      .argument("[pid]", "process id of a program to attach to at once", parsePid)
      .action(async (pid: number | undefined, { json }: { readonly json?: true }) => {
        if (json === true) {
          const { runTopOnce } = await import("../run-top-once.ts");
          finish(await runTopOnce(pid, terminal));
          return;
        }
        const { runTop } = await import("../run-top.ts");
        finish(await runTop(pid, terminal));
      });
    addJsonFlag(command, "the processes as they are now, in the place of the screen");
  },
};

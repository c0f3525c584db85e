import type { CommandSpec } from "../command.ts";
import { addJsonFlag } from "../json-output.ts";

export const recoverCommand: CommandSpec = {
  name: "recover",
  summary: "make a recording of what a flight recorder that was killed had kept",
  examples: ["gcspike recover server-2026-11-22T09-14-07.flight"],
  configure: (command, { terminal, finish }) => {
    command
      .argument("<folder>", "folder of gcspike record --trigger or gcspike attach --trigger")
      .action(async (folder: string, { json }: { readonly json?: true }) => {
        const { runRecover } = await import("../run-recover.ts");
        finish(await runRecover(folder, json, terminal));
      });
    addJsonFlag(command, "where the recording is");
  },
};

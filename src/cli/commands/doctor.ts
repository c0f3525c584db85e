import { Option } from "commander";
import type { CommandSpec } from "../command.ts";
import { addJsonFormat } from "../json-output.ts";

export interface DoctorFlags {
  readonly format: "terminal" | "json";
}

export const doctorCommand: CommandSpec = {
  name: "doctor",
  summary: "say what works on this machine, what does not, and the fix",
  examples: ["gcspike doctor", "gcspike doctor --json"],
  configure: (command, { terminal, finish }) => {
    command
      .addOption(new Option("--format <name>").choices(["terminal", "json"]).default("terminal"))
      .action(async (flags: DoctorFlags) => {
        const { runDoctor } = await import("../run-doctor.ts");
        finish(await runDoctor(flags.format, terminal));
      });
    addJsonFormat(command);
  },
};

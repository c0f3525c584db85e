import { Option } from "commander";
import { parseDuration, parseSize } from "../../lib/units.ts";
import type { CommandSpec } from "../command.ts";
import { addJsonFormat } from "../json-output.ts";
import { FORMATS, type ReportFlags } from "../report-formats.ts";

export const reportCommand: CommandSpec = {
  name: "report",
  summary: "explain a recording, also one that is still being written",
  examples: [
    "gcspike report server.gcspike",
    "gcspike report server.gcspike --spike-id s1",
    "gcspike report server.gcspike -o report.html",
    "gcspike report server.gcspike --json | jq .summary.pauses",
    "gcspike report gc.log",
  ],
  configure: (command, { terminal, finish }) => {
    command
      .argument("<recording>", "the folder that gcspike record wrote, or a log of --trace-gc")
      .addOption(
        new Option("--format <name>", "default: what the name after -o ends with, else terminal").choices(FORMATS),
      )
      .option("-o, --output <FILE>", "write the report to a file")
      .option("--spike <duration>", "a pause this long is a spike (default: what the recording says)", (text) =>
        parseDuration("--spike", text),
      )
      .option("--growth <size>", "a heap that grows faster, a second, is marked (default: 50MiB)", (text) =>
        parseSize("--growth", text),
      )
      .option(
        "--p99 <duration>",
        "a second whose P99 pause of the last 10 s is this long is marked (default: --spike)",
        (text) => parseDuration("--p99", text),
      )
      .option("--spike-id <id>", "explain one spike, such as s3, in the terminal")
      .option("--charts <DIR>", "also write the charts as PNG files")
      .action(async (recording: string, flags: ReportFlags) => {
        const { runReport } = await import("../run-report.ts");
        finish(await runReport(recording, flags, terminal));
      });
    addJsonFormat(command);
  },
};

import { Option } from "commander";
import { EXPORT_FORMAT_NAMES, PPROF_PROFILES, TABLE_NAMES } from "../../export/formats.ts";
import { parseDuration } from "../../lib/units.ts";
import type { CommandSpec } from "../command.ts";
import { addJsonFlag } from "../json-output.ts";
import type { ExportFlags } from "../run-export.ts";

export const exportCommand: CommandSpec = {
  name: "export",
  summary: "write a recording for other tools: profilers, trace viewers, monitoring, databases",
  examples: [
    "gcspike export server.gcspike -o server.pb.gz && go tool pprof -top server.pb.gz",
    "gcspike export server.gcspike -o server.speedscope.json",
    "gcspike export server.gcspike -o server.pftrace",
    "gcspike export server.gcspike --format parquet -o tables/",
    "gcspike export server.gcspike --format otlp --endpoint http://localhost:4318",
  ],
  configure: (command, { terminal, finish }) => {
    command
      .argument("<recording>", "the folder that gcspike record wrote, or a log of --trace-gc")
      .addOption(
        new Option("--format <name>", "default: what the name after -o ends with").choices(EXPORT_FORMAT_NAMES),
      )
      .option("-o, --output <FILE>", "write it to a file; the tables of parquet and csv to a folder")
      .option("--spike <duration>", "a pause this long is a spike (default: what the recording says)", (text) =>
        parseDuration("--spike", text),
      )
      .addOption(
        new Option(
          "--profile <name>",
          "pprof: sampled objects, or pauses by whose objects they were for (default: heap)",
        ).choices(PPROF_PROFILES),
      )
      .addOption(new Option("--table <name>", "parquet, csv: one table, to a file").choices(TABLE_NAMES))
      .option("--endpoint <URL>", "otlp: send it there, over HTTP")
      .action(async (recording: string, flags: ExportFlags) => {
        const { runExport } = await import("../run-export.ts");
        finish(await runExport(recording, flags, terminal));
      });
    addJsonFlag(command, "which files were written");
  },
};

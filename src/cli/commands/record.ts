import { Option } from "commander";
import { usageError } from "../../lib/errors.ts";
import { parseDuration } from "../../lib/units.ts";
import { ALL_FLAGS, WORKLOAD_NAMES, WORKLOADS, type WorkloadName } from "../../workload/workloads.ts";
import type { CommandSpec } from "../command.ts";
import { addFlightFlags, type FlightFlags, flightOf } from "../flight-flags.ts";
import type { RecordFlags } from "../run-record.ts";
import { addFlags, givenWords } from "../workload-flags.ts";

type Parsed = RecordFlags & FlightFlags & { readonly workload?: WorkloadName } & Readonly<Record<string, unknown>>;

/** Elsewhere `--json` is a switch: who takes it for one here writes the command behind it. */
function parseFile(text: string): string {
  if (!text.startsWith("-")) return text;
  throw usageError(
    "--json needs a file's name, for stdout is the program's.",
    "gcspike record --json recorded.json -- node server.js",
  );
}

export const recordCommand: CommandSpec = {
  name: "record",
  summary: "run a Node.js program and record its garbage collections",
  examples: [
    "gcspike record -- node server.js",
    'gcspike record -o load.gcspike --node-args "--max-semi-space-size=64" -- npx vitest run',
    "gcspike record --trigger 'pause>50ms' --trigger 'heap>800MiB' --keep 60s -- node server.js",
    "gcspike record --workload txpool --mode mmap --duration 30s",
  ],
  configure: (command, { terminal, finish }) => {
    command
      .argument("[command...]", "the program and its arguments")
      .passThroughOptions()
      .option("-o, --output <DIR.gcspike>", "folder of the recording (default: <program>-<time>.gcspike)")
      .option("--spike <duration>", "a pause this long is a spike (default: 10ms)", (text) =>
        parseDuration("--spike", text),
      )
      .addOption(
        new Option("--collector <name>", "what records the pauses (default: probe)").choices(["probe", "perf_hooks"]),
      )
      .option("--no-phases", "leave out V8's phases, reasons and incremental steps")
      .option("--no-allocations", "leave out sampled allocations")
      .option("--node-args <options>", "more options for the program's Node")
      .option("--live-heap", "add a profile of the heap that is alive at the end")
      .option("--cpu", "add a wall-clock profile")
      .option("--redact", "keep neither the command's arguments nor the home folder's name")
      .option(
        "--json <FILE>",
        "as JSON into a file, for stdout is the program's: what was recorded, and how it ended",
        parseFile,
      );
    addFlightFlags(command);
    command
      .optionsGroup("A built-in workload instead of a command:")
      .addOption(new Option("--workload <name>", "gcspike simulate <name> --help").choices(WORKLOAD_NAMES));
    addFlags(command, ALL_FLAGS);
    command.action(async (words: readonly string[], flags: Parsed) => {
      const { runRecord, runRecordWorkload } = await import("../run-record.ts");
      const given = givenWords(ALL_FLAGS, flags);
      const { trigger, keep, maxDumps, maxDisk, ...own } = flags;
      const recordFlags = { ...own, flight: flightOf({ trigger, keep, maxDumps, maxDisk }) };
      if (flags.workload !== undefined) {
        finish(await runRecordWorkload(WORKLOADS[flags.workload], given, words, recordFlags, terminal));
        return;
      }
      const [workloadFlag] = Object.keys(given);
      if (workloadFlag !== undefined)
        throw usageError(`--${workloadFlag} is an option of a workload.`, "Name it: --workload txpool");
      if (words.length === 0) {
        throw usageError("Missing required argument 'command'.", "Accepted forms: gcspike record --help");
      }
      finish(await runRecord(words, recordFlags, terminal));
    });
  },
};

import { usageError } from "../../lib/errors.ts";
import { parseDuration, parseSize } from "../../lib/units.ts";
import type { CommandSpec } from "../command.ts";
import { addFlightFlags, type FlightFlags, flightOf } from "../flight-flags.ts";
import { addJsonFlag } from "../json-output.ts";
import { parsePid } from "../parse-pid.ts";
import type { AttachFlags } from "../run-attach.ts";
import type { TraceFlags } from "../run-trace.ts";

/** bpftrace writes a frame after the other into its program, and the kernel does not take longer ones. */
const MAX_DEPTH = 64;

function parseDepth(text: string): number {
  const depth = Number(text);
  if (/^\d{1,3}$/.test(text) && depth >= 1 && depth <= MAX_DEPTH) return depth;
  throw usageError(`--depth cannot be "${text}".`, `Write a number of functions from 1 to ${MAX_DEPTH}: --depth 16.`);
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch {
    throw usageError(
      `--function cannot be "${text}".`,
      "Write a regular expression that the function's name matches: --function '^load'.",
    );
  }
}

/** What only --ebpf understands, by its flag. */
function forEbpf({ name, minBytes, depth, function: pattern }: TraceFlags): readonly string[] {
  const given = { "--name": name, "--min-bytes": minBytes, "--depth": depth, "--function": pattern };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
}

export const attachCommand: CommandSpec = {
  name: "attach",
  summary: "record a Node.js program that is already running",
  examples: [
    "gcspike attach 4121",
    "gcspike attach 4121 --duration 30s -o stall.gcspike",
    "sudo gcspike attach --ebpf --name api --min-bytes 1MiB",
    "gcspike attach 4121 --trigger 'pause>50ms' --keep 60s",
  ],
  configure: (command, { terminal, finish }) => {
    command
      .argument("[pid]", "process id of the program", parsePid)
      .option("-o, --output <DIR.gcspike>", "folder of the recording (default: <program>-<time>.gcspike)")
      .option("--duration <duration>", "stop after this time (default: on Ctrl-C, or when the program ends)", (text) =>
        parseDuration("--duration", text),
      )
      .option("--spike <duration>", "a pause this long is a spike (default: 10ms)", (text) =>
        parseDuration("--spike", text),
      )
      .option("--no-phases", "leave out V8's phases, reasons and incremental steps")
      .option("--no-allocations", "leave out sampled allocations");
    addJsonFlag(command, "what was recorded, and how that ended");
    command
      .option("--ebpf", "load nothing into the program: watch it through the kernel (Linux, root, bpftrace)")
      .option("--name <program>", "with --ebpf, instead of a process id: the program's name")
      .option("--min-bytes <size>", "with --ebpf: record allocations of this size and more (default: 32KiB)", (text) =>
        Math.ceil(parseSize("--min-bytes", text)),
      )
      .option("--depth <functions>", "with --ebpf: functions in the stack of an allocation (default: 16)", parseDepth)
      .option(
        "--function <pattern>",
        "with --ebpf: only allocations with such a function in their stack",
        parsePattern,
      );
    addFlightFlags(command);
    command.action(
      async (pid: number | undefined, flags: AttachFlags & FlightFlags & TraceFlags & { readonly ebpf?: true }) => {
        const flight = flightOf(flags);
        if (flags.ebpf === true) {
          if (flight !== undefined) {
            throw usageError(
              "A flight recorder keeps what the probe writes: not with --ebpf.",
              "Leave out one of them.",
            );
          }
          const { runTrace } = await import("../run-trace.ts");
          finish(await runTrace(pid, flags, terminal));
          return;
        }
        const [other] = forEbpf(flags);
        if (other !== undefined) throw usageError(`${other} is for --ebpf alone.`, "gcspike attach --help");
        if (pid === undefined)
          throw usageError("There is no process id.", "gcspike attach 4121  (find it: pgrep -af node)");
        const { runAttach } = await import("../run-attach.ts");
        finish(await runAttach(pid, { ...flags, flight }, terminal));
      },
    );
  },
};

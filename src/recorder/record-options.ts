/** What a caller of record() may ask for. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { usageError } from "../lib/errors.ts";
import type { AgentOptions, Manifest } from "../recording/spec.ts";
import type { FlightOptions } from "./flight/flight-options.ts";

export interface RecordOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** The recording's folder: new or empty. By default `<program>-<time>.gcspike` in the current folder. */
  readonly output?: string | undefined;
  /** `perf_hooks` works on any Node, but sees less; `probe` by default. */
  readonly collector?: "probe" | "perf_hooks" | undefined;
  /** V8's phases, reasons and incremental steps; on by default. */
  readonly phases?: boolean | undefined;
  /** Sampled allocations with stacks; on by default. */
  readonly allocations?: boolean | undefined;
  /** A pause this long is a spike, ms; 10 by default. */
  readonly spikeMs?: number | undefined;
  /** More options for the target's Node, split as NODE_OPTIONS is. */
  readonly nodeArgs?: string | undefined;
  /** A profile of the live heap at the end. */
  readonly liveHeap?: boolean | undefined;
  /** A wall-clock profile. */
  readonly cpu?: boolean | undefined;
  /** Keep neither the command's arguments nor the home folder's name. */
  readonly redact?: boolean | undefined;
  /**
   * A flight recorder instead of a recording of everything: the folder gets a recording of the last time, a dump, whenever a trigger
   * fires. Not with `perf_hooks`, `liveHeap` or `cpu`.
   */
  readonly flight?: FlightOptions | undefined;
  /** The program's current folder; by default this process's. */
  readonly cwd?: string | undefined;
  /** The program's environment; by default this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /**
   * Gets the program's stdout and stderr. The program is then in the background: it has no stdin and a process group of its own, whose
   * processes are ended with it, and five seconds after a signal that asked it to end. By default it has this process's own.
   */
  readonly outputFile?: string | undefined;
  /** A program in the background that still runs after this time is ended, ms; by default it may run for ever. */
  readonly timeoutMs?: number | undefined;
}

const COLLECTORS: readonly unknown[] = [undefined, "probe", "perf_hooks"];

/** Throws a usage error where the options are not what their types say, or hold what no program can be given. */
export function requireValid(options: RecordOptions): void {
  const { command, output, collector, spikeMs } = options;
  const [program] = command;
  if (program === undefined) throw usageError("There is no command to record.", "gcspike record -- node server.js");
  if (program === "") throw usageError("The command's first word is empty.", "gcspike record -- node server.js");
  if (command.some((word) => word.includes("\0"))) {
    throw usageError("The command holds a NUL character, which no program can be given.", "Take it out.");
  }
  if (output === "" || output?.includes("\0") === true) {
    throw usageError("-o names no folder.", "Name a new folder: -o DIR.gcspike");
  }
  if (!COLLECTORS.includes(collector)) {
    throw usageError(`There is no collector "${String(collector)}".`, 'Choose "probe" or "perf_hooks".');
  }
  if (spikeMs !== undefined && !(Number.isFinite(spikeMs) && spikeMs >= 0)) {
    throw usageError(`A spike cannot be ${spikeMs} ms long.`, "Give a number of ms, 0 or more.");
  }
  if (
    options.flight !== undefined &&
    (collector === "perf_hooks" || options.liveHeap === true || options.cpu === true)
  ) {
    throw usageError(
      "A flight recorder keeps what the probe writes: no perf_hooks, no profiles.",
      "Leave out --collector perf_hooks, --live-heap and --cpu, or --trigger.",
    );
  }
}

/** What the agent is told; `root` is the installed package. */
export function agentOptions(options: RecordOptions, root: string): AgentOptions {
  const profiles = options.liveHeap === true || options.cpu === true;
  return {
    schema: "gcspike.agent/1",
    collector: options.collector ?? "probe",
    phases: options.phases ?? true,
    allocations: options.allocations ?? true,
    // At this interval the native sampler costs 0.5 ms a window at 255 MB/s; at 64 KiB it is two to three times that.
    allocationIntervalBytes: 512 * 1024,
    allocationWindowMs: 1000,
    liveHeap: options.liveHeap ?? false,
    cpu: options.cpu ?? false,
    probeFolder: join(root, "prebuilds"),
    pprofModule: profiles ? createRequire(join(root, "package.json")).resolve("@datadog/pprof") : null,
    attachedBy: null,
    loadedFirst: true,
    ring: options.flight !== undefined,
  };
}

/** What the manifest says of them. */
export function manifestOptions(options: RecordOptions): Manifest["options"] {
  return {
    collector: options.collector ?? "probe",
    phases: options.phases ?? true,
    allocations: options.allocations ?? true,
    liveHeap: options.liveHeap ?? false,
    cpu: options.cpu ?? false,
    spikeMs: options.spikeMs ?? 10,
    redacted: options.redact ?? false,
  };
}

/** The checks of `gcspike doctor`: each asks the machine one thing and says what was found, and the fix where it is not well. */
import { GcspikeError } from "../../lib/errors.ts";
import { probeFileName } from "../../lib/native-file.ts";
import { plural } from "../../lib/text.ts";
import { formatBytes } from "../../lib/units.ts";
import { lackingForEbpf } from "../../recorder/ebpf/requirements.ts";
import type { System, TrialRecording } from "./system.ts";

/** works: nothing to do. limited: gcspike works without it, or with less. missing: does not work here. */
export type Status = "works" | "limited" | "missing";

export interface CheckResult {
  readonly name: string;
  readonly status: Status;
  readonly found: string;
  readonly fix: string | null;
}

type Answer = Omit<CheckResult, "name">;

const works = (found: string): Answer => ({ status: "works", found, fix: null });
const limited = (found: string, fix: string): Answer => ({ status: "limited", found, fix });
const missing = (found: string, fix: string): Answer => ({ status: "missing", found, fix });

/** The oldest Node that gcspike supports (package.json, engines). */
const OLDEST_NODE = 20;
/** A busy program writes about 10 MB of recording a minute; below this a long one may not fit. */
const COMFORTABLE_BYTES = 1024 ** 3;

export function checkNode(system: System): Answer {
  const found = `${system.nodeVersion} (ABI ${system.abi}), ${system.platform} ${system.arch}`;
  const major = Number(/^v(\d+)/.exec(system.nodeVersion)?.[1]);
  return major >= OLDEST_NODE ? works(found) : missing(found, `Use Node ${OLDEST_NODE} or later.`);
}

/** What a trial recording, or its failure, says. */
export type Trial =
  | { readonly recording: TrialRecording }
  /** `fix`: null where it is a fault of gcspike's. */
  | { readonly failure: string; readonly fix: string | null };

function checkProbe(system: System, trial: Trial): Answer {
  const file = probeFileName(system.machine, system.abi);
  if ("failure" in trial) {
    return missing(
      `recording with it failed: ${trial.failure}`,
      trial.fix ?? "Record with --collector perf_hooks, and report this as a fault.",
    );
  }
  const { collectors, pauses, warnings } = trial.recording;
  if (!collectors.includes("probe")) {
    const { compilerSaid } = system;
    const why = compilerSaid === null ? "" : ` Compiling it failed: ${compilerSaid}.`;
    return limited(
      `${warnings[0] ?? `${file} does not load.`}${why} Recordings use perf_hooks.`,
      "Install g++ or clang, and run gcspike doctor again as a user who may write to its folder. Else use a Node version that gcspike ships a binary for.",
    );
  }
  return pauses > 0
    ? works(`${file} loads; ${plural(pauses, "pause")} in a test program`)
    : missing(
        `${file} loads, but recorded no pause`,
        "Record with --collector perf_hooks, and report this as a fault.",
      );
}

function checkCollector(trial: Trial, collector: string, without: string): Answer {
  if ("failure" in trial) return limited("not tried: recording with the probe failed", "See gc probe above.");
  return trial.recording.collectors.includes(collector)
    ? works("recorded in a test program")
    : limited(trial.recording.warnings.at(-1) ?? "not recorded in a test program", without);
}

function checkPerfHooks(trial: Trial): Answer {
  if ("failure" in trial)
    return missing(`recording with it failed: ${trial.failure}`, trial.fix ?? "Report this as a fault.");
  const { pauses } = trial.recording;
  return pauses > 0
    ? works(`${plural(pauses, "pause")} in a test program`)
    : missing("recorded no pause", "Report this as a fault.");
}

/** Beside the map, V8 writes a log of its own into the current folder. */
const NO_LOG = ["--no-logfile-per-isolate", "--logfile=/dev/null"];

/** Names of compiled functions for perf: V8 writes them to /tmp/perf-PID.map. */
export function checkPerfMap(system: System): Answer {
  if (system.platform !== "linux")
    return limited("perf is Linux only", "Nothing to fix: other profiles name functions too.");
  const { code, pid } = system.run(process.execPath, ["--perf-basic-prof", ...NO_LOG, "-e", "0"]);
  const map = `/tmp/perf-${pid}.map`;
  const written = system.exists(map);
  system.remove(map);
  if (code === 0 && written) return works("node --perf-basic-prof writes /tmp/perf-PID.map");
  return limited("node --perf-basic-prof writes no /tmp/perf-PID.map", "Make /tmp writable for this user.");
}

/** The native library below the charts: what is above it is part of gcspike. */
const DRAW = 'require("canvas").createCanvas(8, 8).toBuffer("image/png")';

export function checkCanvas(system: System): Answer {
  const { code, stderr } = system.run(process.execPath, ["-e", DRAW]);
  if (code === 0) return works("the library below --charts draws");
  const reason = stderr.split("\n").find((line) => line.includes("Error")) ?? "the library below it did not load";
  return limited(
    `--charts does not work: ${reason.trim()}`,
    "Install gcspike again on this machine; --format html draws the same charts without it.",
  );
}

export function checkHugePages(system: System): Answer {
  const modes = system.readText("/sys/kernel/mm/transparent_hugepage/enabled");
  const memory = system.readText("/proc/meminfo") ?? "";
  const value = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(memory)?.[1] ?? 0);
  const mode = /\[(\w+)\]/.exec(modes ?? "")?.[1];
  if (mode === undefined)
    return limited("this kernel has no transparent huge pages", "Nothing to fix: gcspike works without them.");
  const reserved = value("HugePages_Total");
  const pages = formatBytes(value("Hugepagesize") * 1024);
  const found = `transparent: ${mode}; reserved: ${reserved} of ${pages}`;
  if (mode !== "never" || reserved > 0) return works(found);
  return limited(found, "As root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
}

/** For `gcspike attach --ebpf`. */
export function checkEbpf(system: System): Answer {
  const bpftraceVersion = (): string | null => {
    const { code, stdout } = system.run("bpftrace", ["--version"]);
    return code === 0 ? stdout.trim() : null;
  };
  const lacking = lackingForEbpf({ ...system, bpftraceVersion });
  if (lacking.length === 0) return works(`kernel, rights and ${bpftraceVersion()} are there`);
  const fixes = lacking.map(({ fix }) => fix).join("; ");
  return limited(lacking.map(({ what }) => what).join("; "), `For attach --ebpf: ${fixes}.`);
}

/** Tells a pause in which the thread waited for a processor from one in which it waited for V8's helper threads. */
export function checkSchedstat(system: System): Answer {
  const fields = system.readText("/proc/thread-self/schedstat")?.trim().split(" ") ?? [];
  if (fields.length === 3 && Number(fields[1]) >= 0) return works("/proc/thread-self/schedstat");
  return limited(
    "no /proc/thread-self/schedstat: time waiting for a processor is unknown",
    system.platform === "linux" ? "Use a kernel with CONFIG_SCHED_INFO." : "Nothing to fix: this is Linux only.",
  );
}

export function checkFolders(system: System): Answer {
  const closed = [system.currentFolder, system.temporaryFolder].filter((folder) => !system.isWritable(folder));
  if (closed.length > 0)
    return limited(`not writable: ${closed.join(", ")}`, "Name another folder: gcspike record -o DIR.gcspike");
  const free = system.freeBytes(system.currentFolder);
  if (free === null) return works(`${system.currentFolder} is writable`);
  const found = `${formatBytes(free)} free in ${system.currentFolder}`;
  return free >= COMFORTABLE_BYTES
    ? works(found)
    : limited(found, "Free some space, or record elsewhere: -o DIR.gcspike");
}

async function tryCollector(system: System, collector: "probe" | "perf_hooks"): Promise<Trial> {
  try {
    return { recording: await system.tryRecording(collector) };
  } catch (error) {
    const fix = error instanceof GcspikeError ? (error.hint ?? null) : null;
    return { failure: error instanceof Error ? error.message.replace(/\.$/, "") : String(error), fix };
  }
}

export interface Diagnosis {
  /** Does `gcspike record` work here, with whichever collector? */
  readonly recording: boolean;
  readonly checks: readonly CheckResult[];
}

export async function diagnose(system: System): Promise<Diagnosis> {
  const probe = await tryCollector(system, "probe");
  const perfHooks = await tryCollector(system, "perf_hooks");
  const answers: Readonly<Record<string, Answer>> = {
    node: checkNode(system),
    "gc probe": checkProbe(system, probe),
    phases: checkCollector(probe, "phases", "Reports leave out V8's phases and GC work outside pauses."),
    allocations: checkCollector(probe, "allocations", "Reports leave out allocation sites."),
    perf_hooks: checkPerfHooks(perfHooks),
    schedstat: checkSchedstat(system),
    "perf map": checkPerfMap(system),
    canvas: checkCanvas(system),
    "huge pages": checkHugePages(system),
    eBPF: checkEbpf(system),
    folders: checkFolders(system),
  };
  const checks = Object.entries(answers).map(([name, answer]) => ({ name, ...answer }));
  const recording = [answers["gc probe"], answers.perf_hooks].some((answer) => answer?.status === "works");
  return { recording, checks };
}

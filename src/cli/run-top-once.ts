/** `gcspike top --json`: the Node processes of this machine as they are now. Nothing is attached to. */
import type { LivePause } from "../analysis/live-figures.ts";
import { ExitCode, usageError } from "../lib/errors.ts";
import { type RecordedInto, recordingsOf } from "../recorder/attach/target.ts";
import { nodeProcesses } from "../recorder/processes/list.ts";
import type { NodeProcess } from "../recorder/processes/node-process.ts";
import { jsonBytes } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";
import { Measuring } from "./top/measuring.ts";

/** Of the last ten seconds, over all isolates: docs/top.schema.json. */
interface Figures {
  readonly pauses: number;
  readonly p99PauseMs: number | null;
  readonly worstPause: PauseSeen | null;
  /** Goes on. */
  readonly openPause: PauseSeen | null;
  readonly gcShare: number | null;
  readonly heapBytes: number | null;
  readonly heapLimitShare: number | null;
  readonly allocatedBytesPerSecond: number | null;
  readonly loopDelayMs: number | null;
  readonly sites: readonly {
    readonly function: string;
    readonly file: string;
    readonly line: number;
    readonly share: number;
  }[];
}

interface PauseSeen {
  readonly kind: string;
  readonly durationMs: number;
}

interface ProcessSeen extends Omit<NodeProcess, "began"> {
  readonly recordings: readonly RecordedInto[];
  /** Null: nothing is known of how it collects. */
  readonly figures: Figures | null;
}

/** Prints them, in order of their numbers. Returns exit code 0. Throws a usage error for a process to attach to. */
export async function runTopOnce(pid: number | undefined, terminal: Terminal): Promise<number> {
  if (pid !== undefined) {
    throw usageError(
      "With --json, gcspike top attaches to nothing.",
      `To record the process:  gcspike attach ${pid} --duration 10s --json`,
    );
  }
  const found = [...(await nodeProcesses(new Set()))].sort((a, b) => a.pid - b.pid);
  const measuring = new Measuring(process.hrtime.bigint());
  const processes = found.map((one) => seen(one, measuring));
  terminal.out(jsonBytes({ schema: "gcspike.top/1", processes }));
  return ExitCode.ok;
}

function seen(
  { pid, parentPid, command, ageMs, cpuMs, rssBytes, threads }: NodeProcess,
  measuring: Measuring,
): ProcessSeen {
  const recordings = recordingsOf(pid);
  const known = recordings.flatMap(({ folder }) => figuresIn(folder, pid, measuring) ?? []);
  return {
    pid,
    parentPid,
    command,
    ageMs,
    cpuMs,
    rssBytes,
    threads,
    recordings,
    // Of several recordings, one has the allocations.
    figures: known.find(({ sites }) => sites.length > 0) ?? known[0] ?? null,
  };
}

/** The figures' clock began with `measuring`: this is its first moment. */
function figuresIn(folder: string, pid: number, measuring: Measuring): Figures | null {
  const figures = measuring.figuresOf(String(pid), pid, folder, 0);
  if (figures === null) return null;
  const { pauses, p99Ms, worst, open, gcShare, heapBytes, limitShare, allocationRate, loopDelayMs, sites } = figures;
  return {
    pauses,
    p99PauseMs: p99Ms,
    worstPause: pauseSeen(worst),
    openPause: pauseSeen(open),
    gcShare,
    heapBytes,
    heapLimitShare: limitShare,
    allocatedBytesPerSecond: allocationRate,
    loopDelayMs,
    sites: sites.map(({ frame, share }) => ({ function: frame.function, file: frame.file, line: frame.line, share })),
  };
}

function pauseSeen(pause: LivePause | null): PauseSeen | null {
  return pause === null ? null : { kind: pause.kind, durationMs: pause.durationMs };
}

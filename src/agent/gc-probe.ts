/** Loads the native probe for this Node and starts it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isMainThread, threadId } from "node:worker_threads";
import { machineName, probeFileName } from "../lib/native-file.ts";
import { ATTACHED_FILE, type Collector, type Sampler } from "../recording/spec.ts";
import type { OpenRecording } from "./options.ts";
import { type Stop, stopAll } from "./stop.ts";
import type { AppendTag } from "./tag-log.ts";
import { yieldSamplerToProgram } from "./yield-sampler.ts";

interface ProbeOptions {
  readonly folder: string;
  readonly isolateId: string;
  readonly threadId: number;
  readonly phases: boolean;
  readonly allocations: boolean;
  readonly allocationIntervalBytes: number;
  readonly allocationWindowMs: number;
  readonly arrayBufferBytes: number;
  readonly caller: string;
  /** Optimised code shall say which functions it inlined from now on: V8 looks at its whole heap for that. */
  readonly inlined: boolean;
  /** The recorder keeps the last of each log only. */
  readonly ring: boolean;
  /** Only while a recorder is attached: see ATTACHED_FILE. */
  readonly recorderFile?: string;
  readonly recorderPid?: number;
  /** Called on the event loop when the probe has stopped. */
  readonly onStop?: () => void;
}

interface ProbeBinding {
  readonly start: (options: ProbeOptions) => {
    readonly gc: boolean;
    readonly phases: boolean;
    readonly allocations: boolean;
    readonly arrayBuffers: boolean;
    readonly triggerStacks: boolean;
    readonly tags: boolean;
    /** Names this recording to appendTag. */
    readonly session: number;
    /** The folder of another recording that has this isolate's heap sampler, "" where none has. */
    readonly sampledInto: string;
    /** Only where allocations are sampled. */
    readonly sampler?: Sampler;
    readonly heapLimitBytes: number;
  };
  /** The folders into which this isolate is being recorded. */
  readonly recordedInto: () => readonly string[];
  /** Leaves V8's heap sampler of this isolate, or of the worker with this thread id, to the program. */
  readonly yieldSampler: (threadId?: number) => void;
  /** Appends a record of .tags; false where there is no room. */
  readonly appendTag: (session: number, record: Uint8Array) => boolean;
  readonly canReachWorkers: () => boolean;
  /**
   * Has each worker of this process, also those to come, call a function when it runs JavaScript. The function takes whether code of
   * the program's is running, and returns whether it need not be called again. Returns a number for leaveWorkers.
   */
  readonly reachWorkers: (source: string, folder: string) => number;
  /** Workers do so now, and not when they next collect or wait for events. */
  readonly askWorkers: () => void;
  readonly leaveWorkers: (number: number) => void;
}

/** What reaches workers. */
export type WorkerProbe = Pick<ProbeBinding, "canReachWorkers" | "reachWorkers" | "askWorkers" | "leaveWorkers">;

/** What the probe can do without. */
export type OptionalCollector = "phases" | "allocations" | "trigger-stacks" | "workers";

export type ProbeResult =
  | {
      readonly ok: true;
      readonly collectors: readonly Collector[];
      readonly missing: readonly OptionalCollector[];
      /** The folder of another recording that has allocations, "" where none has. */
      readonly sampledInto: string;
      readonly heapLimitBytes: number;
      /** null: its log could not be created. */
      readonly appendTag: AppendTag | null;
      readonly sampler: Sampler | null;
    }
  | { readonly ok: false; readonly reason: string };

/** Node keeps a list of what was loaded, each time it is. */
const loadedProbes = new Map<string, ProbeBinding>();

function loadProbe(folder: string): ProbeBinding {
  const known = loadedProbes.get(folder);
  if (known !== undefined) return known;
  const name = probeFileName(machineName(), process.versions.modules);
  const path = join(folder, name);
  if (!existsSync(path)) throw new Error(`there is no ${name}`);
  const loaded = { exports: {} };
  process.dlopen(loaded, path);
  const probe = loaded.exports as ProbeBinding;
  loadedProbes.set(folder, probe);
  return probe;
}

/** The folders into which this isolate is being recorded. Throws where the probe cannot be loaded. */
export function recordedInto(probeFolder: string): readonly string[] {
  return loadProbe(probeFolder).recordedInto();
}

/** Throws where the probe cannot be loaded. */
export function workerProbe(probeFolder: string): WorkerProbe {
  return loadProbe(probeFolder);
}

/** How long the probe records: until the isolate's end, or as long as the recorder that is attached wants it. */
function untilRecorderEnds(
  { folder, options }: OpenRecording,
  stops: readonly Stop[],
): Pick<ProbeOptions, "inlined" | "recorderFile" | "recorderPid" | "onStop"> {
  // V8 would look for a second at a heap of 600 MB, and of a program that runs, what is hot is optimised already.
  const inlined = options.loadedFirst;
  if (options.attachedBy === null) return { inlined };
  return {
    inlined,
    recorderFile: join(folder, ATTACHED_FILE),
    recorderPid: options.attachedBy,
    onStop: () => stopAll(stops),
  };
}

/** Never throws: says why the probe does not run. Calls `stops` when a recorder that is attached wants no more. */
export function startProbe(recording: OpenRecording, isolateId: string, stops: Stop[]): ProbeResult {
  const { folder, options } = recording;
  try {
    const probe = loadProbe(options.probeFolder);
    const result = probe.start({
      folder,
      isolateId,
      threadId,
      phases: options.phases,
      allocations: options.allocations,
      allocationIntervalBytes: options.allocationIntervalBytes,
      allocationWindowMs: options.allocationWindowMs,
      arrayBufferBytes: process.memoryUsage().arrayBuffers,
      // The probe tests its stack walk by finding this function on the stack.
      caller: startProbe.name,
      ring: options.ring,
      ...untilRecorderEnds(recording, stops),
    });
    if (!result.gc) return { ok: false, reason: "its log could not be created" };
    const collectors: Collector[] = ["probe", "heap"];
    const missing: OptionalCollector[] = result.triggerStacks ? [] : ["trigger-stacks"];
    for (const name of ["phases", "allocations"] as const) {
      if (result[name]) collectors.push(name);
      else if (options[name]) missing.push(name);
    }
    if (options.attachedBy !== null && isMainThread && !probe.canReachWorkers()) missing.push("workers");
    if (result.allocations) stops.push(yieldSamplerToProgram(probe.yieldSampler));
    const { heapLimitBytes, sampledInto, sampler = null, session } = result;
    const appendTag = result.tags ? (record: Uint8Array) => probe.appendTag(session, record) : null;
    return { ok: true, collectors, missing, sampledInto, heapLimitBytes, appendTag, sampler };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error) };
  }
}

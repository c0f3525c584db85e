/** Starts the collectors of this isolate and writes its descriptor. */
import { closeSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Collector, Manifest, Sampler, Warning } from "../recording/spec.ts";
import { builtin, isFromSnapshot } from "./builtin.ts";
import { claimIsolateId, writeDescriptor } from "./descriptor.ts";
import { changingExitListeners } from "./exit-listeners.ts";
import { type OptionalCollector, startProbe } from "./gc-probe.ts";
import type { OpenRecording } from "./options.ts";
import { startPerfHooks } from "./perf-hooks.ts";
import { startProfiles } from "./profiles.ts";
import type { Stop } from "./stop.ts";
import { openTagFile } from "./tag-file.ts";
import type { AppendTag } from "./tag-log.ts";
import { startTags } from "./tags.ts";

interface Started {
  readonly heapLimitBytes: number | null;
  readonly collectors: readonly Collector[];
  readonly sampler: Sampler | null;
  readonly warnings: readonly Warning[];
  /** null: the log of tags could not be created. */
  readonly appendTag: AppendTag | null;
}

const MISSING: Readonly<Record<OptionalCollector, Warning>> = {
  phases: {
    code: "no-phases",
    message:
      "V8's phases, reasons and incremental steps are missing: this program's trace controller is not Node's own.",
  },
  allocations: {
    code: "no-allocations",
    message: "Allocations are missing: something else samples this program's heap already.",
    hint: "Record without --heap-prof and without another heap profiler.",
  },
  "trigger-stacks": {
    code: "no-trigger-stacks",
    message: "The functions that triggered collections are missing: this V8 lays out its frames in an unknown way.",
  },
  workers: {
    code: "no-workers",
    message: "Workers are missing: this program's trace controller, through which they are reached, is not Node's own.",
    hint: "Start the program under gcspike: gcspike record -- node ...",
  },
};

/** V8 has one heap sampler an isolate: the recording that was there first has it. */
function sampledElsewhere(folder: string): Warning {
  const pid = recorderOf(folder);
  const who = pid === null ? "Another gcspike" : `Another gcspike (process ${pid})`;
  return {
    code: "no-allocations",
    message: `Allocations are missing: ${who} was there first and samples this program's heap, which V8 lets one do.`,
    hint: `They are in its recording: ${folder}`,
  };
}

/** Null where its manifest does not say. */
function recorderOf(folder: string): number | null {
  try {
    const { recorderPid } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Partial<Manifest>;
    return typeof recorderPid === "number" && recorderPid > 0 ? recorderPid : null;
  } catch {
    return null;
  }
}

const NO_TAGS: Warning = {
  code: "no-tags",
  message:
    "Marks, tags and HTTP requests are missing: their log could not be created, or this program replaced what reports them.",
};

const ONE_SAMPLER: Warning = {
  code: "live-heap-only",
  message: "Allocations over time are missing: V8 has one heap sampler, and the live-heap profile used it.",
  hint: "Record once more without --live-heap for the allocations behind each spike.",
};

/** What the probe would know. */
function heapLimit(): number | null {
  if (isFromSnapshot) return null;
  return builtin<typeof import("node:v8")>("node:v8").getHeapStatistics().heap_size_limit;
}

function startCollector(recording: OpenRecording, id: string, stops: Stop[]): Started {
  if (recording.options.collector === "perf_hooks") return startPortable(recording, id, []);
  const probe = startProbe(recording, id, stops);
  if (probe.ok) {
    const { missing, sampledInto } = probe;
    const why = (name: OptionalCollector): Warning =>
      name === "allocations" && sampledInto !== "" ? sampledElsewhere(sampledInto) : MISSING[name];
    return { ...probe, warnings: missing.map(why) };
  }
  // What PerformanceObserver needs could not be taken back.
  if (recording.options.attachedBy !== null) throw new Error(`the GC probe does not run here: ${probe.reason}`);
  const warning: Warning = {
    code: "no-probe",
    message: `The GC probe does not run on Node ${process.version} (${process.platform} ${process.arch}): ${probe.reason}. PerformanceObserver recorded instead: no CPU times, heap spaces, phases or allocations.`,
    hint: "gcspike doctor shows what is missing here.",
  };
  return startPortable(recording, id, [warning]);
}

function startPortable({ folder }: OpenRecording, id: string, warnings: readonly Warning[]): Started {
  startPerfHooks(folder, id);
  return {
    collectors: ["perf_hooks"],
    sampler: null,
    warnings,
    heapLimitBytes: heapLimit(),
    appendTag: openTagFile(folder, id),
  };
}

/** Whether tags are recorded from here on. */
function startedTags(append: AppendTag | null, isRing: boolean, stops: Stop[]): boolean {
  if (append === null) return false;
  try {
    stops.push(startTags(append, isRing));
    return true;
  } catch {
    return false;
  }
}

/** V8 has one heap sampler an isolate, and a live-heap profile needs it from start to end. */
function withOneSampler({ folder, options }: OpenRecording): OpenRecording {
  return { folder, options: { ...options, allocations: options.allocations && !options.liveHeap } };
}

function startCollectors(recording: OpenRecording, id: string, stops: Stop[]): Started {
  const { options } = recording;
  const { warnings, ...started } = startCollector(withOneSampler(recording), id, stops);
  const hasTags = startedTags(started.appendTag, options.ring, stops);
  const profiles = startProfiles(recording, id);
  const oneSampler = options.liveHeap && options.allocations ? [ONE_SAMPLER] : [];
  return {
    ...started,
    collectors: hasTags ? [...started.collectors, "tags"] : started.collectors,
    warnings: [...warnings, ...(hasTags ? [] : [NO_TAGS]), ...profiles, ...oneSampler],
  };
}

/**
 * `stops`: what the recorder's end takes back besides the collectors. Throws, and leaves no descriptor, where a recorder is attached
 * and the probe does not run.
 */
export function startIsolate(recording: OpenRecording, workerName: string, stops: Stop[] = []): void {
  const startNs = process.hrtime.bigint();
  const { id, file } = claimIsolateId(recording.folder);
  try {
    const started = changingExitListeners(() => startCollectors(recording, id, stops));
    writeDescriptor(file, { id, workerName, startNs, ...started });
  } catch (error) {
    closeSync(file);
    unlinkSync(join(recording.folder, `${id}.json`));
    throw error;
  }
}

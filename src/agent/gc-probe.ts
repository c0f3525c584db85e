/** Loads the native probe for this Node and starts it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { probeFileName } from "../lib/probe-file.ts";
import type { Collector, Sampler } from "../recording/spec.ts";
import type { OpenRecording } from "./options.ts";
import type { AppendTag } from "./tag-log.ts";
import { yieldSamplerToProgram } from "./yield-sampler.ts";

interface ProbeBinding {
  readonly start: (options: {
    readonly folder: string;
    readonly isolateId: string;
    readonly threadId: number;
    readonly phases: boolean;
    readonly allocations: boolean;
    readonly allocationIntervalBytes: number;
    readonly allocationWindowMs: number;
    readonly arrayBufferBytes: number;
    readonly caller: string;
  }) => {
    readonly gc: boolean;
    readonly phases: boolean;
    readonly allocations: boolean;
    readonly arrayBuffers: boolean;
    readonly triggerStacks: boolean;
    readonly tags: boolean;
    /** Only where allocations are sampled. */
    readonly sampler?: Sampler;
    readonly heapLimitBytes: number;
  };
  /** Leaves V8's heap sampler of this isolate, or of the worker with this thread id, to the program. */
  readonly yieldSampler: (threadId?: number) => void;
  /** Appends a record of .tags; false where there is no room. */
  readonly appendTag: (record: Uint8Array) => boolean;
}

/** What the probe can do without. */
export type OptionalCollector = "phases" | "allocations" | "trigger-stacks";

export type ProbeResult =
  | {
      readonly ok: true;
      readonly collectors: readonly Collector[];
      readonly missing: readonly OptionalCollector[];
      readonly heapLimitBytes: number;
      /** null: its log could not be created. */
      readonly appendTag: AppendTag | null;
      readonly sampler: Sampler | null;
    }
  | { readonly ok: false; readonly reason: string };

function loadProbe(folder: string): ProbeBinding {
  const name = probeFileName(process.platform, process.arch, process.versions.modules);
  const path = join(folder, name);
  if (!existsSync(path)) throw new Error(`there is no ${name}`);
  const loaded = { exports: {} };
  process.dlopen(loaded, path);
  return loaded.exports as ProbeBinding;
}

/** Never throws: says why the probe does not run. */
export function startProbe({ folder, options }: OpenRecording, isolateId: string): ProbeResult {
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
    });
    if (!result.gc) return { ok: false, reason: "its log could not be created" };
    const collectors: Collector[] = ["probe", "heap"];
    const missing: OptionalCollector[] = result.triggerStacks ? [] : ["trigger-stacks"];
    for (const name of ["phases", "allocations"] as const) {
      if (result[name]) collectors.push(name);
      else if (options[name]) missing.push(name);
    }
    if (result.allocations) yieldSamplerToProgram(probe.yieldSampler);
    const { heapLimitBytes, sampler = null } = result;
    const appendTag = result.tags ? probe.appendTag : null;
    return { ok: true, collectors, missing, heapLimitBytes, appendTag, sampler };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error) };
  }
}

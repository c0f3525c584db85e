/** One isolate: its descriptor and its logs, decoded. */
import { basename, join } from "node:path";
import { formatMs } from "../lib/units.ts";
import { errorCode, readBounded } from "./bounded-file.ts";
import { at, type Clock, earliest, msSince } from "./columns.ts";
import { decodeAllocations } from "./decode-allocations.ts";
import { decodeFunctions } from "./decode-functions.ts";
import { type DecodedGc, decodeGc, noPauses } from "./decode-gc.ts";
import { decodeHeap, noHeap } from "./decode-heap.ts";
import { decodeLoop, noLoop } from "./decode-loop.ts";
import { assignReasons, decodePhases } from "./decode-phases.ts";
import { decodeSamples } from "./decode-samples.ts";
import { decodeTags } from "./decode-tags.ts";
import { MAX_DESCRIPTOR_BYTES, parseDescriptor, type ReadDescriptor, unknownDescriptor } from "./descriptor.ts";
import { type Log, openLog } from "./log-reader.ts";
import type { Allocations, Frame, IsolateData, PhaseColumns, Samples } from "./model.ts";
import { decodePprof } from "./pprof-decode.ts";
import { type Collector, LogKind, type Warning } from "./spec.ts";

const MAX_PPROF_BYTES = 512 * 1024 * 1024;

/** An isolate whose logs are known and not decoded. */
export interface OpenedIsolate {
  readonly folder: string;
  readonly id: string;
  readonly descriptor: ReadDescriptor;
  readonly gc: Log | null;
  readonly heap: Log | null;
  readonly loop: Log | null;
  readonly tags: Log | null;
  readonly phases: Log | null;
  readonly functions: Log | null;
  readonly stacks: Log | null;
  readonly samples: Log | null;
  readonly buffers: Log | null;
  /** Raw windows, where they were not converted. */
  readonly alloc: Log | null;
  /** Path of the converted windows; null where there are samples, which say more. */
  readonly pprof: string | null;
  /** When it started, by its descriptor or its earliest log; null where neither says. */
  readonly startNs: bigint | null;
  readonly warnings: readonly Warning[];
}

/** Opens the isolate `id`, of which the folder holds the files with these suffixes. */
export function openIsolate(folder: string, id: string, suffixes: ReadonlySet<string>): OpenedIsolate {
  const warnings: Warning[] = [];
  const open = (suffix: string, kind: LogKind): Log | null => {
    if (!suffixes.has(suffix)) return null;
    const opened = openLog(join(folder, `${id}.${suffix}`), kind);
    warnings.push(...opened.warnings);
    return opened.log;
  };
  const converted = suffixes.has("alloc.pb.gz");
  const logs = {
    gc: open("gc", LogKind.gc),
    heap: open("heap", LogKind.heap),
    loop: open("loop", LogKind.loop),
    tags: open("tags", LogKind.tags),
    phases: open("phases", LogKind.phases),
    functions: open("functions", LogKind.functions),
    stacks: open("stacks", LogKind.stacks),
    samples: open("samples", LogKind.samples),
    buffers: open("buffers", LogKind.buffers),
    alloc: converted ? null : open("alloc", LogKind.alloc),
  };
  const descriptor = readDescriptor(folder, id, warnings);
  const starts = Object.values(logs).flatMap((log) => log?.header.startNs ?? []);
  return {
    folder,
    id,
    descriptor,
    ...logs,
    pprof: converted && logs.samples === null ? join(folder, `${id}.alloc.pb.gz`) : null,
    startNs: descriptor.startNs ?? earliest(starts),
    warnings: [...descriptor.warnings, ...warnings],
  };
}

/** Decodes everything that the isolate recorded. */
export function decodeIsolate(
  isolate: OpenedIsolate,
  kind: IsolateData["kind"],
  startNs: bigint,
  clock: Clock,
): IsolateData {
  const { descriptor } = isolate;
  const collectors = descriptor.collectors.length > 0 ? descriptor.collectors : collectorsOf(isolate);
  // What needs room only while it is read comes first, the columns that stay and are the largest last.
  const functions = isolate.functions === null ? { frames: [], warnings: [] } : decodeFunctions(isolate.functions);
  const phases = isolate.phases === null ? null : decodePhases(isolate.phases, clock);
  const heap = isolate.heap === null ? null : decodeHeap(isolate.heap, clock);
  const loop = isolate.loop === null ? null : decodeLoop(isolate.loop, clock);
  const tags = isolate.tags === null ? null : decodeTags(isolate.tags, clock);
  const gc = decodePauses(isolate, collectors, functions.frames, clock);
  // In a flight recorder's dump most isolates are older than the recording.
  const startMs = isolate.startNs === null ? 0 : Math.max(0, msSince(startNs, isolate.startNs) || 0);
  const measured = {
    pauses: gc.pauses,
    openPause: gc.openPause,
    heap: heap?.heap ?? noHeap(),
    loop: loop?.loop ?? noLoop(),
    phases: phases?.phases ?? null,
    tags: tags?.tags ?? null,
  };
  const endMs = Math.max(startMs, lastMoment(measured));
  const sampled = decodeSampled(isolate, functions.frames, clock, endMs);
  const { allocations, samples } = sampled;
  return {
    id: isolate.id,
    pid: descriptor.pid,
    threadId: descriptor.threadId,
    name: nameOf(descriptor, kind),
    kind,
    script: descriptor.script,
    node: descriptor.node,
    v8: descriptor.v8,
    execArgv: descriptor.execArgv,
    startMs,
    endMs: Math.max(endMs, allocations?.windows.reduce((latest, window) => Math.max(latest, window.endMs), 0) ?? 0),
    heapLimitBytes: descriptor.heapLimitBytes,
    semiSpaceBytes: descriptor.semiSpaceBytes,
    collectors,
    ...measured,
    allocations,
    samples,
    reasons: phases === null ? [] : assignReasons(gc.pauses, phases),
    triggerStacks: gc.triggerStacks,
    warnings: [
      ...isolate.warnings,
      ...functions.warnings,
      ...gc.warnings,
      ...(heap?.warnings ?? []),
      ...(loop?.warnings ?? []),
      ...(phases?.warnings ?? []),
      ...(tags?.warnings ?? []),
      ...sampled.warnings,
    ],
  };
}

function readDescriptor(folder: string, id: string, warnings: Warning[]): ReadDescriptor {
  const path = join(folder, `${id}.json`);
  const text = readBounded(path, MAX_DESCRIPTOR_BYTES);
  const descriptor = typeof text === "string" ? null : parseDescriptor(text.toString(), id);
  if (descriptor !== null) return descriptor;
  const why = typeof text === "string" ? text : "not valid JSON";
  warnings.push({
    code: "isolate-unknown",
    message: `${basename(folder)}/${id}.json cannot be read (${why}): the isolate's name and Node version are unknown.`,
  });
  return unknownDescriptor(id);
}

function decodePauses(
  { gc, id }: OpenedIsolate,
  collectors: readonly Collector[],
  functions: readonly Frame[],
  clock: Clock,
): DecodedGc {
  if (gc === null) {
    const message = `Isolate ${id} has no readable log of pauses: its pauses are unknown.`;
    return { pauses: noPauses(), openPause: null, triggerStacks: [], warnings: [{ code: "no-pauses", message }] };
  }
  const decoded = decodeGc(gc, functions, clock);
  if (decoded.pauses.count > 0 || !collectors.includes("perf_hooks")) return decoded;
  const undelivered = {
    code: "no-pauses-delivered",
    message: `perf_hooks told of no pause in isolate ${id}. It tells when the event loop turns: what a program that never waits had is unknown.`,
    hint: "gcspike doctor says whether the probe works here.",
  };
  return { ...decoded, warnings: [...decoded.warnings, undelivered] };
}

function decodeSampled(
  { descriptor, stacks, samples, buffers, alloc, pprof }: OpenedIsolate,
  functions: readonly Frame[],
  clock: Clock,
  endMs: number,
): {
  readonly allocations: Allocations | null;
  readonly samples: Samples | null;
  readonly warnings: readonly Warning[];
} {
  const { sampler } = descriptor;
  if (samples !== null) return decodeSamples({ stacks, samples, buffers }, functions, { clock, endMs, sampler });
  if (alloc !== null) return { ...decodeAllocations(alloc, clock), samples: null };
  return pprof === null ? { allocations: null, samples: null, warnings: [] } : { ...readPprof(pprof), samples: null };
}

function readPprof(path: string): { readonly allocations: Allocations | null; readonly warnings: readonly Warning[] } {
  const name = join(basename(join(path, "..")), basename(path));
  const unreadable = (why: string): Warning => ({
    code: "allocations-unreadable",
    message: `${name} cannot be read (${why}): allocation sites are unknown.`,
  });
  const file = readBounded(path, MAX_PPROF_BYTES);
  if (typeof file === "string") return { allocations: null, warnings: [unreadable(file)] };
  try {
    const { allocations, cut } = decodePprof(file);
    const last = formatMs(allocations.windows.at(-1)?.endMs ?? 0);
    const warning = { code: "allocations-cut", message: `${name} is cut: allocation sites after ${last} are unknown.` };
    return { allocations, warnings: cut ? [warning] : [] };
  } catch (error) {
    return { allocations: null, warnings: [unreadable(errorCode(error))] };
  }
}

function nameOf(descriptor: ReadDescriptor, kind: IsolateData["kind"]): string {
  if (kind === "main") return "main";
  if (kind === "worker") return descriptor.name === "" ? `worker-${descriptor.threadId}` : descriptor.name;
  return descriptor.script === "" ? `process ${descriptor.pid}` : descriptor.script;
}

function collectorsOf({ gc, heap, phases, tags, samples, alloc, pprof }: OpenedIsolate): readonly Collector[] {
  const collectors: Collector[] = [];
  // Only the probe knows of heap spaces.
  if (gc !== null) collectors.push(gc.header.strings.length > 0 ? "probe" : "perf_hooks");
  if (phases !== null) collectors.push("phases");
  if (heap !== null) collectors.push("heap");
  if (samples !== null || alloc !== null || pprof !== null) collectors.push("allocations");
  if (tags !== null) collectors.push("tags");
  return collectors;
}

function lastMoment(data: Pick<IsolateData, "pauses" | "openPause" | "heap" | "loop" | "phases" | "tags">): number {
  const { pauses, openPause, heap, loop, phases, tags } = data;
  const last = pauses.count - 1;
  return Math.max(
    last < 0 ? 0 : at(pauses.startMs, last) + at(pauses.durationMs, last),
    openPause?.startMs ?? 0,
    heap.timeMs.at(-1) ?? 0,
    loop.timeMs.at(-1) ?? 0,
    phases === null ? 0 : lastPhaseEnd(phases),
    tags?.timeMs.at(-1) ?? 0,
  );
}

function lastPhaseEnd({ count, startMs, durationMs }: PhaseColumns): number {
  let latest = 0;
  for (let i = 0; i < count; i++) latest = Math.max(latest, at(startMs, i) + at(durationMs, i));
  return latest;
}

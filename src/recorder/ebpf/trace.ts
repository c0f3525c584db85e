/** Records a program that runs without loading anything into it: bpftrace watches V8's functions from outside. */
import { setTimeout as sleep } from "node:timers/promises";
import { GcspikeError } from "../../lib/errors.ts";
import { plainText } from "../../lib/text.ts";
import { writeManifest } from "../../recording/manifest.ts";
import type { Manifest } from "../../recording/spec.ts";
import type { AttachResult } from "../attach/attach.ts";
import { startTicksOf } from "../attach/target.ts";
import { finishRecording } from "../finish.ts";
import { createFolder } from "../folder.ts";
import { startingManifest } from "../starting-manifest.ts";
import { type Bpftrace, startBpftrace } from "./bpftrace.ts";
import { parseLine } from "./events.ts";
import { bpftraceProgram } from "./program.ts";
import { pidOfName, requireEbpf, requireTraceable, type TraceTarget } from "./target.ts";
import { TraceLogs } from "./trace-logs.ts";

export interface TraceOptions {
  /** The process, by its number or by the name of its program. */
  readonly target: { readonly pid: number } | { readonly name: string };
  /** The recording's folder: new or empty. By default `<program>-<time>.gcspike` in the current folder. */
  readonly output?: string | undefined;
  /** Large allocations with their stacks; on by default. */
  readonly allocations?: boolean | undefined;
  /** From here on an allocation is large, bytes; 32 KiB by default. */
  readonly minBytes?: number | undefined;
  /** Functions a stack, innermost first, at most 64; 16 by default. */
  readonly depth?: number | undefined;
  /** Only allocations with such a function on their stack. */
  readonly function?: RegExp | undefined;
  /** A pause this long is a spike, ms; 10 by default. */
  readonly spikeMs?: number | undefined;
  /** Ends the recording; the program goes on. */
  readonly signal: AbortSignal;
}

export type TraceResult = Omit<AttachResult, "dumps">;

export interface Tracing {
  readonly path: string;
  readonly pid: number;
  readonly command: readonly string[];
}

const DEFAULT_MIN_BYTES = 32 * 1024;
const DEFAULT_DEPTH = 16;

const LOOK_AGAIN_MS = 100;
/** Lines that were on their way when the recording ended are waited for. */
const DRAIN_MS = 1500;

/**
 * Records pauses, steps of marking and large allocations of all threads of the program, until `signal` or its end. Throws GcspikeError, and
 * leaves no folder, where that is impossible.
 */
export async function trace(options: TraceOptions, started: (tracing: Tracing) => void): Promise<TraceResult> {
  requireEbpf();
  const target = requireTraceable("pid" in options.target ? options.target.pid : pidOfName(options.target.name));
  const { pid, command } = target;
  const folder = createFolder(options.output, command, new Date());
  let logs: TraceLogs | null = null;
  let bpftrace: Bpftrace | null = null;
  try {
    bpftrace = await startBpftrace(programFor(target, options), {
      pid,
      line: (text) => logs?.line(text) ?? parseLine(text) !== null,
    });
    // Not before: that it takes a while to set the probes is no part of the recording.
    const manifest: Manifest = { ...startingManifest(command, manifestOptions(options)), pid };
    writeManifest(folder.path, manifest);
    logs = new TraceLogs(folder.path, target, manifest, {
      allocations: options.allocations ?? true,
      depth: options.depth ?? DEFAULT_DEPTH,
      function: options.function ?? null,
    });
    return await record(target, options, { folder: folder.path, manifest, bpftrace, logs }, started);
  } catch (error) {
    await bpftrace?.kill();
    if (logs === null) folder.discard();
    throw logs !== null || isRunning(target) ? error : justEnded(pid);
  }
}

interface Recording {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly bpftrace: Bpftrace;
  readonly logs: TraceLogs;
}

async function record(
  target: TraceTarget,
  { signal }: TraceOptions,
  { folder, manifest, bpftrace, logs }: Recording,
  started: (tracing: Tracing) => void,
): Promise<TraceResult> {
  started({ path: folder, pid: target.pid, command: target.command });
  const complaint = await untilOver(target, bpftrace, signal);
  const programEnded = !isRunning(target);
  if (complaint === null) await drain(logs);
  const endNs = process.hrtime.bigint();
  // The kernel takes its time to take probes out.
  await bpftrace.kill();
  const known = { isRunning: () => false, warnings: logs.close(programEnded) };
  const warnings = await finishRecording(folder, { ...manifest, endNs: String(endNs) }, known);
  if (complaint !== null && !programEnded) throw endedEarly(complaint, folder);
  const durationMs = Number(endNs - BigInt(manifest.startNs)) / 1e6;
  return { path: folder, programEnded, durationMs, warnings };
}

function programFor({ pid, binary, functions, javaScript }: TraceTarget, options: TraceOptions): string {
  return bpftraceProgram({
    pid,
    binary,
    addresses: functions.addresses,
    layout: typeof javaScript === "string" ? null : javaScript.heap,
    minBytes: (options.allocations ?? true) ? (options.minBytes ?? DEFAULT_MIN_BYTES) : null,
    depth: options.depth ?? DEFAULT_DEPTH,
  });
}

function manifestOptions({ allocations, spikeMs }: TraceOptions): Manifest["options"] {
  return {
    collector: "ebpf",
    phases: false,
    allocations: allocations ?? true,
    liveHeap: false,
    cpu: false,
    spikeMs: spikeMs ?? 10,
    redacted: false,
  };
}

function isRunning({ pid, startTicks }: TraceTarget): boolean {
  return startTicksOf(pid) === startTicks;
}

/** Until the caller wants no more, or the program or bpftrace has ended. What bpftrace said in the last case, else null. */
async function untilOver(target: TraceTarget, bpftrace: Bpftrace, signal: AbortSignal): Promise<string | null> {
  let complaint: string | null = null;
  void bpftrace.ended.then((text) => {
    complaint = text;
  });
  while (!signal.aborted && isRunning(target) && complaint === null) {
    await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => {});
  }
  return complaint;
}

/** Reads on until bpftrace is as far as now. */
async function drain(logs: TraceLogs): Promise<void> {
  const nowNs = process.hrtime.bigint();
  const untilMs = performance.now() + DRAIN_MS;
  while (!logs.isUpTo(nowNs) && performance.now() < untilMs) await sleep(10);
}

function justEnded(pid: number): GcspikeError {
  return new GcspikeError("ebpf", `Process ${pid} has just ended. Nothing was changed.`, {
    hint: "Find it: pgrep -af node",
  });
}

function endedEarly(complaint: string, path: string): GcspikeError {
  const said = complaint === "" ? "without a word" : `with "${plainText(complaint, 300)}"`;
  return new GcspikeError("ebpf", `bpftrace ended before it was told to, ${said}.`, {
    kept: `What was recorded up to then is in ${path}.`,
    hint: `gcspike report ${path}`,
  });
}

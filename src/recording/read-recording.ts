/** Reads a recording folder: finished, still being written, or cut anywhere. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { GcspikeError } from "../lib/errors.ts";
import { isOfRunning } from "../lib/triggers.ts";
import { errorCode, readBounded } from "./bounded-file.ts";
import { clockAt, earliest } from "./columns.ts";
import { decodeProcess } from "./decode-process.ts";
import { listRecording, type RecordingFiles } from "./files.ts";
import { readForeign } from "./foreign/read-foreign.ts";
import { type OpenedLog, openLog } from "./log-reader.ts";
import { MANIFEST_FILE, parseManifest, unknownManifest } from "./manifest.ts";
import type { IsolateData, ProcessColumns, Recording } from "./model.ts";
import { decodeIsolate, type OpenedIsolate, openIsolate } from "./read-isolate.ts";
import { LogKind, type Manifest, RING_FOLDER, type Warning } from "./spec.ts";
import { readWorkload } from "./workload.ts";

const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
/** Somebody asked the program to stop; it did not die. */
const STOP_SIGNALS: readonly (string | null)[] = [null, "SIGINT", "SIGTERM", "SIGHUP"];
/** What a shell or a launcher makes of SIGILL, SIGTRAP, SIGABRT (out of memory), SIGFPE, SIGKILL and SIGSEGV. */
const DEATH_CODES: readonly (number | null)[] = [132, 133, 134, 136, 137, 139];
/** Warnings that say that something recorded is missing. */
const CUT = /^(?:log|allocations)-/;

interface OpenedProcess extends OpenedLog {
  readonly pid: number;
}

/**
 * Reads the recording at `path`, or a log of V8's own that stands there (foreign/). Whatever is missing or damaged in it becomes a
 * warning. Throws GcspikeError where `path` cannot be read, holds no recording and no such log, or a recording of another format version.
 */
export async function readRecording(path: string): Promise<Recording> {
  if (isFile(path)) return readForeign(path);
  const files = list(path);
  const read = readManifest(path);
  const opened = [...files.isolates].map(([id, suffixes]) => openIsolate(path, id, suffixes)).sort(byStart);
  const processes = files.processes.map((pid) => ({ pid, ...openLog(join(path, `${pid}.process`), LogKind.process) }));
  if (read.manifest === null && opened.length === 0 && processes.length === 0) throw nothingThere(path);
  const manifest = read.manifest ?? derivedManifest(path, opened, processes);
  const startNs = BigInt(manifest.startNs);
  const clock = clockAt(startNs);
  const workload = readWorkload(path, startNs);
  const kinds = isolateKinds(opened, manifest);
  const isolates = opened.map((isolate) => decodeIsolate(isolate, kinds.get(isolate) ?? "child", startNs, clock));
  const decoded = processes.flatMap(({ pid, log }) => (log === null ? [] : [decodeProcess(log, pid, clock)]));
  const columns = decoded.map(({ process }) => process);
  const warnings = [
    ...manifest.warnings,
    ...read.warnings,
    ...workload.warnings,
    ...(opened.length === 0 ? [noIsolates()] : []),
    ...[...processes, ...decoded].flatMap((source) => source.warnings),
  ];
  return {
    path,
    manifest,
    complete: isComplete(manifest, isolates, warnings),
    durationMs: durationOf(manifest, isolates, columns),
    isolates,
    processes: columns,
    workload: workload.workload,
    warnings,
  };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function list(path: string): RecordingFiles {
  try {
    return listRecording(path);
  } catch (error) {
    throw cannotRead(path, errorCode(error), error);
  }
}

function cannotRead(path: string, code: string, cause: unknown): GcspikeError {
  switch (code) {
    case "ENOENT":
      return new GcspikeError("no-recording", `There is no recording at ${path}.`, {
        hint: "Make one:  gcspike record -o NAME.gcspike -- node server.js",
        cause,
      });
    case "ENOTDIR":
      return new GcspikeError("not-a-recording", `${path} is no folder; a recording is one.`, {
        hint: "Give the NAME.gcspike folder that gcspike record made.",
        cause,
      });
    case "EACCES":
    case "EPERM":
      return new GcspikeError("recording-permission", `${path} cannot be read: permission denied.`, {
        hint: "Read it as the user who recorded it, or let your user read the folder.",
        cause,
      });
    default:
      return new GcspikeError("recording-unreadable", `${path} cannot be read (${code}).`, { cause });
  }
}

function nothingThere(path: string): GcspikeError {
  if (/\.flight\/?$/.test(path) || existsSync(join(path, RING_FOLDER))) {
    return new GcspikeError("not-a-recording", `${path} is a flight recorder's folder, no recording: its dumps are.`, {
      hint: `Give one of the .gcspike folders in it. Where gcspike was killed:  gcspike recover ${path}`,
    });
  }
  return new GcspikeError("not-a-recording", `${path} holds no recording: no manifest.json and no logs.`, {
    hint: "Give the NAME.gcspike folder that gcspike record made.",
  });
}

function readManifest(path: string): { readonly manifest: Manifest | null; readonly warnings: readonly Warning[] } {
  const text = readBounded(join(path, MANIFEST_FILE), MAX_MANIFEST_BYTES);
  const manifest = typeof text === "string" ? null : parseManifest(text.toString(), path);
  if (manifest === null) {
    const why = typeof text === "string" && text !== "ENOENT" ? `its manifest cannot be read (${text})` : "";
    const message = `The recording has no manifest${why === "" ? "" : `: ${why}`}; its command, its machine and how it ended are unknown.`;
    return {
      manifest,
      warnings: [{ code: "no-manifest", message, hint: "Everything in its logs is in this report." }],
    };
  }
  if (manifest.state === "finished") return { manifest, warnings: [] };
  return {
    manifest,
    warnings: [
      {
        code: "not-finished",
        message: "The recording is not finished: it is still being written, or gcspike was killed.",
        hint: "Everything up to now is in this report; run it again when the program has ended.",
      },
    ],
  };
}

function noIsolates(): Warning {
  return {
    code: "no-isolates",
    message:
      "No Node.js program was recorded: none started, it did not take over NODE_OPTIONS, or the permission model keeps it from writing.",
    hint: "gcspike doctor says what works on this machine.",
  };
}

/** Without a manifest time starts with the first isolate, and the folder's own date is the best there is. */
function derivedManifest(
  path: string,
  isolates: readonly OpenedIsolate[],
  processes: readonly OpenedProcess[],
): Manifest {
  const starts = [
    ...isolates.flatMap(({ startNs }) => startNs ?? []),
    ...processes.flatMap(({ log }) => log?.header.startNs ?? []),
  ];
  return unknownManifest(earliest(starts) ?? 0n, statSync(path).birthtime);
}

/**
 * The program's own isolate is the one of the process that gcspike started; of those that one process had one after the other
 * (execve), the last. Where that process was a launcher without Node (a shell), it is the one process below it that started
 * all others, if there is exactly one.
 */
function isolateKinds(
  /** In order of start. */
  isolates: readonly OpenedIsolate[],
  { pid }: Manifest,
): ReadonlyMap<OpenedIsolate, IsolateData["kind"]> {
  const programs = isolates.filter(({ descriptor }) => descriptor.kind === "process");
  const started = programs.filter(({ descriptor }) => descriptor.pid === pid);
  const pids = new Set(programs.map(({ descriptor }) => descriptor.pid));
  const roots = programs.filter(({ descriptor }) => !pids.has(descriptor.parentPid));
  const rootPids = new Set(roots.map(({ descriptor }) => descriptor.pid));
  const candidates = started.length > 0 ? started : rootPids.size === 1 ? roots : [];
  const main = candidates.at(-1);
  return new Map(
    isolates.map((isolate) => {
      if (isolate.descriptor.kind === "worker") return [isolate, "worker"];
      return [isolate, isolate === main ? "main" : "child"];
    }),
  );
}

function byStart(a: OpenedIsolate, b: OpenedIsolate): number {
  return Number((a.startNs ?? 0n) - (b.startNs ?? 0n));
}

function isComplete(manifest: Manifest, isolates: readonly IsolateData[], warnings: readonly Warning[]): boolean {
  const { state, exit } = manifest;
  const died = !STOP_SIGNALS.includes(exit?.signal ?? null) || DEATH_CODES.includes(exit?.code ?? null);
  const isCut = [...warnings, ...isolates.flatMap((isolate) => isolate.warnings)].some(({ code }) => CUT.test(code));
  const diedInPause = !isOfRunning(manifest.dump) && isolates.some(({ openPause }) => openPause !== null);
  return state === "finished" && !died && !isCut && !diedInPause;
}

function durationOf(
  { startNs, endNs }: Manifest,
  isolates: readonly IsolateData[],
  processes: readonly ProcessColumns[],
): number {
  const ended = endNs === null ? 0 : Number(BigInt(endNs) - BigInt(startNs)) / 1e6;
  const moments = [...isolates.map(({ endMs }) => endMs), ...processes.map(({ timeMs }) => timeMs.at(-1) ?? 0)];
  return moments.reduce((latest, moment) => Math.max(latest, moment), Math.max(0, ended));
}

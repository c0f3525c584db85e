/** manifest.json: written whole, read with suspicion. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GcspikeError } from "../lib/errors.ts";
import { asFields, type Fields, integerOf, listOf, nanosecondsOf, numberOf, textOf, textsOf } from "./fields.ts";
import { type Dump, FORMAT_VERSION, MANIFEST_SCHEMA, type Manifest, type Warning } from "./spec.ts";

export const MANIFEST_FILE = "manifest.json";

/**
 * Writes manifest.json beside itself and renames it into place: a reader finds the old one or the new one, never a part.
 * Throws what the file system throws (ENOSPC, ENOENT, ...).
 */
export function writeManifest(folder: string, manifest: Manifest): void {
  const path = join(folder, MANIFEST_FILE);
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(temporary, path);
}

/**
 * The manifest in `text`, with a neutral value for every field that is missing or of the wrong type; null where it is no
 * manifest at all. Throws GcspikeError where it is one of another format version; `folder` says whose.
 */
export function parseManifest(text: string, folder: string): Manifest | null {
  const fields = parseObject(text);
  const startNs = nanosecondsOf(fields?.startNs);
  if (fields === null || startNs === null) return null;
  const version = numberOf(fields.formatVersion);
  if (version !== FORMAT_VERSION) throw otherVersion(folder, version);
  return {
    schema: MANIFEST_SCHEMA,
    formatVersion: FORMAT_VERSION,
    gcspike: textOf(fields.gcspike) ?? "",
    state: fields.state === "finished" ? "finished" : "recording",
    command: textsOf(fields.command),
    startedAt: dateOf(fields.startedAt),
    startNs: String(startNs),
    endNs: nanosecondsOf(fields.endNs)?.toString() ?? null,
    exit: exitOf(fields.exit),
    pid: integerOf(fields.pid),
    recorderPid: integerOf(fields.recorderPid) ?? 0,
    machine: machineOf(asFields(fields.machine) ?? {}),
    options: optionsOf(asFields(fields.options) ?? {}),
    dump: dumpOf(fields.dump),
    files: listOf(fields.files).flatMap(fileOf),
    warnings: warningsOf(fields.warnings),
  };
}

/** What stands for the manifest of a recording that has none. */
export function unknownManifest(startNs: bigint, startedAt: Date): Manifest {
  return {
    schema: MANIFEST_SCHEMA,
    formatVersion: FORMAT_VERSION,
    gcspike: "",
    state: "recording",
    command: [],
    startedAt: startedAt.toISOString(),
    startNs: String(startNs),
    endNs: null,
    exit: null,
    pid: null,
    recorderPid: 0,
    machine: machineOf({}),
    options: optionsOf({}),
    dump: null,
    files: [],
    warnings: [],
  };
}

export function parseObject(text: string): Fields | null {
  try {
    return asFields(JSON.parse(text));
  } catch {
    return null;
  }
}

export function warningsOf(value: unknown): readonly Warning[] {
  return listOf(value).flatMap((item) => {
    const fields = asFields(item);
    const code = textOf(fields?.code);
    const message = textOf(fields?.message);
    const hint = textOf(fields?.hint);
    if (code === null || message === null) return [];
    return hint === null ? [{ code, message }] : [{ code, message, hint }];
  });
}

function otherVersion(folder: string, version: number | null): GcspikeError {
  const found = version === null ? "no format version" : `format version ${version}`;
  return new GcspikeError(
    "recording-version",
    `${folder} has ${found}; this gcspike reads version ${FORMAT_VERSION}.`,
    { hint: "Read it with the gcspike that recorded it, or record again with this one." },
  );
}

function dateOf(value: unknown): string {
  const time = Date.parse(textOf(value) ?? "");
  return new Date(Number.isNaN(time) ? 0 : time).toISOString();
}

function exitOf(value: unknown): Manifest["exit"] {
  const fields = asFields(value);
  return fields === null ? null : { code: integerOf(fields.code), signal: textOf(fields.signal) };
}

function machineOf(fields: Fields): Manifest["machine"] {
  return {
    platform: textOf(fields.platform) ?? "",
    arch: textOf(fields.arch) ?? "",
    cpus: integerOf(fields.cpus) ?? 0,
    cpuModel: textOf(fields.cpuModel) ?? "",
    memoryBytes: integerOf(fields.memoryBytes) ?? 0,
    pageFaultNs: pageFaultOf(fields.pageFaultNs),
    kernel: textOf(fields.kernel) ?? "",
  };
}

const COLLECTORS: readonly Manifest["options"]["collector"][] = ["probe", "perf_hooks", "ebpf"];

function optionsOf(fields: Fields): Manifest["options"] {
  return {
    collector: COLLECTORS.find((collector) => collector === fields.collector) ?? "probe",
    phases: fields.phases === true,
    allocations: fields.allocations === true,
    liveHeap: fields.liveHeap === true,
    cpu: fields.cpu === true,
    spikeMs: numberOf(fields.spikeMs) ?? 10,
    redacted: fields.redacted === true,
  };
}

/** More than a flight recorder writes. */
const MOST_TRIGGERS = 100;

function dumpOf(value: unknown): Dump | null {
  const fields = asFields(value);
  const triggers = listOf(fields?.triggers).slice(0, MOST_TRIGGERS).flatMap(triggerOf);
  if (fields === null || triggers.length === 0) return null;
  return {
    keepMs: numberOf(fields.keepMs) ?? 0,
    afterMs: numberOf(fields.afterMs) ?? 0,
    triggers,
    untold: integerOf(fields.untold) ?? 0,
  };
}

function triggerOf(value: unknown): Dump["triggers"] {
  const fields = asFields(value);
  const trigger = textOf(fields?.trigger);
  const atNs = nanosecondsOf(fields?.atNs);
  if (trigger === null || atNs === null) return [];
  return [{ trigger, atNs: String(atNs), what: textOf(fields?.what) ?? "" }];
}

function fileOf(value: unknown): Manifest["files"] {
  const fields = asFields(value);
  const name = textOf(fields?.name);
  if (fields === null || name === null) return [];
  return [{ name, format: textOf(fields.format) ?? "", bytes: integerOf(fields.bytes) ?? 0 }];
}

/** A fault that takes longer than a tenth of a second is damage. */
const MOST_PAGE_FAULT_NS = 1e8;

function pageFaultOf(value: unknown): number | null {
  const ns = numberOf(value);
  return ns !== null && ns > 0 && ns <= MOST_PAGE_FAULT_NS ? ns : null;
}

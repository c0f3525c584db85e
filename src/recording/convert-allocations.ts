/** An isolate's sampled allocations as pprof. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readBounded } from "./bounded-file.ts";
import { clockAt, msSince } from "./columns.ts";
import { decodeAllocations } from "./decode-allocations.ts";
import { decodeFunctions } from "./decode-functions.ts";
import { decodeSamples } from "./decode-samples.ts";
import { MAX_DESCRIPTOR_BYTES, parseDescriptor } from "./descriptor.ts";
import { openLog } from "./log-reader.ts";
import { MANIFEST_FILE, parseManifest } from "./manifest.ts";
import type { Allocations } from "./model.ts";
import { encodePprof } from "./pprof-encode.ts";
import { replaceFile } from "./replace-file.ts";
import { LogKind, type Manifest, type Warning } from "./spec.ts";

/**
 * Writes `<isolate>.alloc.pb.gz`: from `<isolate>.samples`, which stays, or from `<isolate>.alloc`, which is then removed, not
 * before the new file is whole, on the disk and in its place. The isolate's process must have ended. Nothing happens where
 * there is neither. Returns what is missing in the new file and not said when the logs are read. Throws what the file system
 * throws (ENOSPC, ...); the raw log is then still there.
 */
export async function convertAllocations(folder: string, isolateId: string): Promise<readonly Warning[]> {
  const manifest = parseManifest(readFileSync(join(folder, MANIFEST_FILE), "utf8"), folder);
  const write = (allocations: Allocations) =>
    replaceFile(join(folder, `${isolateId}.alloc.pb.gz`), encodePprof(allocations, new Date(manifest?.startedAt ?? 0)));
  const sampled = fromSamples(folder, isolateId, manifest);
  if (sampled !== null) {
    write(sampled);
    return [];
  }
  const raw = join(folder, `${isolateId}.alloc`);
  const { log, warnings } = openLog(raw, LogKind.alloc);
  if (log === null) return warnings;
  const decoded = decodeAllocations(log, clockAt(BigInt(manifest?.startNs ?? log.header.startNs)));
  write(decoded.allocations);
  rmSync(raw);
  return [...warnings, ...decoded.warnings];
}

function fromSamples(folder: string, isolateId: string, manifest: Manifest | null): Allocations | null {
  const open = (suffix: string, kind: LogKind) => openLog(join(folder, `${isolateId}.${suffix}`), kind).log;
  const samples = open("samples", LogKind.samples);
  if (samples === null) return null;
  const functions = open("functions", LogKind.functions);
  const startNs = BigInt(manifest?.startNs ?? samples.header.startNs);
  const endMs = manifest?.endNs == null ? 0 : msSince(startNs, BigInt(manifest.endNs)) || 0;
  const descriptor = readBounded(join(folder, `${isolateId}.json`), MAX_DESCRIPTOR_BYTES);
  const sampler = typeof descriptor === "string" ? null : parseDescriptor(descriptor.toString(), isolateId)?.sampler;
  return decodeSamples(
    { stacks: open("stacks", LogKind.stacks), samples, buffers: open("buffers", LogKind.buffers) },
    functions === null ? [] : decodeFunctions(functions).frames,
    { clock: clockAt(startNs), endMs, sampler: sampler ?? null },
  ).allocations;
}

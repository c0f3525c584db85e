/** Replaces an isolate's raw allocation windows by pprof. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { clockAt } from "./columns.ts";
import { decodeAllocations } from "./decode-allocations.ts";
import { openLog } from "./log-reader.ts";
import { MANIFEST_FILE, parseManifest } from "./manifest.ts";
import { encodePprof } from "./pprof-encode.ts";
import { replaceFile } from "./replace-file.ts";
import { LogKind, type Warning } from "./spec.ts";

/**
 * Writes `<isolate>.alloc.pb.gz` from `<isolate>.alloc`, then removes the raw log: not before the new file is whole, on the
 * disk and in its place. The isolate's process must have ended. Nothing happens where there is no raw log.
 * Returns what is missing in the new file. Throws what the file system throws (ENOSPC, ...); the raw log is then still there.
 */
export async function convertAllocations(folder: string, isolateId: string): Promise<readonly Warning[]> {
  const raw = join(folder, `${isolateId}.alloc`);
  const { log, warnings } = openLog(raw, LogKind.alloc);
  if (log === null) return warnings;
  const manifest = parseManifest(readFileSync(join(folder, MANIFEST_FILE), "utf8"), folder);
  const startNs = BigInt(manifest?.startNs ?? log.header.startNs);
  const decoded = decodeAllocations(log, clockAt(startNs));
  replaceFile(`${raw}.pb.gz`, encodePprof(decoded.allocations, new Date(manifest?.startedAt ?? 0)));
  rmSync(raw);
  return [...warnings, ...decoded.warnings];
}

/** Reads what gcspike did not write, as a recording: logs of V8's, recognised by their content. */
import { statSync } from "node:fs";
import { constants, gunzipSync } from "node:zlib";
import { GcspikeError } from "../../lib/errors.ts";
import { readBounded } from "../bounded-file.ts";
import { unknownManifest } from "../manifest.ts";
import type { Recording } from "../model.ts";
import { readChromeTrace } from "./chrome-trace.ts";
import { type ForeignLog, readTraceGc } from "./trace-gc-log.ts";

/** A log of a day of a busy program has some hundred megabytes. */
const MOST_BYTES = 1024 ** 3;
/** In the beginning of a trace stands what it is. */
const LOOK_BYTES = 64 * 1024;
const GZIP = 0x1f8b;

/** @throws GcspikeError where the file cannot be read, is too large, or is no log that is known */
export function readForeign(path: string): Recording {
  const read = readBounded(path, MOST_BYTES);
  if (typeof read === "string") throw new GcspikeError("log-unreadable", `${path} cannot be read (${read}).`);
  const bytes = unpacked(read, path);
  const log = isTrace(bytes) ? readChromeTrace(bytes) : readTraceGc(bytes);
  if (log === null) {
    throw new GcspikeError(
      "not-a-recording",
      `${path} is a file; a recording is a folder. No log of V8's collections is in it, either.`,
      {
        hint: "Give the NAME.gcspike folder that gcspike record made, a log of node --trace-gc, or a trace in Chrome's JSON.",
      },
    );
  }
  return recordingOf(path, log);
}

/** The most that is known of when it was: the last line was written when the file was last changed. */
function recordingOf(path: string, { isolates, machine, durationMs, warnings }: ForeignLog): Recording {
  const startedAt = new Date(Math.max(0, statSync(path).mtimeMs - durationMs));
  const manifest = unknownManifest(0n, startedAt);
  const isCut = warnings.some(({ code }) => code === "log-cut");
  return {
    path,
    manifest: {
      ...manifest,
      state: "finished",
      pid: isolates[0]?.pid ?? null,
      machine: { ...manifest.machine, ...machine },
    },
    complete: !isCut,
    durationMs,
    isolates,
    processes: [],
    workload: null,
    warnings,
  };
}

/** DevTools saves traces as gzip. One that was cut is read as far as it goes. */
function unpacked(bytes: Buffer, path: string): Buffer {
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== GZIP) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_BYTES, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw new GcspikeError("log-unreadable", `${path} cannot be unpacked: it is damaged, or larger than 1 GiB.`, {
      cause,
    });
  }
}

/** `{"traceEvents":[{"ph":...`, `[{"pid":...,"ph":...`; logs that are JSON line by line have no such list. */
function isTrace(bytes: Buffer): boolean {
  const beginning = bytes.toString("latin1", 0, LOOK_BYTES);
  if (/^\s{0,100}\[\s{0,100}\{/.test(beginning)) return beginning.includes('"ph"');
  return /^\s{0,100}\{/.test(beginning) && bytes.subarray(0, 16 * LOOK_BYTES).includes('"traceEvents"');
}

/** The .tags log where there is no probe to write it: a system call a record, so that no death of the process costs one. */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { encodeLogHeader } from "../recording/gc-log-writer.ts";
import { LogKind } from "../recording/spec.ts";
import type { AppendTag } from "./tag-log.ts";

/** Null where the file cannot be created. */
export function openTagFile(folder: string, isolateId: string): AppendTag | null {
  // Now: the program may replace what node:fs exports.
  const write = writeSync;
  try {
    const file = openSync(join(folder, `${isolateId}.tags`), "wx");
    const startNs = process.hrtime.bigint();
    write(file, encodeLogHeader({ kind: LogKind.tags, recordBytes: 0, pid: process.pid, threadId, startNs }));
    return appending(file, write);
  } catch {
    return null;
  }
}

function appending(file: number, write: typeof writeSync): AppendTag {
  let isOpen = true;
  return (record) => {
    if (!isOpen) return false;
    try {
      isOpen = write(file, record) === record.length;
    } catch {
      // A full disk or a removed folder: what is written stays, the program goes on.
      isOpen = false;
    }
    return isOpen;
  };
}

/** Cuts logs to what is written in them: the target maps more than it needs, in steps. */
import { truncateSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "./bounded-file.ts";
import { listRecording } from "./files.ts";
import { type Log, openLog, recordBehind } from "./log-reader.ts";
import { GC, LogKind, type Warning } from "./spec.ts";

/** The logs of an isolate, by suffix. */
export const ISOLATE_LOGS: Readonly<Record<string, LogKind>> = {
  gc: LogKind.gc,
  heap: LogKind.heap,
  loop: LogKind.loop,
  tags: LogKind.tags,
  phases: LogKind.phases,
  functions: LogKind.functions,
  stacks: LogKind.stacks,
  samples: LogKind.samples,
  buffers: LogKind.buffers,
  alloc: LogKind.alloc,
};

/**
 * Cuts every log in `folder` to its header and its committed records. A collection in which the process died stays: it is the
 * record behind the last committed one. Logs of processes that run (`isRunning`) stay as they are, for a mapped file that
 * shrinks kills its process: asked after the log was found, so that a process that starts meanwhile is safe too.
 * Returns a warning for each log that could not be cut. Throws where the folder cannot be listed.
 */
export function trimLogs(folder: string, isRunning: (pid: number) => boolean = () => false): readonly Warning[] {
  const { isolates, processes } = listRecording(folder);
  const logs = [...isolates].flatMap(([id, suffixes]) =>
    [...suffixes].map((suffix) => ({ name: `${id}.${suffix}`, kind: ISOLATE_LOGS[suffix] })),
  );
  const processLogs = processes.map((pid) => ({ name: `${pid}.process`, kind: LogKind.process }));
  return [...logs, ...processLogs].flatMap(({ name, kind }) =>
    kind === undefined || isRunning(Number.parseInt(name, 10)) ? [] : trimLog(openLog(join(folder, name), kind).log),
  );
}

function trimLog(log: Log | null): readonly Warning[] {
  if (log === null || log.header.committedBytes !== log.bytes) return [];
  try {
    truncateSync(log.path, log.header.headerBytes + log.bytes + openRecordBytes(log));
    return [];
  } catch (error) {
    const message = `${log.name} cannot be cut to its content (${errorCode(error)}): it takes more room than it needs.`;
    return [{ code: "not-trimmed", message }];
  }
}

function openRecordBytes(log: Log): number {
  if (log.header.kind !== LogKind.gc) return 0;
  const record = recordBehind(log);
  const begun = record !== null && record.view.getBigUint64(GC.startNs, true) !== 0n;
  return begun ? log.header.recordBytes : 0;
}

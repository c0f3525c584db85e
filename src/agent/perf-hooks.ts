/**
 * The portable collector: a PerformanceObserver for `gc` entries, for machines where no probe runs. It allocates in the
 * heap that it measures, and what the event loop did not deliver is lost when the process is killed.
 */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { encodeGcLogHeader, encodeGcRecord, gcRecordBytes } from "../recording/gc-log-writer.ts";
import { builtin } from "./builtin.ts";

interface GcEntry {
  readonly startTime: number;
  readonly duration: number;
  readonly detail?: { readonly kind?: number; readonly flags?: number };
}

export function startPerfHooks(folder: string, isolateId: string): void {
  const { PerformanceObserver, performance } = builtin<typeof import("node:perf_hooks")>("node:perf_hooks");
  const file = openSync(join(folder, `${isolateId}.gc`), "wx");
  const originNs = process.hrtime.bigint() - BigInt(Math.round(performance.now() * 1e6));
  const toNs = (ms: number): bigint => originNs + BigInt(Math.round(ms * 1e6));
  writeSync(file, encodeGcLogHeader({ pid: process.pid, threadId, startNs: process.hrtime.bigint() }));
  const record = Buffer.alloc(gcRecordBytes(0));
  const write = (entries: readonly unknown[]): void => {
    try {
      for (const entry of entries as readonly GcEntry[]) {
        encodeGcRecord(record, {
          kind: entry.detail?.kind ?? 0,
          flags: entry.detail?.flags ?? 0,
          startNs: toNs(entry.startTime),
          endNs: toNs(entry.startTime + entry.duration),
        });
        writeSync(file, record);
      }
    } catch {
      // A full disk or a removed folder: what is written stays, the program goes on.
      observer.disconnect();
    }
  };
  const observer = new PerformanceObserver((list) => write(list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  process.on("exit", () => write(observer.takeRecords()));
}

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LiveTail } from "../../../src/recorder/live.ts";
import {
  encodeGcLogHeader,
  encodeGcRecord,
  encodeLogHeader,
  gcRecordBytes,
} from "../../../src/recording/gc-log-writer.ts";
import { HEADER, HEAP, LogKind } from "../../../src/recording/spec.ts";

const WRITER = { pid: 1, threadId: 0, startNs: 0n };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gcspike-live-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function pause(durationMs: number): Buffer {
  const record = Buffer.alloc(gcRecordBytes(0));
  encodeGcRecord(record, { kind: 1, startNs: 1000n, endNs: 1000n + BigInt(durationMs * 1e6) });
  return record;
}

function heapLog(used: number): Buffer {
  const record = Buffer.alloc(HEAP.spaces);
  record.writeBigUInt64LE(BigInt(used), HEAP.used);
  return Buffer.concat([encodeLogHeader({ ...WRITER, kind: LogKind.heap, recordBytes: HEAP.spaces }), record]);
}

test("only what is new is counted, over all isolates", () => {
  const main = join(folder, "1-0.gc");
  writeFileSync(main, Buffer.concat([encodeGcLogHeader(WRITER), pause(2), pause(40)]));
  const tail = new LiveTail(folder);
  expect(tail.read()).toEqual({ pauses: 2, worstMs: 40, heapBytes: null });
  expect(tail.read()).toEqual({ pauses: 2, worstMs: 40, heapBytes: null });
  appendFileSync(main, pause(7));
  writeFileSync(join(folder, "1-1.gc"), Buffer.concat([encodeGcLogHeader({ ...WRITER, threadId: 1 }), pause(50)]));
  expect(tail.read()).toEqual({ pauses: 4, worstMs: 50, heapBytes: null });
});

test("a record that is half written counts when it is whole", () => {
  const path = join(folder, "1-0.gc");
  const record = pause(3);
  writeFileSync(path, Buffer.concat([encodeGcLogHeader(WRITER), record.subarray(0, 100)]));
  const tail = new LiveTail(folder);
  expect(tail.read().pauses).toBe(0);
  appendFileSync(path, record.subarray(100));
  expect(tail.read().pauses).toBe(1);
});

test("a mapped log counts as far as it is committed", () => {
  const header = encodeGcLogHeader(WRITER);
  header.writeBigUInt64LE(BigInt(gcRecordBytes(0)), HEADER.committedBytes);
  writeFileSync(join(folder, "1-0.gc"), Buffer.concat([header, pause(3), Buffer.alloc(100 * gcRecordBytes(0))]));
  expect(new LiveTail(folder).read()).toMatchObject({ pauses: 1, worstMs: 3 });
});

test("a collection that is not over is no pause yet", () => {
  const record = pause(3);
  record.writeBigUInt64LE(0n, 24);
  writeFileSync(join(folder, "1-0.gc"), Buffer.concat([encodeGcLogHeader(WRITER), record]));
  expect(new LiveTail(folder).read().pauses).toBe(0);
});

test("the heap is the newest sample of the isolate that uses most", () => {
  writeFileSync(join(folder, "1-0.heap"), heapLog(100));
  writeFileSync(join(folder, "1-1.heap"), heapLog(300));
  const tail = new LiveTail(folder);
  expect(tail.read().heapBytes).toBe(300);
  appendFileSync(join(folder, "1-0.heap"), heapLog(500).subarray(-HEAP.spaces));
  expect(tail.read().heapBytes).toBe(500);
});

test("nonsense and a folder that goes away are left out", () => {
  writeFileSync(join(folder, "1-0.gc"), Buffer.alloc(5000, 0xff));
  writeFileSync(join(folder, "1-1.gc"), "short");
  writeFileSync(join(folder, "1-2.gc"), Buffer.concat([encodeGcLogHeader(WRITER), pause(9)]));
  const tail = new LiveTail(folder);
  expect(tail.read()).toEqual({ pauses: 1, worstMs: 9, heapBytes: null });
  rmSync(folder, { recursive: true });
  expect(tail.read()).toEqual({ pauses: 1, worstMs: 9, heapBytes: null });
});

/**
 * Writes .gc logs: the header, and one record a pause. The target's own collector is bundled with this file, so it is small
 * and imports nothing but the format.
 */
import {
  FORMAT_VERSION,
  GC,
  GC_PROCESS,
  GC_PROCESS_BYTES,
  GC_SPACE_BYTES,
  GcPresent,
  HEADER,
  HEADER_BYTES,
  HEADER_STRING_BYTES,
  LOG_MAGIC,
  LogKind,
  SPACE_UNIT,
  STACK_FRAMES,
  UNTIL_END_OF_FILE,
} from "./spec.ts";

export interface LogHeaderFields {
  readonly kind: LogKind;
  /** Bytes a record, 0 where records have different lengths. */
  readonly recordBytes: number;
  readonly headerBytes?: number;
  /** Valid record bytes; left out: everything up to the end of the file, for a writer that only appends. */
  readonly committedBytes?: bigint;
  readonly droppedRecords?: bigint;
  readonly dropReasons?: number;
  readonly strings?: readonly string[];
  readonly pid: number;
  readonly threadId: number;
  readonly startNs: bigint;
}

/** The header page that every log starts with. */
export function encodeLogHeader(fields: LogHeaderFields): Buffer {
  const header = Buffer.alloc(fields.headerBytes ?? HEADER_BYTES);
  const strings = fields.strings ?? [];
  header.write(LOG_MAGIC, 0, "latin1");
  header.writeUInt32LE(FORMAT_VERSION, HEADER.version);
  header.writeUInt32LE(fields.kind, HEADER.kind);
  header.writeUInt32LE(fields.recordBytes, HEADER.recordBytes);
  header.writeUInt32LE(header.length, HEADER.headerBytes);
  header.writeBigUInt64LE(fields.committedBytes ?? UNTIL_END_OF_FILE, HEADER.committedBytes);
  header.writeBigUInt64LE(fields.droppedRecords ?? 0n, HEADER.droppedRecords);
  header.writeUInt32LE(fields.dropReasons ?? 0, HEADER.dropReasons);
  header.writeUInt32LE(strings.length, HEADER.stringCount);
  header.writeUInt32LE(fields.pid, HEADER.pid);
  header.writeUInt32LE(fields.threadId, HEADER.threadId);
  header.writeBigUInt64LE(fields.startNs, HEADER.startNs);
  strings.forEach((text, index) => {
    header.write(text, HEADER.strings + index * HEADER_STRING_BYTES, HEADER_STRING_BYTES, "utf8");
  });
  return header;
}

/** Heap sizes before and after a pause, bytes. */
interface GcHeapFields {
  readonly usedBefore: number;
  readonly usedAfter: number;
  readonly committedBefore: number;
  readonly committedAfter: number;
  readonly externalBefore: number;
  readonly externalAfter: number;
  readonly mallocedBefore: number;
  readonly mallocedAfter: number;
  readonly heapLimit: number;
}

interface GcSpaceFields {
  readonly usedBefore: number;
  readonly usedAfter: number;
  readonly committedBefore: number;
  readonly committedAfter: number;
}

/** One pause. A group that is left out was not measured, and its `present` bit stays clear. Sizes in bytes. */
export interface GcRecordFields {
  /** V8's GCType of the outermost callback. */
  readonly kind: number;
  /** V8's GCCallbackFlags. */
  readonly flags?: number;
  readonly startNs: bigint;
  /** 0n: the process died inside this collection. */
  readonly endNs: bigint;
  readonly nestedKinds?: number;
  readonly nestedCount?: number;
  readonly cpuNs?: bigint;
  readonly runQueueNs?: bigint;
  readonly scheduling?: {
    readonly minorFaults: number;
    readonly majorFaults: number;
    readonly voluntarySwitches: number;
    readonly involuntarySwitches: number;
  };
  /** All threads of the process, and the isolate's thread in the kernel. */
  readonly process?: {
    readonly cpuNs: bigint;
    readonly minorFaults: number;
    readonly majorFaults: number;
    readonly kernelNs: bigint;
    readonly threadKernelNs: bigint;
  };
  readonly heap?: GcHeapFields;
  readonly arrayBufferBytes?: number;
  readonly probeNs?: number;
  /** Code addresses, innermost first; what is beyond STACK_FRAMES is left out. */
  readonly stack?: readonly bigint[];
  /** In the order of the header's string table. */
  readonly spaces?: readonly GcSpaceFields[];
}

/** Bytes a .gc record has with `spaces` heap spaces in the header's string table. */
export function gcRecordBytes(spaces: number): number {
  return gcProcessOffset(spaces) + GC_PROCESS_BYTES;
}

/** Where in such a record the process's part begins: there ends a record of a recording that has none. */
export function gcProcessOffset(spaces: number): number {
  return GC.spaces + spaces * GC_SPACE_BYTES;
}

/** Header of a .gc log to which records are appended. */
export function encodeGcLogHeader(fields: {
  readonly pid: number;
  readonly threadId: number;
  readonly startNs: bigint;
  readonly spaces?: readonly string[];
}): Buffer {
  const strings = fields.spaces ?? [];
  return encodeLogHeader({ ...fields, kind: LogKind.gc, recordBytes: gcRecordBytes(strings.length), strings });
}

/** Writes one record over the whole of `target`, which is gcRecordBytes(spaces) long and can be used again. */
export function encodeGcRecord(target: Buffer, record: GcRecordFields): void {
  target.fill(0);
  target.writeUInt32LE(record.kind, GC.kind);
  target.writeUInt32LE(record.nestedKinds ?? 0, GC.nestedKinds);
  target.writeUInt32LE(record.flags ?? 0, GC.flags);
  target.writeUInt32LE(presentBits(record), GC.present);
  target.writeBigUInt64LE(record.startNs, GC.startNs);
  target.writeBigUInt64LE(record.endNs, GC.endNs);
  target.writeBigUInt64LE(record.cpuNs ?? 0n, GC.cpuNs);
  target.writeBigUInt64LE(record.runQueueNs ?? 0n, GC.runQueueNs);
  if (record.scheduling !== undefined) writeFields32(target, record.scheduling);
  if (record.heap !== undefined) writeFields64(target, record.heap);
  if (record.arrayBufferBytes !== undefined) writeSize(target, record.arrayBufferBytes, GC.arrayBufferBytes);
  target.writeUInt32LE(record.probeNs ?? 0, GC.probeNs);
  target.writeUInt32LE(record.nestedCount ?? 0, GC.nestedCount);
  const stack = (record.stack ?? []).slice(0, STACK_FRAMES);
  target.writeUInt32LE(stack.length, GC.frameCount);
  stack.forEach((address, index) => {
    target.writeBigUInt64LE(address, GC.stack + index * 8);
  });
  record.spaces?.forEach((space, index) => {
    const offset = GC.spaces + index * GC_SPACE_BYTES;
    target.writeUInt32LE(space.usedBefore / SPACE_UNIT, offset);
    target.writeUInt32LE(space.usedAfter / SPACE_UNIT, offset + 4);
    target.writeUInt32LE(space.committedBefore / SPACE_UNIT, offset + 8);
    target.writeUInt32LE(space.committedAfter / SPACE_UNIT, offset + 12);
  });
  if (record.process !== undefined) writeProcess(target, record.process);
}

/** It is the last part of the record. */
function writeProcess(target: Buffer, process: NonNullable<GcRecordFields["process"]>): void {
  const offset = target.length - GC_PROCESS_BYTES;
  target.writeBigUInt64LE(process.cpuNs, offset + GC_PROCESS.cpuNs);
  target.writeUInt32LE(process.minorFaults, offset + GC_PROCESS.minorFaults);
  target.writeUInt32LE(process.majorFaults, offset + GC_PROCESS.majorFaults);
  target.writeBigUInt64LE(process.kernelNs, offset + GC_PROCESS.kernelNs);
  target.writeBigUInt64LE(process.threadKernelNs, offset + GC_PROCESS.threadKernelNs);
}

function presentBits(record: GcRecordFields): number {
  return (
    (record.cpuNs === undefined ? 0 : GcPresent.cpu) |
    (record.scheduling === undefined ? 0 : GcPresent.faultsAndSwitches) |
    (record.runQueueNs === undefined ? 0 : GcPresent.runQueue) |
    (record.heap === undefined ? 0 : GcPresent.heap) |
    (record.stack === undefined ? 0 : GcPresent.stack) |
    (record.spaces === undefined ? 0 : GcPresent.spaces) |
    (record.arrayBufferBytes === undefined ? 0 : GcPresent.arrayBuffers) |
    (record.process === undefined ? 0 : GcPresent.process)
  );
}

function writeFields32(target: Buffer, fields: NonNullable<GcRecordFields["scheduling"]>): void {
  target.writeUInt32LE(fields.minorFaults, GC.minorFaults);
  target.writeUInt32LE(fields.majorFaults, GC.majorFaults);
  target.writeUInt32LE(fields.voluntarySwitches, GC.voluntarySwitches);
  target.writeUInt32LE(fields.involuntarySwitches, GC.involuntarySwitches);
}

function writeFields64(target: Buffer, heap: GcHeapFields): void {
  writeSize(target, heap.usedBefore, GC.usedBefore);
  writeSize(target, heap.usedAfter, GC.usedAfter);
  writeSize(target, heap.committedBefore, GC.committedBefore);
  writeSize(target, heap.committedAfter, GC.committedAfter);
  writeSize(target, heap.externalBefore, GC.externalBefore);
  writeSize(target, heap.externalAfter, GC.externalAfter);
  writeSize(target, heap.mallocedBefore, GC.mallocedBefore);
  writeSize(target, heap.mallocedAfter, GC.mallocedAfter);
  writeSize(target, heap.heapLimit, GC.heapLimit);
}

/** Two halves rather than a BigInt: the target's heap is the one under measurement. */
function writeSize(target: Buffer, bytes: number, offset: number): void {
  target.writeUInt32LE(bytes % 2 ** 32, offset);
  target.writeUInt32LE(Math.floor(bytes / 2 ** 32), offset + 4);
}

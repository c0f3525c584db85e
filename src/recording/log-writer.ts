/** Writes all logs but .gc (gc-log-writer.ts) from plain data: what the probe writes natively. Sizes in bytes. */
import { encodeLogHeader, type LogHeaderFields } from "./gc-log-writer.ts";
import {
  ALLOC,
  ALLOC_ENTRY_BYTES,
  ALLOC_NODE_BYTES,
  ALLOC_STRING,
  ALLOC_WINDOW,
  FUNCTION,
  HEAP,
  HEAP_SPACE_BYTES,
  LOOP,
  LOOP_RECORD_BYTES,
  NO_POSITION,
  PHASE,
  PHASE_RECORD_BYTES,
  PROCESS,
  PROCESS_RECORD_BYTES,
  SAMPLE,
  SAMPLE_RECORD_BYTES,
  type SampleType,
  SPACE_UNIT,
  STACK,
} from "./spec.ts";

const TRUNCATED = 1;

/** A whole log. Without `committedBytes` all of `records` are committed. */
export function encodeLog(header: LogHeaderFields, records: readonly Buffer[]): Buffer {
  const body = Buffer.concat(records);
  const committedBytes = header.committedBytes ?? BigInt(body.length);
  return Buffer.concat([encodeLogHeader({ ...header, committedBytes }), body]);
}

export interface HeapRecordFields {
  readonly timeNs: bigint;
  readonly used: bigint;
  readonly committed: bigint;
  readonly limit: bigint;
  readonly external: bigint;
  readonly malloced: bigint;
  /** null: unknown. */
  readonly arrayBuffers: bigint | null;
  readonly spaces: readonly { readonly used: number; readonly committed: number }[];
}

export function heapRecordBytes(spaces: number): number {
  return HEAP.spaces + spaces * HEAP_SPACE_BYTES;
}

export function encodeHeapRecord(record: HeapRecordFields): Buffer {
  const bytes = Buffer.alloc(heapRecordBytes(record.spaces.length));
  bytes.writeBigUInt64LE(record.timeNs, HEAP.timeNs);
  bytes.writeBigUInt64LE(record.used, HEAP.used);
  bytes.writeBigUInt64LE(record.committed, HEAP.committed);
  bytes.writeBigUInt64LE(record.limit, HEAP.limit);
  bytes.writeBigUInt64LE(record.external, HEAP.external);
  bytes.writeBigUInt64LE(record.malloced, HEAP.malloced);
  bytes.writeBigUInt64LE(record.arrayBuffers ?? 0xffff_ffff_ffff_ffffn, HEAP.arrayBuffers);
  record.spaces.forEach(({ used, committed }, index) => {
    bytes.writeUInt32LE(used / SPACE_UNIT, HEAP.spaces + index * HEAP_SPACE_BYTES);
    bytes.writeUInt32LE(committed / SPACE_UNIT, HEAP.spaces + index * HEAP_SPACE_BYTES + 4);
  });
  return bytes;
}

export interface LoopRecordFields {
  readonly timeNs: bigint;
  readonly idleNs: bigint;
  readonly maxBusyNs: bigint;
  readonly cpuNs: bigint;
}

export function encodeLoopRecord(record: LoopRecordFields): Buffer {
  const bytes = Buffer.alloc(LOOP_RECORD_BYTES);
  bytes.writeBigUInt64LE(record.timeNs, LOOP.timeNs);
  bytes.writeBigUInt64LE(record.idleNs, LOOP.idleNs);
  bytes.writeBigUInt64LE(record.maxBusyNs, LOOP.maxBusyNs);
  bytes.writeBigUInt64LE(record.cpuNs, LOOP.cpuNs);
  return bytes;
}

export interface ProcessRecordFields {
  readonly timeNs: bigint;
  readonly rss: bigint;
  readonly cpuNs: bigint;
  readonly minorFaults: bigint;
  readonly majorFaults: bigint;
  readonly involuntarySwitches: bigint;
}

export function encodeProcessRecord(record: ProcessRecordFields): Buffer {
  const bytes = Buffer.alloc(PROCESS_RECORD_BYTES);
  bytes.writeBigUInt64LE(record.timeNs, PROCESS.timeNs);
  bytes.writeBigUInt64LE(record.rss, PROCESS.rss);
  bytes.writeBigUInt64LE(record.cpuNs, PROCESS.cpuNs);
  bytes.writeBigUInt64LE(record.minorFaults, PROCESS.minorFaults);
  bytes.writeBigUInt64LE(record.majorFaults, PROCESS.majorFaults);
  bytes.writeBigUInt64LE(record.involuntarySwitches, PROCESS.involuntarySwitches);
  return bytes;
}

export interface PhaseRecordFields {
  readonly startNs: bigint;
  readonly durationNs: bigint;
  /** Index into the header's strings. */
  readonly name: number;
  /** Index into the header's strings; null for none. */
  readonly reason: number | null;
  readonly depth: number;
  readonly usedAfter: bigint;
}

export function encodePhaseRecord(record: PhaseRecordFields): Buffer {
  const bytes = Buffer.alloc(PHASE_RECORD_BYTES);
  bytes.writeBigUInt64LE(record.startNs, PHASE.startNs);
  bytes.writeBigUInt64LE(record.durationNs, PHASE.durationNs);
  bytes.writeUInt16LE(record.name, PHASE.name);
  bytes.writeUInt16LE(record.reason === null ? 0 : record.reason + 1, PHASE.reason);
  bytes.writeUInt8(record.depth, PHASE.depth);
  bytes.writeBigUInt64LE(record.usedAfter, PHASE.usedAfter);
  return bytes;
}

export interface FunctionRecordFields {
  readonly name: string;
  readonly script: string;
  /** Where the function starts in its script, in UTF-16 code units; null: unknown. */
  readonly position: number | null;
}

export function encodeFunctionRecord(record: FunctionRecordFields): Buffer {
  const name = Buffer.from(record.name);
  const script = Buffer.from(record.script);
  const bytes = Buffer.alloc(padded(FUNCTION.text + name.length + script.length));
  bytes.writeUInt32LE(bytes.length, FUNCTION.bytes);
  bytes.writeUInt16LE(name.length, FUNCTION.nameBytes);
  bytes.writeUInt16LE(script.length, FUNCTION.scriptBytes);
  bytes.writeUInt32LE(record.position ?? NO_POSITION, FUNCTION.position);
  name.copy(bytes, FUNCTION.text);
  script.copy(bytes, FUNCTION.text + name.length);
  return bytes;
}

/** `functions`: numbers, innermost first. */
export function encodeStackRecord(functions: readonly number[]): Buffer {
  const bytes = Buffer.alloc(padded(STACK.frames + functions.length * 4));
  bytes.writeUInt32LE(bytes.length, STACK.bytes);
  bytes.writeUInt32LE(functions.length, STACK.frameCount);
  functions.forEach((number, index) => {
    bytes.writeUInt32LE(number, STACK.frames + index * 4);
  });
  return bytes;
}

export interface SampleRecordFields {
  readonly type: (typeof SampleType)[keyof typeof SampleType];
  /** Number of the stack, 0: none. */
  readonly stack: number;
  readonly timeNs: bigint;
  readonly number: bigint;
  readonly bytes: bigint;
  readonly standsFor: bigint;
}

export function encodeSampleRecord(record: SampleRecordFields): Buffer {
  const bytes = Buffer.alloc(SAMPLE_RECORD_BYTES);
  bytes.writeUInt32LE(record.type, SAMPLE.type);
  bytes.writeUInt32LE(record.stack, SAMPLE.stack);
  bytes.writeBigUInt64LE(record.timeNs, SAMPLE.timeNs);
  bytes.writeBigUInt64LE(record.number, SAMPLE.number);
  bytes.writeBigUInt64LE(record.bytes, SAMPLE.bytes);
  bytes.writeBigUInt64LE(record.standsFor, SAMPLE.standsFor);
  return bytes;
}

export function encodeAllocString(text: string): Buffer {
  const content = Buffer.from(text);
  const bytes = Buffer.alloc(padded(ALLOC.text + content.length));
  bytes.writeUInt32LE(bytes.length, ALLOC.bytes);
  bytes.writeUInt16LE(ALLOC_STRING, ALLOC.type);
  bytes.writeUInt16LE(content.length, ALLOC.length);
  content.copy(bytes, ALLOC.text);
  return bytes;
}

export interface AllocWindowFields {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly intervalBytes: bigint;
  /** Samples were left out because the window had too many. */
  readonly truncated: boolean;
  readonly nodes: readonly {
    /** Index of the node that called this one, which comes before it; null for the root's children. */
    readonly parent: number | null;
    /** Numbers of the strings. */
    readonly function: number;
    readonly script: number;
    readonly line: number;
    readonly column: number;
  }[];
  readonly entries: readonly { readonly node: number; readonly count: number; readonly objectBytes: number }[];
}

export function encodeAllocWindow(window: AllocWindowFields): Buffer {
  const entries = ALLOC.nodes + window.nodes.length * ALLOC_NODE_BYTES;
  const bytes = Buffer.alloc(padded(entries + window.entries.length * ALLOC_ENTRY_BYTES));
  bytes.writeUInt32LE(bytes.length, ALLOC.bytes);
  bytes.writeUInt16LE(ALLOC_WINDOW, ALLOC.type);
  bytes.writeUInt16LE(window.truncated ? TRUNCATED : 0, ALLOC.flags);
  bytes.writeBigUInt64LE(window.startNs, ALLOC.startNs);
  bytes.writeBigUInt64LE(window.endNs, ALLOC.endNs);
  bytes.writeBigUInt64LE(window.intervalBytes, ALLOC.interval);
  bytes.writeUInt32LE(window.nodes.length, ALLOC.nodeCount);
  bytes.writeUInt32LE(window.entries.length, ALLOC.entryCount);
  window.nodes.forEach((node, index) => {
    const offset = ALLOC.nodes + index * ALLOC_NODE_BYTES;
    bytes.writeUInt32LE(node.parent === null ? 0 : node.parent + 1, offset);
    bytes.writeUInt32LE(node.function, offset + 4);
    bytes.writeUInt32LE(node.script, offset + 8);
    bytes.writeUInt32LE(node.line, offset + 12);
    bytes.writeUInt32LE(node.column, offset + 16);
  });
  window.entries.forEach(({ node, count, objectBytes }, index) => {
    const offset = entries + index * ALLOC_ENTRY_BYTES;
    bytes.writeUInt32LE(node, offset);
    bytes.writeUInt32LE(count, offset + 4);
    bytes.writeBigUInt64LE(BigInt(objectBytes), offset + 8);
  });
  return bytes;
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/**
 * Reads logs: the header, and the records that were written whole. A log may be cut anywhere, still be growing, or hold
 * nonsense; what cannot be read becomes a Warning, never an exception, and memory stays bounded by a chunk.
 */
import { closeSync, fstatSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { formatBytes } from "../lib/units.ts";
import { errorCode, openRegular } from "./bounded-file.ts";
import { gcProcessOffset, gcRecordBytes } from "./gc-log-writer.ts";
import {
  DropReason,
  FORMAT_VERSION,
  HEADER,
  HEADER_STRING_BYTES,
  HEAP,
  HEAP_SPACE_BYTES,
  LOG_MAGIC,
  LOOP_RECORD_BYTES,
  LogKind,
  MAX_LOG_BYTES,
  PHASE_RECORD_BYTES,
  PHASES_HEADER_BYTES,
  PROCESS_RECORD_BYTES,
  SAMPLE_RECORD_BYTES,
  type Warning,
} from "./spec.ts";

/** Large enough that system calls do not count, small against the 500 MB that reading may take. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** No allocation window comes near it; a length beyond it is damage. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const MAX_HEADER_BYTES = 1024 * 1024;

interface LogHeader {
  readonly kind: LogKind;
  /** 0 where records have different lengths. */
  readonly recordBytes: number;
  readonly headerBytes: number;
  /** Infinity: everything up to the end of the file. */
  readonly committedBytes: number;
  readonly droppedRecords: number;
  /** DropReason bits. */
  readonly dropReasons: number;
  readonly strings: readonly string[];
  readonly pid: number;
  readonly threadId: number;
  readonly startNs: bigint;
}

export interface Log {
  readonly path: string;
  /** "NAME.gcspike/4121-0.gc", for messages. */
  readonly name: string;
  readonly header: LogHeader;
  /** Record bytes that are committed and in the file; whole records only where all have the same length. */
  readonly bytes: number;
}

/** A log that could be read, or null, and what there is to say about it. */
export interface OpenedLog {
  readonly log: Log | null;
  readonly warnings: readonly Warning[];
}

/** A view of the bytes of one record; valid until the callback returns. */
export interface RecordView {
  readonly view: DataView;
  readonly buffer: Buffer;
}

/** Opens the log at `path`. A file that does not exist is a log that is not there: no warning. */
export function openLog(path: string, kind: LogKind): OpenedLog {
  const name = join(basename(dirname(path)), basename(path));
  const fd = openRegular(path);
  if (typeof fd === "string") {
    if (fd === "ENOENT") return { log: null, warnings: [] };
    return skipped("log-unreadable", `${name} cannot be read (${fd}); what it holds is missing.`);
  }
  try {
    return openedLog(fd, path, name, kind);
  } catch (error) {
    return skipped("log-unreadable", `${name} cannot be read (${errorCode(error)}); what it holds is missing.`);
  } finally {
    closeSync(fd);
  }
}

/** What of a log stands behind its first `bytes` of records, which are whole ones. */
export function behind(log: Log, bytes: number): Log {
  const { headerBytes, committedBytes } = log.header;
  const header = { ...log.header, headerBytes: headerBytes + bytes, committedBytes: committedBytes - bytes };
  return { ...log, header, bytes: Math.max(0, log.bytes - bytes) };
}

/**
 * Calls back for each record of a log whose records have one length, in the order of the file. `offset` is the record's
 * place in `record`, which is used again for the next chunk. A file that shrinks meanwhile ends early.
 */
export function eachRecord(log: Log, callback: (record: RecordView, offset: number, index: number) => void): void {
  const { recordBytes, headerBytes } = log.header;
  const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / recordBytes));
  const record = recordView(Math.min(perChunk * recordBytes, log.bytes));
  withFile(log, (fd) => {
    let index = 0;
    for (let at = 0; at < log.bytes; at += record.buffer.length) {
      const length = Math.min(record.buffer.length, log.bytes - at);
      const got = readFully(fd, record.buffer, length, headerBytes + at);
      for (let offset = 0; offset + recordBytes <= got; offset += recordBytes) callback(record, offset, index++);
      if (got < length) return;
    }
  });
}

/**
 * Calls back for each record of a log whose records begin with their own length (4 bytes, a multiple of 8). Stops at the
 * first record that is cut or damaged and says so.
 */
export function eachSizedRecord(
  log: Log,
  minimumBytes: number,
  callback: (record: RecordView, offset: number, length: number) => void,
): readonly Warning[] {
  let chunk = recordView(Math.min(CHUNK_BYTES, log.bytes));
  let at = 0;
  let count = 0;
  withFile(log, (fd) => {
    for (;;) {
      const got = readFully(
        fd,
        chunk.buffer,
        Math.min(chunk.buffer.length, log.bytes - at),
        log.header.headerBytes + at,
      );
      let offset = 0;
      let length = recordLength(chunk.view, offset, got, minimumBytes);
      while (length > 0 && offset + length <= got) {
        callback(chunk, offset, length);
        offset += length;
        count++;
        length = recordLength(chunk.view, offset, got, minimumBytes);
      }
      at += offset;
      if (offset > 0) continue;
      if (length <= chunk.buffer.length || length > log.bytes - at) return;
      chunk = recordView(length);
    }
  });
  if (at === log.bytes) return [];
  return [log.header.committedBytes > log.bytes ? cutWarning(log.name, count, null, log.header) : damaged(log, count)];
}

/** The length that the record at `offset` claims; 0 where it claims nonsense or nothing is there. */
function recordLength(view: DataView, offset: number, got: number, minimumBytes: number): number {
  if (offset + 4 > got) return 0;
  const length = view.getUint32(offset, true);
  return length < minimumBytes || length % 8 !== 0 || length > MAX_RECORD_BYTES ? 0 : length;
}

function damaged(log: Log, whole: number): Warning {
  return {
    code: "log-damaged",
    message: `${log.name} is damaged after record ${whole.toLocaleString("en-US")}; the rest of it is missing.`,
  };
}

/** What stands behind the last committed record, where it is as long as a record; null where it is shorter. */
export function recordBehind(log: Log): RecordView | null {
  const record = recordView(log.header.recordBytes);
  let got = 0;
  withFile(log, (fd) => {
    got = readFully(fd, record.buffer, record.buffer.length, log.header.headerBytes + log.bytes);
  });
  return got === record.buffer.length ? record : null;
}

/** "x.gcspike/4121-0.gc is cut after record 20,417 of 31,000 (the disk was full)." */
function cutWarning(name: string, whole: number, of: number | null, header: LogHeader): Warning {
  const total = of === null ? "an unknown number" : of.toLocaleString("en-US");
  const why = (header.dropReasons & DropReason.diskFull) === 0 ? "" : " (the disk was full)";
  return {
    code: "log-cut",
    message: `${name} is cut after record ${whole.toLocaleString("en-US")} of ${total}${why}.`,
    hint: "Everything before that is in this report.",
  };
}

function openedLog(fd: number, path: string, name: string, kind: LogKind): OpenedLog {
  const size = fstatSync(fd).size;
  const page = readHeader(fd, size);
  if (page.length < HEADER.strings) {
    return skipped("log-cut", `${name} is cut inside its header (${formatBytes(page.length)}): it holds no records.`);
  }
  if (page.toString("latin1", 0, LOG_MAGIC.length) !== LOG_MAGIC) {
    return skipped("log-damaged", `${name} is not a log of gcspike: it does not begin with its mark.`);
  }
  const version = page.readUInt32LE(HEADER.version);
  if (version !== FORMAT_VERSION) {
    return skipped(
      "log-version",
      `${name} has format version ${version}; this gcspike reads version ${FORMAT_VERSION}.`,
      "Read it with the gcspike that recorded it, or record again with this one.",
    );
  }
  if (page.readBigUInt64LE(HEADER.ringBytes) !== 0n) {
    return skipped("log-ring", `${name} is a ring, of which a flight recorder makes recordings: it is left out.`);
  }
  const header = decodeHeader(page, kind);
  if (header === null) {
    return skipped("log-damaged", `${name} has a damaged header: what it holds is missing.`);
  }
  return measuredLog(path, name, header, size);
}

/** At least what of the header is there. A page of it is all, mostly: who looks at a growing log every second opens it each time. */
function readHeader(fd: number, size: number): Buffer {
  const read = (bytes: number): Buffer => {
    const page = Buffer.alloc(Math.min(size, bytes));
    return page.subarray(0, readFully(fd, page, page.length, 0));
  };
  const page = read(PHASES_HEADER_BYTES);
  const isWhole = page.length < HEADER.strings || page.readUInt32LE(HEADER.headerBytes) <= page.length;
  return isWhole ? page : read(MAX_HEADER_BYTES);
}

function decodeHeader(page: Buffer, kind: LogKind): LogHeader | null {
  const count = page.readUInt32LE(HEADER.stringCount);
  const headerBytes = page.readUInt32LE(HEADER.headerBytes);
  const recordBytes = page.readUInt32LE(HEADER.recordBytes);
  const sane =
    page.readUInt32LE(HEADER.kind) === kind &&
    headerBytes <= MAX_HEADER_BYTES &&
    HEADER.strings + count * HEADER_STRING_BYTES <= headerBytes &&
    isRecordBytes(recordBytes, kind, count);
  if (!sane) return null;
  return {
    kind,
    recordBytes,
    headerBytes,
    committedBytes: committed(page.readBigUInt64LE(HEADER.committedBytes)),
    droppedRecords: Number(page.readBigUInt64LE(HEADER.droppedRecords)),
    dropReasons: page.readUInt32LE(HEADER.dropReasons),
    strings: Array.from({ length: count }, (_, index) => headerString(page, index)),
    pid: page.readUInt32LE(HEADER.pid),
    threadId: page.readUInt32LE(HEADER.threadId),
    startNs: page.readBigUInt64LE(HEADER.startNs),
  };
}

/** All ones, and any other number that no file can reach, mean: up to the end of the file. */
function committed(bytes: bigint): number {
  return bytes > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(bytes);
}

function headerString(page: Buffer, index: number): string {
  const start = HEADER.strings + index * HEADER_STRING_BYTES;
  const field = page.subarray(start, start + HEADER_STRING_BYTES);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? field.length : end);
}

function isRecordBytes(bytes: number, kind: LogKind, strings: number): boolean {
  // Recordings made before the process was measured too.
  const isOlder = kind === LogKind.gc && bytes === gcProcessOffset(strings);
  return isOlder || bytes === expectedRecordBytes(kind, strings);
}

function expectedRecordBytes(kind: LogKind, strings: number): number {
  switch (kind) {
    case LogKind.gc:
      return gcRecordBytes(strings);
    case LogKind.heap:
      return HEAP.spaces + strings * HEAP_SPACE_BYTES;
    case LogKind.phases:
      return PHASE_RECORD_BYTES;
    case LogKind.process:
      return PROCESS_RECORD_BYTES;
    case LogKind.loop:
      return LOOP_RECORD_BYTES;
    case LogKind.samples:
    case LogKind.buffers:
      return SAMPLE_RECORD_BYTES;
    default:
      return 0;
  }
}

function measuredLog(path: string, name: string, header: LogHeader, size: number): OpenedLog {
  const inFile = Math.max(0, Math.min(size, MAX_LOG_BYTES[header.kind]) - header.headerBytes);
  const promised = Math.min(header.committedBytes, inFile);
  const stride = Math.max(1, header.recordBytes);
  const bytes = promised - (promised % stride);
  const total = Number.isFinite(header.committedBytes) ? Math.floor(header.committedBytes / stride) : null;
  const cut = header.committedBytes > inFile && (total !== null || bytes !== inFile);
  const warnings: Warning[] = [];
  if (cut && header.recordBytes > 0) warnings.push(cutWarning(name, bytes / stride, total, header));
  if (header.droppedRecords > 0) warnings.push(droppedWarning(name, header));
  return { log: { path, name, header, bytes }, warnings };
}

function droppedWarning(name: string, header: LogHeader): Warning {
  const reasons = [
    header.dropReasons & DropReason.diskFull ? "the disk was full" : "",
    header.dropReasons & DropReason.sizeLimit ? "the log had reached its size limit" : "",
    header.dropReasons & DropReason.tooFast ? "they came faster than room could be made" : "",
  ].filter((reason) => reason !== "");
  const why = reasons.length === 0 ? "" : `: ${reasons.join(" and ")}`;
  const full = (header.dropReasons & DropReason.diskFull) !== 0;
  return {
    code: "log-dropped",
    message: `${name} lacks ${header.droppedRecords.toLocaleString("en-US")} records that were not written${why}.`,
    ...(full ? { hint: "Free some space, or record to another disk with -o." } : {}),
  };
}

function skipped(code: string, message: string, hint?: string): OpenedLog {
  return { log: null, warnings: [hint === undefined ? { code, message } : { code, message, hint }] };
}

function recordView(length: number): RecordView {
  const buffer = Buffer.allocUnsafeSlow(length);
  return { buffer, view: new DataView(buffer.buffer) };
}

/** Runs `use` on the open file; a file that has gone since it was measured reads as empty. */
function withFile(log: Log, use: (fd: number) => void): void {
  const fd = openRegular(log.path);
  if (typeof fd === "string") return;
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}

function readFully(fd: number, target: Buffer, length: number, position: number): number {
  let got = 0;
  while (got < length) {
    const count = readSync(fd, target, got, length - got, position + got);
    if (count === 0) break;
    got += count;
  }
  return got;
}

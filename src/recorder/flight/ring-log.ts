/**
 * One log of a flight recorder, while the program writes it and afterwards. Positions count record bytes from the log's beginning and
 * only rise; what is forgotten may be overwritten at any time.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { HEADER, HEADER_STRING_BYTES, LOG_MAGIC, type LogKind, MAX_LOG_BYTES } from "../../recording/spec.ts";

const MAX_HEADER_BYTES = 1024 * 1024;
/** The fields that change while a log is written. */
const FIELDS_BYTES = HEADER.strings;

/** How far a log is, and how many records it had no room for. */
export interface LogState {
  readonly committed: number;
  readonly dropped: number;
}

export class RingLog {
  readonly kind: LogKind;
  /** 0 where records have different lengths. */
  readonly recordBytes: number;
  /** 0: not a ring, but a log that keeps everything. */
  readonly ringBytes: number;
  readonly #file: number;
  readonly #headerBytes: number;
  readonly #fields: Buffer;
  #first = 0;

  /** Null where the file is no log of this kind (yet). Throws what the file system throws. */
  static open(path: string, kind: LogKind): RingLog | null {
    const file = openSync(path, "r+");
    try {
      const fields = Buffer.alloc(FIELDS_BYTES);
      if (readSync(file, fields, 0, FIELDS_BYTES, 0) === FIELDS_BYTES && isSane(fields, kind)) {
        return new RingLog(file, fields, kind);
      }
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
    return null;
  }

  private constructor(file: number, fields: Buffer, kind: LogKind) {
    this.#file = file;
    this.#fields = fields;
    this.kind = kind;
    this.recordBytes = fields.readUInt32LE(HEADER.recordBytes);
    this.ringBytes = Number(fields.readBigUInt64LE(HEADER.ringBytes));
    this.#headerBytes = fields.readUInt32LE(HEADER.headerBytes);
  }

  /** The first position that is not forgotten. */
  get first(): number {
    return this.#first;
  }

  /** What the log's own header says now. The program writes it: what makes no sense is as if nothing had been added. */
  state(): LogState {
    readSync(this.#file, this.#fields, 0, FIELDS_BYTES, 0);
    const committed = Number(this.#fields.readBigUInt64LE(HEADER.committedBytes));
    const room = this.ringBytes > 0 ? this.ringBytes : Math.min(this.#size(), MAX_LOG_BYTES[this.kind]);
    const whole = this.recordBytes > 0 ? committed - (committed % this.recordBytes) : committed;
    const isSane = whole >= this.#first && whole - this.#first <= room;
    return {
      committed: isSane ? whole : this.#first,
      dropped: Number(this.#fields.readBigUInt64LE(HEADER.droppedRecords)),
    };
  }

  /** The header page as it is now. */
  header(): Buffer {
    const page = Buffer.alloc(this.#headerBytes);
    readSync(this.#file, page, 0, page.length, 0);
    return page;
  }

  /** The names of the header's table. */
  strings(): readonly string[] {
    const page = this.header();
    const room = Math.floor((page.length - HEADER.strings) / HEADER_STRING_BYTES);
    const count = Math.min(room, page.readUInt32LE(HEADER.stringCount));
    return Array.from({ length: count }, (_, index) => {
      const start = HEADER.strings + index * HEADER_STRING_BYTES;
      const field = page.subarray(start, start + HEADER_STRING_BYTES);
      const end = field.indexOf(0);
      return field.toString("utf8", 0, end === -1 ? field.length : end);
    });
  }

  /** The bytes between two positions, as many of them as there are. */
  read(from: number, to: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, to - from));
    let done = 0;
    while (done < bytes.length) {
      const inRing = this.ringBytes > 0 ? (from + done) % this.ringBytes : from + done;
      const inOnePiece = this.ringBytes > 0 ? this.ringBytes - inRing : bytes.length - done;
      const wanted = Math.min(bytes.length - done, inOnePiece);
      const got = readSync(this.#file, bytes, done, wanted, this.#headerBytes + inRing);
      if (got === 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  }

  /** Goes on where a recorder was killed: it had forgotten what is before `position`, or was about to. */
  resume(position: number): void {
    const said = Number(this.header().readBigUInt64LE(HEADER.firstBytes));
    this.#first = this.ringBytes === 0 ? 0 : Math.max(said, position);
  }

  /** Leaves what is before `position` to be overwritten. */
  forget(position: number): void {
    if (this.ringBytes === 0 || position <= this.#first) return;
    this.#first = position;
    const field = Buffer.alloc(8);
    field.writeBigUInt64LE(BigInt(position));
    writeSync(this.#file, field, 0, field.length, HEADER.firstBytes);
  }

  close(): void {
    closeSync(this.#file);
  }

  #size(): number {
    return fstatSync(this.#file).size;
  }
}

function isSane(fields: Buffer, kind: LogKind): boolean {
  const headerBytes = fields.readUInt32LE(HEADER.headerBytes);
  return (
    fields.toString("latin1", 0, LOG_MAGIC.length) === LOG_MAGIC &&
    fields.readUInt32LE(HEADER.kind) === kind &&
    headerBytes >= HEADER.strings &&
    headerBytes <= MAX_HEADER_BYTES &&
    fields.readBigUInt64LE(HEADER.ringBytes) <= BigInt(MAX_LOG_BYTES[kind])
  );
}

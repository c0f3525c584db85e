/** A log that grows while a recording goes on, and is readable all the time: its header says "up to the end of the file". */
import { closeSync, openSync, writeSync } from "node:fs";
import { encodeLogHeader, type LogHeaderFields } from "../../recording/gc-log-writer.ts";
import { DropReason, MAX_LOG_BYTES } from "../../recording/spec.ts";

export class LogFile {
  readonly #file: number;
  readonly #header: LogHeaderFields;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Of records in the file. */
  #writtenBytes = 0;
  #headerBytes = 0;
  #dropped = 0;
  #dropReasons = 0;

  /** Throws what the file system throws. */
  constructor(path: string, header: LogHeaderFields) {
    this.#file = openSync(path, "wx");
    this.#header = header;
    const bytes = encodeLogHeader(header);
    this.#headerBytes = bytes.length;
    writeSync(this.#file, bytes);
  }

  /** False where there is no room for it. */
  append(record: Buffer): boolean {
    const isFull = this.#writtenBytes + this.#waitingBytes + record.length > MAX_LOG_BYTES[this.#header.kind];
    if (isFull || (this.#dropReasons & DropReason.diskFull) !== 0) {
      this.#dropped++;
      if (isFull) this.#dropReasons |= DropReason.sizeLimit;
      return false;
    }
    this.#waiting.push(record);
    this.#waitingBytes += record.length;
    return true;
  }

  /** Writes what was appended; where that fails the log ends here. */
  flush(): void {
    if (this.#waitingBytes === 0) return;
    const records = this.#waiting.splice(0);
    const bytes = Buffer.concat(records);
    this.#waitingBytes = 0;
    if (this.#write(bytes, this.#headerBytes + this.#writtenBytes)) this.#writtenBytes += bytes.length;
    else this.#dropped += records.length;
  }

  /** Ends it; `behind` is a record that was not finished. */
  close(behind: Buffer | null): void {
    this.flush();
    if (behind !== null) this.#write(behind, this.#headerBytes + this.#writtenBytes);
    const header = encodeLogHeader({
      ...this.#header,
      committedBytes: BigInt(this.#writtenBytes),
      droppedRecords: BigInt(this.#dropped),
      dropReasons: this.#dropReasons,
    });
    this.#write(header, 0);
    closeSync(this.#file);
  }

  #write(bytes: Buffer, at: number): boolean {
    try {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#file, bytes, written, bytes.length - written, at + written);
      }
      return true;
    } catch {
      this.#dropReasons |= DropReason.diskFull;
      return false;
    }
  }
}

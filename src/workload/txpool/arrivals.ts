/**
 * Arrivals in files: another process makes them ahead of time, so that making them takes nothing from the measured isolate,
 * and a stall there never slows them down. A folder holds files of some seconds each, `00000.arrivals`, `00001.arrivals` and so
 * on; the last one is followed by an empty file `end`, and instead of one that could not be made there is a file `failed` that says
 * why. A file is there when it is whole.
 *
 *   0      8      12       32         32 + length, and up to a multiple of 8
 *   due ms length sender   encoding
 *   f64    u32    20 bytes
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { GcspikeError } from "../../lib/errors.ts";
import { ADDRESS_BYTES, type Transaction } from "./transaction.ts";

const HEADER_BYTES = 32;
const LENGTH_AT = 8;
const SENDER_AT = 12;
/** Larger than any arrival: the largest transaction, with what is too large by a little, and its header. */
const BUFFER_BYTES = 512 * 1024;
/** A folder whose files are read once holds no more than this at once: 1 GiB. */
export const MOST_FILES = 128;
/** Of one file, and a little more. */
export const FILE_BYTES = 8 * 1024 * 1024;
/** Of an arrival, with its header. */
export const MEAN_ARRIVAL_BYTES = 360;

function nameOf(index: number): string {
  return `${String(index).padStart(5, "0")}.arrivals`;
}

export const END_FILE = "end";
const FAILED_FILE = "failed";

/** That no more will come, though there should be more. `why`: a sentence without a full stop. */
export function arrivalsFailed(folder: string, why: string): GcspikeError {
  return new GcspikeError("arrivals", `The transactions could not be made: ${why}.`, {
    hint: `They are kept in ${dirname(folder)} while the workload runs. Name another folder with TMPDIR.`,
  });
}

/** Tells it to whoever reads the folder. */
export function reportFailure(folder: string, why: string): void {
  const path = join(folder, FAILED_FILE);
  try {
    writeFileSync(`${path}.part`, why);
    renameSync(`${path}.part`, path);
  } catch {
    // No room is left even for this: who reads waits until its time is up.
  }
}

/** Writes arrivals. */
export class ArrivalWriter {
  readonly #folder: string;
  readonly #bytes = new Uint8Array(FILE_BYTES + BUFFER_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #files = 0;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Files written so far. */
  get files(): number {
    return this.#files;
  }

  /** True: a file became whole. @throws what the file system throws */
  add(dueMs: number, sender: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
    const at = this.#length;
    this.#view.setFloat64(at, dueMs, true);
    this.#view.setUint32(at + LENGTH_AT, end - start, true);
    this.#bytes.set(sender, at + SENDER_AT);
    this.#bytes.set(bytes.subarray(start, end), at + HEADER_BYTES);
    this.#length = at + sizeOf(end - start);
    if (this.#length < FILE_BYTES) return false;
    this.#flush();
    return true;
  }

  /** No more will come. */
  end(): void {
    if (this.#length > 0) this.#flush();
    writeFileSync(join(this.#folder, END_FILE), "");
  }

  #flush(): void {
    const path = join(this.#folder, nameOf(this.#files));
    const file = openSync(`${path}.part`, "wx");
    try {
      for (let written = 0; written < this.#length; )
        written += writeSync(file, this.#bytes, written, this.#length - written);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.part`, path);
    this.#files++;
    this.#length = 0;
  }
}

function sizeOf(length: number): number {
  return HEADER_BYTES + ((length + 7) & ~7);
}

/** Reads arrivals in their order, into one buffer that is filled again and again: without garbage, but for opening a file. */
export class ArrivalReader {
  /** When the next arrival is due, whole microseconds from the start, since the last `look`. Infinity: there is none, or none yet. */
  dueUs = Number.POSITIVE_INFINITY;
  /** Bytes of the encoding of the next arrival. */
  nextBytes = 0;
  readonly #folder: string;
  readonly #keep: boolean;
  readonly #bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #file = -1;
  #index = 0;
  #at = 0;
  #end = 0;
  #isDone = false;

  /** Files that have been read are removed, unless they are to be kept for another run. */
  constructor(folder: string, keep: boolean) {
    this.#folder = folder;
    this.#keep = keep;
  }

  /** The last arrival has been taken. */
  get done(): boolean {
    return this.#isDone;
  }

  /** Looks for the next arrival and says in `dueUs` when it is due. @throws GcspikeError for a file that was cut or not made */
  look(): void {
    if (this.#isDone) return;
    while (!this.#isWhole()) {
      if (this.#file >= 0 && this.#fill()) continue;
      if (!this.#openNext()) {
        this.dueUs = Number.POSITIVE_INFINITY;
        return;
      }
    }
    this.dueUs = Math.round(this.#view.getFloat64(this.#at, true) * 1000);
    this.nextBytes = this.#view.getUint32(this.#at + LENGTH_AT, true);
  }

  /**
   * Takes the arrival that `look` found: fills `into` with its encoding, in this reader's own buffer, and who is said to have
   * sent it. Valid until the next look.
   */
  take<T extends Pick<Transaction, "raw" | "start" | "end" | "sender">>(into: T): T {
    const length = this.#view.getUint32(this.#at + LENGTH_AT, true);
    const start = this.#at + HEADER_BYTES;
    into.raw = this.#bytes;
    into.start = start;
    into.end = start + length;
    for (let i = 0; i < ADDRESS_BYTES; i++) into.sender[i] = this.#bytes[this.#at + SENDER_AT + i] as number;
    this.#at += sizeOf(length);
    return into;
  }

  close(): void {
    if (this.#file >= 0) closeSync(this.#file);
    this.#file = -1;
    this.#isDone = true;
    this.dueUs = Number.POSITIVE_INFINITY;
  }

  /** Is all of the next arrival in the buffer? */
  #isWhole(): boolean {
    const there = this.#end - this.#at;
    if (there < HEADER_BYTES) return false;
    return there >= sizeOf(this.#view.getUint32(this.#at + LENGTH_AT, true));
  }

  /** Moves what is left to the front and reads on. False at the file's end. */
  #fill(): boolean {
    this.#bytes.copyWithin(0, this.#at, this.#end);
    this.#end -= this.#at;
    this.#at = 0;
    const read = readSync(this.#file, this.#bytes, this.#end, BUFFER_BYTES - this.#end, null);
    this.#end += read;
    if (read === 0 && this.#end > 0) {
      throw new GcspikeError("arrivals", `${join(this.#folder, nameOf(this.#index - 1))} ends within an arrival.`, {
        hint: "Run it again: the arrivals are made anew.",
      });
    }
    return read > 0;
  }

  #openNext(): boolean {
    if (this.#file >= 0) {
      closeSync(this.#file);
      this.#file = -1;
      if (!this.#keep) rmSync(join(this.#folder, nameOf(this.#index - 1)));
    }
    const path = join(this.#folder, nameOf(this.#index));
    const failed = join(this.#folder, FAILED_FILE);
    // The end first: behind it, what is not there will not come.
    const isEnd = existsSync(join(this.#folder, END_FILE));
    if (existsSync(path)) {
      this.#file = openSync(path, "r");
      this.#index++;
      return true;
    }
    if (isEnd) this.close();
    else if (existsSync(failed)) throw arrivalsFailed(this.#folder, readFileSync(failed, "utf8"));
    return false;
  }
}

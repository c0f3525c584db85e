/** What a recording says while it grows: read from the ends of its logs, a few new records at a time. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { GC, HEADER, HEAP, LOG_MAGIC, UNTIL_END_OF_FILE } from "../recording/spec.ts";

export interface LiveState {
  readonly pauses: number;
  readonly worstMs: number;
  /** Used heap of the isolate that uses most, bytes; null before anything is known. */
  readonly heapBytes: number | null;
}

/** More than this a tick is left for the next one: the live line must stay cheap. */
const MAX_BYTES_A_TICK = 1024 * 1024;

/** Adds whole .gc records to the count. Pure. */
function foldPauses(state: LiveState, records: Buffer, recordBytes: number): LiveState {
  let { pauses, worstMs } = state;
  for (let at = 0; at + recordBytes <= records.length; at += recordBytes) {
    const durationNs = records.readBigUInt64LE(at + GC.endNs) - records.readBigUInt64LE(at + GC.startNs);
    if (durationNs < 0n) continue;
    pauses++;
    worstMs = Math.max(worstMs, Number(durationNs) / 1e6);
  }
  return { ...state, pauses, worstMs };
}

/** The records that a log gained since `offset`. */
interface NewRecords {
  readonly records: Buffer;
  readonly recordBytes: number;
  readonly offset: number;
}

/** `lastOnly`: skips to the newest record. Returns null where the log has nothing new, or is no log (yet). */
function readNewRecords(path: string, offset: number, smallest: number, lastOnly: boolean): NewRecords | null {
  const file = openSync(path, "r");
  try {
    const header = Buffer.alloc(HEADER.strings);
    if (readSync(file, header, 0, header.length, 0) < header.length) return null;
    const recordBytes = header.readUInt32LE(HEADER.recordBytes);
    if (header.toString("latin1", 0, 8) !== LOG_MAGIC || recordBytes < smallest) return null;
    const headerBytes = header.readUInt32LE(HEADER.headerBytes);
    const committed = header.readBigUInt64LE(HEADER.committedBytes);
    const available = committed === UNTIL_END_OF_FILE ? fstatSync(file).size - headerBytes : Number(committed);
    const whole = available - (available % recordBytes);
    const from = lastOnly ? Math.max(offset, whole - recordBytes) : offset;
    const wanted = Math.min(whole - from, MAX_BYTES_A_TICK - (MAX_BYTES_A_TICK % recordBytes));
    if (wanted <= 0) return null;
    const records = Buffer.alloc(wanted);
    const got = readSync(file, records, 0, wanted, headerBytes + from);
    const complete = got - (got % recordBytes);
    if (complete === 0) return null;
    return { records: records.subarray(0, complete), recordBytes, offset: from + complete };
  } finally {
    closeSync(file);
  }
}

/** Follows the logs of a recording folder. `read` never throws: what cannot be read is left out. */
export class LiveTail {
  readonly #folder: string;
  readonly #offsets = new Map<string, number>();
  readonly #heaps = new Map<string, number>();
  #state: LiveState = { pauses: 0, worstMs: 0, heapBytes: null };

  constructor(folder: string) {
    this.#folder = folder;
  }

  read(): LiveState {
    try {
      for (const name of readdirSync(this.#folder)) {
        if (name.endsWith(".gc")) this.#readPauses(name);
        else if (name.endsWith(".heap")) this.#readHeap(name);
      }
    } catch {
      // The folder or a file went away: the recorder says so at the end.
    }
    const heapBytes = this.#heaps.size === 0 ? null : Math.max(...this.#heaps.values());
    return { ...this.#state, heapBytes };
  }

  #readPauses(name: string): void {
    const found = readNewRecords(join(this.#folder, name), this.#offsets.get(name) ?? 0, GC.stack, false);
    if (found === null) return;
    this.#offsets.set(name, found.offset);
    this.#state = foldPauses(this.#state, found.records, found.recordBytes);
  }

  #readHeap(name: string): void {
    const found = readNewRecords(join(this.#folder, name), this.#offsets.get(name) ?? 0, HEAP.spaces, true);
    if (found === null) return;
    this.#offsets.set(name, found.offset);
    this.#heaps.set(name, Number(found.records.readBigUInt64LE(found.records.length - found.recordBytes + HEAP.used)));
  }
}

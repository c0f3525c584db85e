/** Transactions that arrived together, in memory that worker threads can read. One object is filled again and again. */
import type { ArrivalReader } from "./arrivals.ts";
import { copyBytes } from "./row-index.ts";
import { ADDRESS_BYTES, type Transaction } from "./transaction.ts";

/** Room for some transactions of the largest size. What does not fit becomes a batch of its own. */
const BATCH_BYTES = 1024 * 1024;

/** What another thread needs to see the same batch. */
export interface BatchMemory {
  readonly bytes: SharedArrayBuffer;
  readonly places: SharedArrayBuffer;
}

const PLACES = 3;

export class Batch {
  readonly memory: BatchMemory;
  readonly bytes: Uint8Array;
  /** Encoding i: `bytes[starts[i]]` to `bytes[ends[i] - 1]`. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Who is said to have signed it: the 20 bytes from `bytes[senders[i]]` on. */
  readonly senders: Int32Array;
  count = 0;

  readonly #taken: Pick<Transaction, "raw" | "start" | "end" | "sender"> = {
    raw: new Uint8Array(0),
    start: 0,
    end: 0,
    sender: new Uint8Array(ADDRESS_BYTES),
  };

  constructor(memory: BatchMemory) {
    this.memory = memory;
    const { bytes, places } = memory;
    const size = places.byteLength / (PLACES * Int32Array.BYTES_PER_ELEMENT);
    this.bytes = new Uint8Array(bytes);
    this.starts = new Int32Array(places, 0, size);
    this.ends = new Int32Array(places, this.starts.byteLength, size);
    this.senders = new Int32Array(places, 2 * this.starts.byteLength, size);
  }

  /** Room for up to `size` transactions. */
  static ofSize(size: number): Batch {
    return new Batch({
      bytes: new SharedArrayBuffer(BATCH_BYTES),
      places: new SharedArrayBuffer(size * PLACES * Int32Array.BYTES_PER_ELEMENT),
    });
  }

  /** Everything that is due with the next arrival, as far as there is room. `reader` has looked, and looks again behind it. */
  fill(reader: ArrivalReader): void {
    const { dueUs } = reader;
    let at = 0;
    this.count = 0;
    do {
      const { raw, start, end, sender } = reader.take(this.#taken);
      copyBytes(raw, start, this.bytes, at, end - start);
      this.starts[this.count] = at;
      at += end - start;
      this.ends[this.count] = at;
      copyBytes(sender, 0, this.bytes, at, ADDRESS_BYTES);
      this.senders[this.count] = at;
      at += ADDRESS_BYTES;
      this.count++;
      reader.look();
    } while (
      reader.dueUs === dueUs &&
      this.count < this.starts.length &&
      at + reader.nextBytes + ADDRESS_BYTES <= BATCH_BYTES
    );
  }

  copySender(index: number, target: Uint8Array): void {
    copyBytes(this.bytes, this.senders[index] as number, target, 0, ADDRESS_BYTES);
  }
}

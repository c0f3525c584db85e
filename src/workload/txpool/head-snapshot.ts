/**
 * The head for worker threads, in shared memory. A sequence lock: the writer makes the number odd, writes, and makes it even
 * again; a reader whose number was odd or has changed reads again. There may be one writer and any number of readers; nobody
 * waits for a reader.
 *
 *   0        4    8      16        24          56
 *   sequence 0    number base fee  state root
 *   i32           f64    f64       32 bytes
 */
import type { Head } from "./head.ts";

export interface HeadView {
  number: number;
  /** Wei a unit of gas. */
  baseFee: number;
  readonly stateRoot: Uint8Array;
}

export const SNAPSHOT_BYTES = 56;
const FIRST_WORD = 2;
const WORDS = 12;
const ROOT_AT = 16;

/** One object for each thread, over the same memory. */
export class HeadSnapshot {
  readonly buffer: SharedArrayBuffer;
  readonly #shared: Int32Array;
  /** What this thread writes or has read, whole. */
  readonly #words = new Int32Array(WORDS);
  readonly #numbers = new Float64Array(this.#words.buffer, 0, 2);
  readonly #bytes = new Uint8Array(this.#words.buffer);

  constructor(buffer = new SharedArrayBuffer(SNAPSHOT_BYTES)) {
    this.buffer = buffer;
    this.#shared = new Int32Array(buffer);
  }

  /** The one writer's. */
  publish(head: Pick<Head, "number" | "baseFee" | "stateRoot">): void {
    this.#numbers[0] = head.number;
    this.#numbers[1] = head.baseFee;
    this.#bytes.set(head.stateRoot, ROOT_AT);
    Atomics.add(this.#shared, 0, 1);
    for (let i = 0; i < WORDS; i++) Atomics.store(this.#shared, FIRST_WORD + i, this.#words[i] as number);
    Atomics.add(this.#shared, 0, 1);
  }

  /** Fills `into` with one head, never with parts of two. */
  read(into: HeadView): void {
    let before: number;
    do {
      before = Atomics.load(this.#shared, 0);
      for (let i = 0; i < WORDS; i++) this.#words[i] = Atomics.load(this.#shared, FIRST_WORD + i);
    } while (before % 2 !== 0 || Atomics.load(this.#shared, 0) !== before);
    into.number = this.#numbers[0] as number;
    into.baseFee = this.#numbers[1] as number;
    into.stateRoot.set(this.#bytes.subarray(ROOT_AT));
  }
}

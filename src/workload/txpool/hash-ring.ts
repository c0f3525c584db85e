/** The last hashes that were put in, a fixed number of them. */
import { Arena } from "./arena.ts";
import { codeOfBytes, copyBytes, RowIndex, sameBytes } from "./row-index.ts";
import { HASH_BYTES } from "./transaction.ts";

export class HashRing {
  /** For a caller that has no array of its own to copy a hash to. */
  readonly next = new Uint8Array(HASH_BYTES);
  readonly #capacity: number;
  readonly #hashes: Uint8Array;
  readonly #index: RowIndex;
  #row = 0;

  constructor(capacity: number) {
    const sizing = new Arena();
    new RowIndex(sizing, capacity);
    this.#capacity = capacity;
    this.#hashes = new Uint8Array(capacity * HASH_BYTES);
    this.#index = new RowIndex(new Arena(new Uint8Array(sizing.usedBytes)), capacity);
  }

  get size(): number {
    return this.#index.size;
  }

  /** The hash at `bytes[at]`; when full, the oldest is forgotten. */
  add(bytes: Uint8Array, at: number): void {
    if (this.has(bytes, at)) return;
    const row = this.#row;
    if (this.size === this.#capacity) this.#index.remove(row);
    copyBytes(bytes, at, this.#hashes, row * HASH_BYTES, HASH_BYTES);
    this.#index.insert(row, codeOfBytes(bytes, at, HASH_BYTES));
    this.#row = (row + 1) % this.#capacity;
  }

  has(bytes: Uint8Array, at: number): boolean {
    const code = codeOfBytes(bytes, at, HASH_BYTES);
    let row = 0;
    for (let place = this.#index.start(code); ; place = this.#index.step(place)) {
      row = this.#index.rowAt(place);
      if (row < 0) return false;
      if (this.#index.codes[row] !== code) continue;
      if (sameBytes(this.#hashes, row * HASH_BYTES, bytes, at, HASH_BYTES)) return true;
    }
  }

  clear(): void {
    this.#index.clear();
    this.#row = 0;
  }
}

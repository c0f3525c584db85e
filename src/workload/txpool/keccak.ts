/**
 * keccak256 as Ethereum uses it: Keccak with a capacity of 512 bits and the padding of the original submission (0x01), not
 * that of SHA-3. Makes no garbage: one hasher is used again and again.
 */
import { KeccakState } from "./keccak-f.ts";
import { HASH_BYTES } from "./transaction.ts";

const RATE_BYTES = 136;
const RATE_WORDS = RATE_BYTES / 4;

export class Keccak256 {
  readonly #state = new KeccakState();
  /** Bytes of the current block that are in the state. */
  #filled = 0;

  /** Adds `bytes[start]` to `bytes[end - 1]`. */
  update(bytes: Uint8Array, start: number, end: number): void {
    const words = this.#state.words;
    let filled = this.#filled;
    let at = start;
    while (at < end) {
      // Whole words where the block stands at a word's edge, else a byte.
      if ((filled & 3) === 0 && end - at >= 4) {
        const room = Math.min(RATE_BYTES - filled, end - at) >> 2;
        for (let word = filled >> 2, last = word + room; word < last; word++, at += 4) {
          words[word] =
            (words[word] ?? 0) ^
            ((bytes[at] ?? 0) |
              ((bytes[at + 1] ?? 0) << 8) |
              ((bytes[at + 2] ?? 0) << 16) |
              ((bytes[at + 3] ?? 0) << 24));
        }
        filled += room * 4;
      } else {
        words[filled >> 2] = (words[filled >> 2] ?? 0) ^ ((bytes[at++] ?? 0) << ((filled & 3) * 8));
        filled++;
      }
      if (filled === RATE_BYTES) {
        this.#state.permute();
        filled = 0;
      }
    }
    this.#filled = filled;
  }

  /** Writes the hash of what was added into `target[0]` to `target[31]`, and begins anew. */
  digest(target: Uint8Array): void {
    const words = this.#state.words;
    const filled = this.#filled;
    words[filled >> 2] = (words[filled >> 2] ?? 0) ^ (0x01 << ((filled & 3) * 8));
    words[RATE_WORDS - 1] = (words[RATE_WORDS - 1] ?? 0) ^ (0x80 << 24);
    this.#state.permute();
    for (let i = 0; i < HASH_BYTES; i++) target[i] = (words[i >> 2] ?? 0) >>> ((i & 3) * 8);
    words.fill(0);
    this.#filled = 0;
  }
}

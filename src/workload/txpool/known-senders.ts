/** Which senders a signature was seen of lately, in a table of fixed size: without garbage, and forgetful where two meet. */
import { ADDRESS_BYTES } from "./transaction.ts";

/** A power of two, some times as many as are active at once. */
const ROWS = 32_768;

/** Of a known sender, one transaction in so many is verified all the same. */
export const CHECK_EVERY = 8;

export class KnownSenders {
  readonly #addresses = new Uint8Array(ROWS * ADDRESS_BYTES);
  /** Transactions since the last one that was verified, plus one; 0: a free row. */
  readonly #age = new Uint8Array(ROWS);

  /** Is it to be verified? Counts it. The sender is the 20 bytes from `bytes[at]` on. */
  needsCheck(bytes: Uint8Array, at: number): boolean {
    const row = rowOf(bytes, at);
    const age = this.#age[row] ?? 0;
    if (age === 0 || !this.#isIn(row, bytes, at) || age === CHECK_EVERY) return true;
    this.#age[row] = age + 1;
    return false;
  }

  /** A signature was verified: a right one makes its sender known, a wrong one unknown. */
  learn(bytes: Uint8Array, at: number, isRight: boolean): void {
    const row = rowOf(bytes, at);
    if (isRight) {
      for (let i = 0; i < ADDRESS_BYTES; i++) this.#addresses[row * ADDRESS_BYTES + i] = bytes[at + i] ?? 0;
      this.#age[row] = 1;
    } else if (this.#isIn(row, bytes, at)) {
      this.#age[row] = 0;
    }
  }

  #isIn(row: number, bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < ADDRESS_BYTES; i++) {
      if (this.#addresses[row * ADDRESS_BYTES + i] !== bytes[at + i]) return false;
    }
    return true;
  }
}

/** Addresses are hashes: any of their bits will do. */
function rowOf(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) & (ROWS - 1);
}

/** The nonces of the chain's accounts, and which have changed since somebody asked: what a pool must know of the state. */
import { GcspikeError } from "../../lib/errors.ts";
import { Arena } from "./arena.ts";
import { codeOfBytes, copyBytes, RowIndex, sameBytes } from "./row-index.ts";
import { ADDRESS_BYTES } from "./transaction.ts";

export class AccountNonces {
  readonly #capacity: number;
  readonly #first: number;
  readonly #addresses: Uint8Array;
  readonly #nonces: Float64Array;
  readonly #index: RowIndex;
  /** Rows that have changed, each once. */
  readonly #changed: Int32Array;
  readonly #isChanged: Uint8Array;
  #changes = 0;

  /** Room for `capacity` accounts that have ever had a transaction included; all others are at `first`. */
  constructor(capacity: number, first = 0) {
    this.#first = first;
    const sizing = new Arena();
    new RowIndex(sizing, capacity);
    this.#capacity = capacity;
    this.#addresses = new Uint8Array(capacity * ADDRESS_BYTES);
    this.#nonces = new Float64Array(capacity);
    this.#index = new RowIndex(new Arena(new Uint8Array(sizing.usedBytes)), capacity);
    this.#changed = new Int32Array(capacity);
    this.#isChanged = new Uint8Array(capacity);
  }

  /** The first one for an account that is not known. The address is the 20 bytes at `bytes[at]`. */
  nonceOf(bytes: Uint8Array, at: number): number {
    const row = this.#find(bytes, at, codeOfBytes(bytes, at, ADDRESS_BYTES));
    return row < 0 ? this.#first : (this.#nonces[row] as number);
  }

  /**
   * Up for what a block includes, down for what a reorganisation gives back.
   * @throws GcspikeError, when there is no room for another account
   */
  set(bytes: Uint8Array, at: number, nonce: number): void {
    const code = codeOfBytes(bytes, at, ADDRESS_BYTES);
    let row = this.#find(bytes, at, code);
    if (row < 0) {
      row = this.#index.size;
      if (row === this.#capacity) {
        throw new GcspikeError(
          "pool-accounts",
          `The simulated chain has room for ${row} accounts, and all are taken.`,
          {
            hint: "Make room for as many accounts as the traffic has.",
          },
        );
      }
      copyBytes(bytes, at, this.#addresses, row * ADDRESS_BYTES, ADDRESS_BYTES);
      this.#index.insert(row, code);
    }
    this.#nonces[row] = nonce;
    if (this.#isChanged[row] === 1) return;
    this.#isChanged[row] = 1;
    this.#changed[this.#changes++] = row;
  }

  /** Visits each account that was set since the last call, in that order. */
  takeChanged(visit: (bytes: Uint8Array, at: number, nonce: number) => void): void {
    for (let i = 0; i < this.#changes; i++) {
      const row = this.#changed[i] as number;
      this.#isChanged[row] = 0;
      visit(this.#addresses, row * ADDRESS_BYTES, this.#nonces[row] as number);
    }
    this.#changes = 0;
  }

  #find(bytes: Uint8Array, at: number, code: number): number {
    for (let place = this.#index.start(code); ; place = this.#index.step(place)) {
      const row = this.#index.rowAt(place);
      if (row < 0 || (this.#index.codes[row] === code && this.#isAt(row, bytes, at))) return row;
    }
  }

  #isAt(row: number, bytes: Uint8Array, at: number): boolean {
    return sameBytes(this.#addresses, row * ADDRESS_BYTES, bytes, at, ADDRESS_BYTES);
  }
}

/** The sender of a transaction, from its signature. */
import type { DecodedTransaction } from "./decode.ts";
import { Keccak256 } from "./keccak.ts";
import { type Curve, PUBLIC_KEY_BYTES } from "./secp256k1.ts";
import { SigningHasher } from "./signing-hash.ts";
import { ADDRESS_BYTES, HASH_BYTES } from "./transaction.ts";

export class SenderRecovery {
  readonly #curve: Curve;
  readonly #keccak = new Keccak256();
  readonly #signing = new SigningHasher(this.#keccak);
  readonly #hash = new Uint8Array(HASH_BYTES);
  readonly #publicKey = new Uint8Array(PUBLIC_KEY_BYTES);

  constructor(curve: Curve) {
    this.#curve = curve;
  }

  /** Writes the sender into `transaction.sender`. False, and no sender: nobody can have signed this. */
  recover(transaction: DecodedTransaction): boolean {
    this.#signing.hash(transaction, this.#hash);
    const { signature, parity, sender } = transaction;
    if (!this.#curve.recover(this.#publicKey, signature, parity, this.#hash)) {
      sender.fill(0);
      return false;
    }
    addressOf(this.#publicKey, this.#keccak, this.#hash, sender, 0);
    return true;
  }
}

/** Writes the address of an uncompressed public key to `target[at]`: the last 20 bytes of its hash. `scratch`: 32 bytes. */
export function addressOf(
  publicKey: Uint8Array,
  keccak: Keccak256,
  scratch: Uint8Array,
  target: Uint8Array,
  at: number,
): void {
  keccak.update(publicKey, 1, PUBLIC_KEY_BYTES);
  keccak.digest(scratch);
  for (let i = 0; i < ADDRESS_BYTES; i++) target[at + i] = scratch[HASH_BYTES - ADDRESS_BYTES + i] ?? 0;
}

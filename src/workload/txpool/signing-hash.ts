/** The hash that a transaction's sender signs: that of its fields without the signature. */
import type { DecodedTransaction } from "./decode.ts";
import type { Keccak256 } from "./keccak.ts";
import { RlpWriter } from "./rlp-writer.ts";

/** What the hash needs of a transaction. */
export type SignedFields = Pick<DecodedTransaction, "type" | "chainId" | "raw" | "signedStart" | "signedEnd">;

/** A type, a list header, a chain id and two zeros: 1 + 5 + 8 + 2 bytes at most. */
const SCRATCH_BYTES = 16;

export class SigningHasher {
  readonly #keccak: Keccak256;
  readonly #scratch = new RlpWriter(SCRATCH_BYTES);

  constructor(keccak: Keccak256) {
    this.#keccak = keccak;
  }

  /**
   * Writes the hash into `target`, 32 bytes: keccak256 of type || rlp(fields) for the types 1 and 2 (EIP-2718), of rlp(fields)
   * for legacy transactions, and of rlp(fields, chain id, 0, 0) for those with a chain (EIP-155).
   */
  hash(fields: SignedFields, target: Uint8Array): void {
    const scratch = this.#scratch;
    scratch.at = 0;
    if (fields.type === 0 && fields.chainId !== 0) {
      scratch.integer(fields.chainId);
      scratch.integer(0);
      scratch.integer(0);
    }
    const tail = scratch.at;
    if (fields.type !== 0) scratch.bytes[scratch.at++] = fields.type;
    scratch.listHeader(fields.signedEnd - fields.signedStart + tail);
    this.#keccak.update(scratch.bytes, tail, scratch.at);
    this.#keccak.update(fields.raw, fields.signedStart, fields.signedEnd);
    this.#keccak.update(scratch.bytes, 0, tail);
    this.#keccak.digest(target);
  }
}

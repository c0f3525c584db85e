/**
 * A transaction as the pool sees it: what the codec decodes, what the stores keep. One object is filled again and again, so that
 * decoding makes no garbage; a store that keeps a transaction copies what it needs.
 *
 * Amounts are wei. Fees are numbers: the codec refuses those from 2^53 on (9 million gwei), which no chain has seen. Nonces and
 * gas are below 2^53 too.
 */

/** EIP-2718 types that the pool takes: legacy, EIP-2930, EIP-1559. */
export type TransactionType = 0 | 1 | 2;

export const HASH_BYTES = 32;
export const ADDRESS_BYTES = 20;

export interface Transaction {
  type: TransactionType;
  nonce: number;
  gas: number;
  /** The most that the sender pays a unit of gas. Types 0 and 1: the gas price. */
  feeCap: number;
  /** The most that of this goes to the block's producer. Types 0 and 1: the gas price. */
  tip: number;
  /** The encoding, as it travels: `raw[start]` to `raw[end - 1]`. Valid until the next decode. */
  raw: Uint8Array;
  start: number;
  end: number;
  /** keccak256 of the encoding. */
  readonly hash: Uint8Array;
  /** Who signed it: recovered, or told by whoever verified. */
  readonly sender: Uint8Array;
}

export function emptyTransaction(): Transaction {
  return {
    type: 0,
    nonce: 0,
    gas: 0,
    feeCap: 0,
    tip: 0,
    raw: new Uint8Array(0),
    start: 0,
    end: 0,
    hash: new Uint8Array(HASH_BYTES),
    sender: new Uint8Array(ADDRESS_BYTES),
  };
}

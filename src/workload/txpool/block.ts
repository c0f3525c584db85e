/** What a block includes, and what that does to the chain. */
import type { AccountNonces } from "./account-nonces.ts";
import { type Head, nextBaseFee } from "./head.ts";
import { copyBytes } from "./row-index.ts";
import { ADDRESS_BYTES, HASH_BYTES } from "./transaction.ts";

/** The least gas of any transaction: so many fit into a block at most. */
const TRANSACTION_GAS = 21_000;

/** What a block includes. One object is filled again and again. */
export class Block {
  count = 0;
  gasUsed = 0;
  readonly gasLimit: number;
  /** 32 bytes each. */
  readonly hashes: Uint8Array;
  /** 20 bytes each. */
  readonly senders: Uint8Array;
  readonly nonces: Float64Array;

  constructor(gasLimit: number) {
    const capacity = Math.floor(gasLimit / TRANSACTION_GAS);
    this.gasLimit = gasLimit;
    this.hashes = new Uint8Array(capacity * HASH_BYTES);
    this.senders = new Uint8Array(capacity * ADDRESS_BYTES);
    this.nonces = new Float64Array(capacity);
  }

  clear(): void {
    this.count = 0;
    this.gasUsed = 0;
  }

  get isFull(): boolean {
    return this.count === this.nonces.length || this.gasUsed + TRANSACTION_GAS > this.gasLimit;
  }
}

/** Sets the chain's nonces to what follows the block, and gives the new head, for `pool.newHead`. */
export function applyBlock(block: Block, parent: Head, chain: AccountNonces): Head {
  const stateRoot = Uint8Array.from(parent.stateRoot);
  for (let i = 0; i < block.count; i++) {
    chain.set(block.senders, i * ADDRESS_BYTES, (block.nonces[i] as number) + 1);
    stir(stateRoot, block.hashes, i * HASH_BYTES);
  }
  return {
    number: parent.number + 1,
    baseFee: nextBaseFee(parent),
    gasUsed: block.gasUsed,
    gasLimit: block.gasLimit,
    stateRoot,
  };
}

/** Takes back what `block` did to the chain's nonces: its transactions are then to be given back to the pool. */
export function revertBlock(block: Block, chain: AccountNonces): void {
  for (let i = block.count - 1; i >= 0; i--) chain.set(block.senders, i * ADDRESS_BYTES, block.nonces[i] as number);
}

const scratch = new Uint8Array(HASH_BYTES);

/** Stands for executing: 32 bytes that depend on every included hash and their order. No Merkle root. */
function stir(root: Uint8Array, hashes: Uint8Array, at: number): void {
  copyBytes(hashes, at, scratch, 0, HASH_BYTES);
  let carry = 1;
  for (let i = 0; i < HASH_BYTES; i++) {
    carry = (Math.imul(carry + (root[i] as number), 0x01000193) ^ (scratch[i] as number)) >>> 0;
    root[i] = carry >>> 24;
  }
}

/** The head of the chain as the pool needs it, and the base fee that follows from it (EIP-1559). */

export interface Head {
  readonly number: number;
  /** Of this block, wei a unit of gas. */
  readonly baseFee: number;
  readonly gasUsed: number;
  readonly gasLimit: number;
  /** 32 bytes that change with every block. */
  readonly stateRoot: Uint8Array;
}

const ELASTICITY = 2;
const CHANGE_DENOMINATOR = 8;

/** Base fee of the block behind `head`, wei: up or down by an eighth at most, as the block was fuller or emptier than half. */
export function nextBaseFee(head: Pick<Head, "baseFee" | "gasUsed" | "gasLimit">): number {
  const target = Math.floor(head.gasLimit / ELASTICITY);
  if (head.gasUsed === target) return head.baseFee;
  // Products beyond 2^53 are rounded: a simulated chain does not need the last wei, it needs the same one everywhere.
  if (head.gasUsed > target) {
    const rise = Math.floor(Math.floor((head.baseFee * (head.gasUsed - target)) / target) / CHANGE_DENOMINATOR);
    return head.baseFee + Math.max(rise, 1);
  }
  const fall = Math.floor(Math.floor((head.baseFee * (target - head.gasUsed)) / target) / CHANGE_DENOMINATOR);
  return Math.max(head.baseFee - fall, 0);
}

/** How much a pool takes: go-ethereum's defaults, and the same rules for a pool of any size. */
import { usageError } from "../../lib/errors.ts";

/** Bytes that one slot of the pool stands for, and the most that a transaction may take of them (go-ethereum: 32 KiB, 4). */
const SLOT_BYTES = 32 * 1024;
const MAX_SLOTS = 4;
export const MAX_TRANSACTION_BYTES = MAX_SLOTS * SLOT_BYTES;

export interface PoolLimits {
  /** Executable transactions that an account may always keep. */
  readonly accountSlots: number;
  /** Executable transactions in all. */
  readonly globalSlots: number;
  /** Transactions behind a nonce gap, an account and in all. */
  readonly accountQueue: number;
  readonly globalQueue: number;
  /** What a replacement must pay above the one that it replaces, percent. */
  readonly priceBump: number;
  /** How long an account that does nothing keeps transactions behind a gap, ms. */
  readonly lifetimeMs: number;
  /** Gas of a block: a transaction that wants more never fits. */
  readonly blockGas: number;
}

export const DEFAULT_LIMITS: PoolLimits = {
  accountSlots: 16,
  globalSlots: 5120,
  accountQueue: 64,
  globalQueue: 1024,
  priceBump: 10,
  lifetimeMs: 3 * 3600 * 1000,
  blockGas: 30_000_000,
};

/** Slots that a transaction of `bytes` takes: 1 to 4; more than 4 for one that is too large. */
export function slotsOf(bytes: number): number {
  return Math.ceil(bytes / SLOT_BYTES);
}

/** Slots of a full pool. A transaction takes at least one, so this is also the most transactions that it holds. */
export function capacityOf(limits: PoolLimits): number {
  return limits.globalSlots + limits.globalQueue;
}

/** @throws GcspikeError, if a limit is no whole number from 1 on. */
export function checkLimits(limits: PoolLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw usageError(`The pool's limit ${name} is ${value}.`, "It must be a whole number from 1 on.");
    }
  }
  // Rows and accounts are numbered with 31 bits, and the tables of the mmap store are twice as long as what they hold.
  if (capacityOf(limits) > 2 ** 28) {
    throw usageError(
      `A pool of ${capacityOf(limits)} slots is too large.`,
      "globalSlots and globalQueue together: 268435456 at most.",
    );
  }
}

/**
 * The life of a transaction in the pool: pending (handed in) -> validating -> queued (in the pool) -> included | evicted.
 *
 * A queued transaction is executable (its nonce follows; go-ethereum calls that list `pending`) or future (behind a gap;
 * go-ethereum: `queue`). Those names are kept apart here, since both sides use "pending".
 */
import type { Transaction } from "./transaction.ts";

/** The stages that hold memory. */
export const STAGES = ["pending", "validating", "queued"] as const;
export type Stage = (typeof STAGES)[number];

/** Why a newcomer was not taken. */
export const REFUSALS = [
  /** The pool has it already. */
  "known",
  /** Light mode: its hash is kept, nothing else. */
  "light",
  "oversized",
  "gas-above-block",
  "tip-above-cap",
  /** The hook that validates said no. */
  "invalid",
  "nonce-too-low",
  /** The pool is full, and this pays no more than the cheapest. */
  "underpriced",
  /** The pool is full, and a quarter of it has changed since it was last settled. */
  "throttled",
  /** The pool is full, and everything in it together is too small. */
  "no-room",
  /** The pool is full, and this one behind a gap would have evicted an executable one. */
  "future-for-executable",
  /** It has the nonce of another one, and does not pay enough more. */
  "replacement-underpriced",
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Why a queued transaction left without being included. */
export const EVICTIONS = [
  "replaced",
  /** The cheapest of a full pool. */
  "underpriced",
  /** Its nonce was used by another transaction. */
  "stale",
  "account-queue",
  "global-slots",
  "global-queue",
  "lifetime",
  /** Light mode sheds what it holds; the hash stays. */
  "light",
] as const;
export type Eviction = (typeof EVICTIONS)[number];

/** What became of a newcomer. Whether an accepted one is executable is known after the next settle. */
export type Answer = "accepted" | "replaced" | Refusal;

/**
 * Called at each step. `T` is the store's reference: valid during the call, `pool.read(ref, into)` gives what it stands for.
 * Hooks must not call back into the pool other than to read.
 */
export interface Hooks<T> {
  /** It has been handed in; `tx` is the caller's. Not called for what the pool knows, nor in light mode. */
  onAdd?(tx: Transaction): void;
  /** Rules that need no other transaction hold; false refuses it (a signature that is wrong). */
  onValidate?(tx: Transaction): boolean;
  onInclude?(ref: T): void;
  onEvict?(ref: T, reason: Eviction): void;
}

/** Events since the pool was made. Executable and future are what is there now. */
export class Counters {
  /** Handed in: each is then refused or accepted. */
  added = 0;
  validated = 0;
  /** Taken into the pool: queued. */
  accepted = 0;
  included = 0;
  promoted = 0;
  demoted = 0;
  executable = 0;
  future = 0;
  /** Slots taken now. */
  slots = 0;
  /** Encoded bytes of what is there now. */
  rawBytes = 0;
  readonly refused = zeros(REFUSALS);
  readonly evicted = zeros(EVICTIONS);
}

function zeros<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
}

/** How the transaction pool's workload is run: its flags, and what they may be. Pure: what the machine has is in fits.ts. */
import { usageError } from "../../lib/errors.ts";
import { formatMs } from "../../lib/units.ts";
import { durationMs, type Flag, type FlagWords, oneOf, wholeNumber, wordOf } from "../flags.ts";
import { DEFAULT_LIMITS, type PoolLimits } from "./limits.ts";

export const MODES = ["naive", "pooled", "mmap"] as const;
export type Mode = (typeof MODES)[number];
/** 1, 32 or 256 transactions arrive at once, as one message of a peer brings them. */
export const BATCHES = [1, 32, 256] as const;
const VERIFY = ["off", "pool", "full"] as const;
const RELEASE = ["immediate", "deferred", "never"] as const;
const HUGE_PAGES = ["off", "try", "require"] as const;
const PUT = ["evict", "never"] as const;

/** The most that can be asked for: far above what any machine does. */
const MAX_TPS = 1_000_000;
const HOUR_MS = 3_600_000;

export interface TxpoolOptions {
  readonly mode: Mode;
  /** Transactions a second. */
  readonly tps: number;
  readonly durationMs: number;
  /** The pool has room for what arrives in this time. */
  readonly residentMs: number;
  readonly batch: (typeof BATCHES)[number];
  readonly verify: (typeof VERIFY)[number];
  readonly blockTimeMs: number;
  readonly blockBudgetMs: number;
  readonly release: (typeof RELEASE)[number];
  readonly hugePages: (typeof HUGE_PAGES)[number];
  /** Whether the pooled mode gives records back to its sync.Pool. */
  readonly put: (typeof PUT)[number];
  readonly accounts: number;
  readonly seed: number;
}

export const TXPOOL_FLAGS: readonly Flag[] = [
  { name: "mode", argument: "<name>", summary: `where transactions lie: ${MODES.join(", ")}`, default: undefined },
  { name: "tps", argument: "<number>", summary: "transactions that arrive a second", default: "10000" },
  { name: "duration", argument: "<duration>", summary: "how long they arrive", default: "60s" },
  { name: "resident", argument: "<duration>", summary: "the pool holds what arrives in this time", default: "60s" },
  { name: "batch", argument: "<number>", summary: `that arrive at once: ${BATCHES.join(", ")}`, default: "32" },
  { name: "verify", argument: "<how>", summary: `signatures: ${VERIFY.join(", ")}`, default: "off" },
  { name: "block-time", argument: "<duration>", summary: "from one block to the next", default: "2s" },
  { name: "block-budget", argument: "<duration>", summary: "what a block may take", default: "50ms" },
  { name: "release", argument: "<when>", summary: `mmap gives pages back: ${RELEASE.join(", ")}`, default: "deferred" },
  { name: "huge-pages", argument: "<how>", summary: `mmap on 2 MiB pages: ${HUGE_PAGES.join(", ")}`, default: "try" },
  { name: "put", argument: "<when>", summary: `pooled gives records back: ${PUT.join(", ")}`, default: "evict" },
  { name: "accounts", argument: "<number>", summary: "that send transactions", default: "10000" },
  { name: "seed", argument: "<number>", summary: "the same seed makes the same traffic", default: "1" },
];

/** @throws a usage error that names the flag, the word and what it may be */
export function parseTxpool(words: FlagWords): TxpoolOptions {
  const word = (name: string): string => wordOf(TXPOOL_FLAGS, words, name);
  const duration = (name: string, leastMs: number, mostMs: number): number =>
    durationMs(name, word(name), leastMs, mostMs);
  const blockTimeMs = duration("block-time", 10, HOUR_MS);
  const blockBudgetMs = duration("block-budget", 0.1, HOUR_MS);
  if (blockBudgetMs > blockTimeMs) {
    throw usageError(
      `--block-budget ${word("block-budget")} is longer than the time from block to block, ${formatMs(blockTimeMs)}.`,
      "Give a shorter budget, or a longer --block-time.",
    );
  }
  const release = oneOf("release", word("release"), RELEASE);
  const hugePages = oneOf("huge-pages", word("huge-pages"), HUGE_PAGES);
  if (hugePages === "require" && release !== "never") {
    throw usageError(
      `--huge-pages require and --release ${release} do not go together: reserved huge pages are not given back.`,
      "Add --release never, or use --huge-pages try.",
    );
  }
  return {
    mode: oneOf("mode", word("mode"), MODES),
    tps: wholeNumber("tps", word("tps"), 1, MAX_TPS),
    durationMs: duration("duration", 100, 24 * HOUR_MS),
    residentMs: duration("resident", 100, 24 * HOUR_MS),
    batch: oneOf("batch", word("batch"), BATCHES),
    verify: oneOf("verify", word("verify"), VERIFY),
    blockTimeMs,
    blockBudgetMs,
    release,
    hugePages,
    put: oneOf("put", word("put"), PUT),
    accounts: wholeNumber("accounts", word("accounts"), 1, 1_000_000),
    seed: wholeNumber("seed", word("seed"), 0, 2 ** 31 - 1),
  };
}

/** The pool's limits: what arrives in `residentMs`, and never less than go-ethereum's. The queue is a fifth of it, as there. */
export function poolLimits({ tps, residentMs }: Pick<TxpoolOptions, "tps" | "residentMs">): PoolLimits {
  const globalSlots = Math.max(DEFAULT_LIMITS.globalSlots, Math.ceil((tps * residentMs) / 1000));
  return { ...DEFAULT_LIMITS, globalSlots, globalQueue: Math.ceil(globalSlots / 5) };
}

/** How the sessions workload is run. */
import { durationMs, type Flag, type FlagWords, oneOf, wholeNumber, wordOf } from "../flags.ts";

const HOUR_MS = 3_600_000;

export interface SessionsOptions {
  /** Objects come from a pool and go back to it. */
  readonly pool: boolean;
  readonly requestsPerSecond: number;
  readonly durationMs: number;
}

export const SESSIONS_FLAGS: readonly Flag[] = [
  { name: "pool", argument: "<on|off>", summary: "whether objects come from a pool", default: undefined },
  { name: "rate", argument: "<number>", summary: "requests a second", default: "10000" },
  { name: "duration", argument: "<duration>", summary: "how long they arrive", default: "60s" },
];

/** @throws a usage error that names the flag, the word and what it may be */
export function parseSessions(words: FlagWords): SessionsOptions {
  const word = (name: string): string => wordOf(SESSIONS_FLAGS, words, name);
  return {
    pool: oneOf("pool", word("pool"), ["on", "off"]) === "on",
    requestsPerSecond: wholeNumber("rate", word("rate"), 1, 1_000_000),
    durationMs: durationMs("duration", word("duration"), 100, 24 * HOUR_MS),
  };
}

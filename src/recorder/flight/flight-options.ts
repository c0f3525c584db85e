/** What a caller may ask of a flight recorder. */
import { usageError } from "../../lib/errors.ts";
import { parseTrigger, type Trigger } from "./trigger-words.ts";

export interface FlightOptions {
  /** Such as "pause>50ms"; the program's death always is one. At least one. */
  readonly triggers: readonly string[];
  /** What a dump holds of the time before its trigger, ms; a minute by default. */
  readonly keepMs?: number | undefined;
  /** So many dumps are kept, 10 by default; the oldest go first. */
  readonly maxDumps?: number | undefined;
  /** So much disk is taken, half of it for dumps, bytes; 1 GiB by default. */
  readonly maxDiskBytes?: number | undefined;
}

export interface FlightPlan {
  readonly triggers: readonly Trigger[];
  readonly keepMs: number;
  /** A dump holds so much of the time behind its trigger. */
  readonly afterMs: number;
  readonly maxDumps: number;
  readonly maxDiskBytes: number;
}

const KEEP_MS = 60_000;
const LEAST_KEEP_MS = 1000;
const MOST_KEEP_MS = 3_600_000;
const MOST_AFTER_MS = 5000;
const MAX_DUMPS = 10;
const MAX_DISK_BYTES = 1024 ** 3;
/** A busy program fills its share of less in seconds. */
const LEAST_DISK_BYTES = 32 * 1024 ** 2;

/** @throws a usage error where something cannot be */
export function planFlight(options: FlightOptions): FlightPlan {
  const { keepMs = KEEP_MS, maxDumps = MAX_DUMPS, maxDiskBytes = MAX_DISK_BYTES } = options;
  if (options.triggers.length === 0) {
    throw usageError("A flight recorder needs a trigger.", "Name one: --trigger 'pause>50ms', or --trigger death");
  }
  if (!(keepMs >= LEAST_KEEP_MS && keepMs <= MOST_KEEP_MS)) {
    throw usageError("--keep is from one second to one hour.", "Such as --keep 60s");
  }
  if (!(Number.isInteger(maxDumps) && maxDumps >= 1)) {
    throw usageError("--max-dumps is a whole number from 1 on.", "Such as --max-dumps 10");
  }
  if (!(maxDiskBytes >= LEAST_DISK_BYTES)) {
    throw usageError("--max-disk is at least 32MiB.", "Such as --max-disk 1GiB");
  }
  const afterMs = Math.min(MOST_AFTER_MS, keepMs / 4);
  return { triggers: options.triggers.map(parseTrigger), keepMs, afterMs, maxDumps, maxDiskBytes };
}

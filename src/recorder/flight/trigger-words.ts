/** `--trigger`: what people write, and what it means. */
import { parseComparison } from "../../lib/comparisons.ts";
import { usageError } from "../../lib/errors.ts";
import { DEATH_TRIGGER } from "../../lib/triggers.ts";
import { parseDuration, parseShare, parseSize } from "../../lib/units.ts";

/** What can be held against a limit, and how a limit is read. */
const LIMITS = {
  pause: parseDuration,
  "gc.share": parseShare,
  "gc.outside": parseDuration,
  heap: parseSize,
  "loop.delay": parseDuration,
} as const;

export type Measured = keyof typeof LIMITS;

export type Trigger =
  /** `limit`: ms, bytes or a share. */
  | { readonly text: string; readonly on: Measured; readonly limit: number }
  | { readonly text: string; readonly on: "heap.limit" | typeof DEATH_TRIGGER };

const ALL =
  "There are 'pause>50ms', 'gc.share>10%', 'gc.outside>30ms', 'heap>800MiB', 'loop.delay>200ms', heap.limit, and death, which always is one: docs/flight-recorder.md";

/** @throws a usage error that lists what there is */
export function parseTrigger(text: string): Trigger {
  const trimmed = text.trim();
  if (trimmed === "heap.limit" || trimmed === DEATH_TRIGGER) return { text: trimmed, on: trimmed };
  const written = parseComparison(trimmed);
  if (written === null || !Object.hasOwn(LIMITS, written.name)) {
    throw usageError(`--trigger cannot be "${text}".`, ALL);
  }
  const on = written.name as Measured;
  if (!written.comparison.startsWith(">")) {
    throw usageError(
      `--trigger cannot be "${text}": it fires on more than a limit, never on less.`,
      `Write --trigger '${on}>${written.limit}'`,
    );
  }
  const limit = LIMITS[on](`--trigger ${on}`, written.limit);
  return { text: `${on}>${written.limit}`, on, limit };
}

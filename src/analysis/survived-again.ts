/** Whether what survives one young collection survives the next, too: what a larger young generation could change about that. Pure. */
import type { GcHistory } from "./gc-history.ts";

/** So many scavenges are looked at: enough for a mean, few enough to be about what the program is doing. */
const SCAVENGES = 20;
/** Of less nothing is said, bytes. */
const LEAST_BYTES = 1024 ** 2;

/**
 * Of the bytes that scavenges up to `timeMs` left in the young generation, the share that the scavenge after promoted, 0 to 1; null where
 * too little was left to say. V8 promotes what survives for the second time, so that this is the share that lived for one more
 * filling of the young generation. Where it is high, a larger one would find the same objects alive.
 */
export function survivedAgain(history: GcHistory, timeMs: number): number | null {
  let left = 0;
  let again = 0;
  for (let n = 1; n <= SCAVENGES; n++) {
    const scavenge = history.lastScavenge(timeMs, n);
    const before = history.partsAt(scavenge, "before");
    const after = history.partsAt(scavenge, "after");
    const stayed = history.partsAt(history.lastScavenge(timeMs, n + 1), "after");
    if (before === null || after === null || stayed === null) break;
    // A full collection in between has emptied the young generation.
    const full = history.lastFull(before.timeMs);
    if (full >= 0 && history.endOf(full) > stayed.timeMs) continue;
    // What the old space grew by: large objects change sides, too, but that is no copying.
    const promoted = Math.max(0, after.old - before.old);
    left += stayed.young;
    again += Math.min(promoted, stayed.young);
  }
  return left < LEAST_BYTES ? null : again / left;
}

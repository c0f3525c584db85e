/** What a full collection moved into the old generation, and how much of what was there already it found dead. Pure. */
import type { GcHistory } from "./gc-history.ts";
import { survivedAgain } from "./survived-again.ts";

/**
 * Bytes that were young and alive when a full collection, this pause, began, by what the last scavenge found alive: of what was new to it
 * the same share, and of what it left as much as lately survived once more. All where there was no scavenge; NaN: sizes were not recorded.
 */
export function youngAlive(history: GcHistory, full: number): number {
  const young = history.partsAt(full, "before")?.young ?? Number.NaN;
  const startMs = history.startOf(full);
  const last = history.lastScavenge(startMs, 1);
  const [before, after] = [history.partsAt(last, "before"), history.partsAt(last, "after")];
  if (before === null || after === null || before.young === 0) return young;
  const again = Math.min(1, survivedAgain(history, startMs) ?? 1);
  const knownBefore = Math.min(before.young, leftYoung(history, before.timeMs));
  const fresh = before.young - knownBefore;
  const survived = after.young + Math.max(0, after.old - before.old) - knownBefore * again;
  const share = fresh === 0 ? 1 : Math.min(1, Math.max(0, survived) / fresh);
  const known = Math.min(young, leftYoung(history, startMs));
  return known * again + (young - known) * share;
}

/** What the last scavenge before a moment left in the young generation; nothing where a full collection has emptied it since. */
function leftYoung(history: GcHistory, timeMs: number): number {
  const after = history.partsAt(history.lastScavenge(timeMs, 1), "after");
  const full = history.lastFull(timeMs);
  return after === null || (full >= 0 && history.endOf(full) > after.timeMs) ? 0 : after.young;
}

/**
 * Of what the old generation had grown by from one full collection to the next, this one, the share that this one found dead; about 1 where
 * what is new in it does not stay. What is young and alive is moved there by the same collection, and no growth (V8's
 * --always-promote-young-mc). NaN: not known, or it had not grown.
 */
export function diedOld(history: GcHistory, full: number): number {
  const last = history.lastFull(history.startOf(full));
  const [before, after] = [history.partsAt(full, "before"), history.partsAt(full, "after")];
  const since = last < 0 ? 0 : (history.partsAt(last, "after")?.old ?? Number.NaN);
  if (before === null || after === null || !(before.old > since)) return Number.NaN;
  const moved = Math.min(after.old, youngAlive(history, full) || 0);
  return Math.max(0, Math.min(1, (before.old - (after.old - moved)) / (before.old - since)));
}

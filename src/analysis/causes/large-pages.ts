/**
 * What giving back the pages of dead large objects took of a stop. Each has a mapping of its own, which the thread gives back itself: at
 * the next collection (Unmapper::PrepareForGC, Node 20 and 22), or at the end of the one that found it dead
 * (MemoryAllocator::ReleaseQueuedPages, Node 24 and 26).
 */
import { isYoungCollection, type SpikeFacts } from "./facts.ts";

const MIB = 1024 ** 2;
/** Only pages of large objects are left for it. */
const BEFORE = "V8.GC_HEAP_PROLOGUE";
/** All pages that are empty. */
const AT_END = "V8.GC_MC_FINISH";
/** Young ones are given back in the outermost phase, among other things; up to this, ms a MiB (0.09 seen here). */
const SCAVENGING = "V8.GC_SCAVENGER_SCAVENGE";
const YOUNG_MS_A_MIB = 0.15;

export function largePagesMs(facts: SpikeFacts): number {
  const { phases, before, after, usedBefore, usedAfter } = facts;
  const ms = (phase: string): number => phases?.get(phase) ?? 0;
  if (before === null || after === null) return ms(BEFORE);
  if (isYoungCollection(facts)) return ms(BEFORE) + deadYoungPagesMs(facts);
  const dead = Math.max(0, before.large + before.youngLarge - after.large);
  return ms(BEFORE) + ms(AT_END) * (Math.min(1, dead / Math.max(1, usedBefore - usedAfter)) || 0);
}

/** Of a scavenge. */
export function deadYoungPagesMs({ phases, before, after }: SpikeFacts): number {
  if (before === null || after === null) return 0;
  const dead = Math.max(0, before.youngLarge - Math.max(0, after.large - before.large)) || 0;
  return Math.min(phases?.get(SCAVENGING) ?? 0, (dead / MIB) * YOUNG_MS_A_MIB);
}

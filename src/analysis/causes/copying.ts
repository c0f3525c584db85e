/** What copying the survivors of a young collection took of it. */
import { COPY_MS_A_MIB, copiedBytes, SLOWEST_COPY_MS_A_MIB } from "./copied.ts";
import { isYoungCollection, type SpikeFacts } from "./facts.ts";
import { workMs, workShare } from "./machine-time.ts";

const MIB = 1024 ** 2;
/** Phases that follow references and copy what they lead to; the thread waits there for helpers that copy, too. */
const COPYING = /^V8\.GC_SCAVENGER_SCAVENGE_(?:PARALLEL|ROOTS)/;

export interface Copying {
  readonly bytes: number;
  /** How much of the work it explains, 0 to 1. */
  readonly explains: number;
  /** How much of it so many bytes usually take: where that is less, something else may have made copying slow. */
  readonly usual: number;
}

/**
 * By the phases that copy, as far as so many bytes can take so long; without phases by the bytes alone. Null where it is not known, and
 * for full collections.
 */
export function copyingOf(facts: SpikeFacts): Copying | null {
  const bytes = copiedBytes(facts.before, facts.after, facts.promoted);
  if (!isYoungCollection(facts) || !(bytes >= 0)) return null;
  const { phases, machine } = facts;
  const takes = (msAMib: number): number => Math.min(1, ((bytes / MIB) * msAMib) / Math.max(1, workMs(machine)));
  const usual = takes(COPY_MS_A_MIB);
  if (phases === null) return { bytes, explains: usual, usual };
  let ms = 0;
  for (const [name, self] of phases) if (COPYING.test(name)) ms += self;
  return { bytes, explains: Math.min(workShare(ms, machine), takes(SLOWEST_COPY_MS_A_MIB)), usual };
}

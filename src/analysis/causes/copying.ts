/** What copying the survivors of a young collection took of it. */
import { isYoungCollection, type SpikeFacts } from "./facts.ts";
import { workMs } from "./machine-time.ts";

const MIB = 1024 ** 2;
/** What copying a MiB of small objects takes, ms: seen between 1 and 3 here. */
export const COPY_MS_A_MIB = 1.5;

export interface Copying {
  readonly bytes: number;
  /** How much of the work it explains; above 1 where it could have taken longer. */
  readonly explains: number;
}

/** Null where it is not known, and for full collections. */
export function copyingOf(facts: SpikeFacts): Copying | null {
  const bytes = copiedBytes(facts);
  if (!isYoungCollection(facts) || !(bytes >= 0)) return null;
  return { bytes, explains: ((bytes / MIB) * COPY_MS_A_MIB) / Math.max(1, workMs(facts.machine)) };
}

/** Promoted or young still, never more than there was; large objects change sides without being copied. */
function copiedBytes({ before, after, promoted }: SpikeFacts): number {
  if (before === null || after === null || Number.isNaN(promoted)) return Number.NaN;
  return Math.min(before.young, Math.max(0, promoted - before.youngLarge) + after.young);
}

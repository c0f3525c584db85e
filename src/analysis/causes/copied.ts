/** What a young collection copied, and what that takes. */
import type { HeapParts } from "../gc-history.ts";

/** What copying a MiB of small objects takes, ms: seen between 0.4 and 2.5 here. */
export const COPY_MS_A_MIB = 1.5;
/** No more than this: smaller objects, further apart, on a slower machine. */
export const SLOWEST_COPY_MS_A_MIB = 4;

/** Promoted or young still, never more than there was; large objects change sides without being copied. NaN: not known. */
export function copiedBytes(before: HeapParts | null, after: HeapParts | null, promoted: number): number {
  if (before === null || after === null || Number.isNaN(promoted)) return Number.NaN;
  return Math.min(before.young, Math.max(0, promoted - before.youngLarge) + after.young);
}

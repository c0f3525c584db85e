/** A young collection is long because much of what was just allocated is still in use, and is copied. */
import { formatBytes, formatShare } from "../../lib/units.ts";
import { isYoungCollection, type SpikeFacts, waitedShare } from "./facts.ts";
import { semiSpaceFor } from "./old-growth.ts";
import { type Rule, ramp } from "./rule.ts";

const MIB = 1024 ** 2;
/** What copying a MiB of small objects takes, ms: seen between 1 and 3 here. */
const COPY_MS = 1.5;

export const survivorCopy: Rule = {
  cause: "survivor-copy",
  judge(facts) {
    const { before, machine, isolate } = facts;
    if (!isYoungCollection(facts)) return null;
    const copied = copiedBytes(facts);
    if (before === null || !(copied > 0) || before.young === 0) return null;
    const share = Math.min(1, copied / before.young);
    const ranMs = machine.wallMs * (1 - waitedShare(machine));
    const explained = ((copied / MIB) * COPY_MS) / Math.max(1, ranMs);
    const score = 0.9 * ramp(explained, 0, 0.6);
    if (score < 0.15) return null;
    return {
      score,
      certainty: 0.7 + 0.2 * ramp(explained, 0.2, 0.7),
      why: `${formatBytes(copied)} of ${formatBytes(before.young)} of new objects were still in use and had to be copied`,
      evidence: [
        {
          signal: "survived",
          value: copied,
          unit: "bytes",
          text: `${formatBytes(copied)} survived (${formatShare(share)} of the young generation), ${formatBytes(facts.promoted)} of it for the second time, into the old generation.`,
        },
      ],
      advice: [
        {
          text: "A larger young generation is collected less often and leaves what lives shortly more time to die; what lives for long is copied twice all the same.",
          flag: `--max-semi-space-size=${semiSpaceFor(isolate.semiSpaceBytes)}`,
        },
        {
          text: "What is kept for long is best not made young: keep it off the heap (a Buffer, gcspike/slab), keep less of it (parse lazily), or reuse what is there.",
        },
      ],
    };
  },
};

/** Promoted or young still, never more than there was; large objects change sides without being copied. */
function copiedBytes({ before, after, promoted }: SpikeFacts): number {
  if (before === null || after === null || Number.isNaN(promoted)) return Number.NaN;
  return Math.min(before.young, Math.max(0, promoted - before.youngLarge) + after.young);
}

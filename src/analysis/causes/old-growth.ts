/** Retained objects filled the old generation up to its moving limit. */
import { formatBytes, formatShare } from "../../lib/units.ts";
import { growthOf, growthText } from "./growth.ts";
import type { Rule } from "./rule.ts";

const WORTH_SAYING = 0.25;

export const oldGrowth: Rule = {
  cause: "old-growth",
  judge(facts) {
    const growth = growthOf(facts);
    if (growth === null || growth.total === 0) return null;
    const share = growth.old / growth.total;
    if (share < WORTH_SAYING) return null;
    const { usedBefore, usedAfter, isolate, kind } = facts;
    const freed = (usedBefore - usedAfter) / usedBefore;
    const isEnd = kind === "mark-compact";
    // What was promoted and is dead by now only passed through.
    const isMiddleAged = isEnd && freed > 0.5;
    return {
      score: 0.8 * share,
      certainty: isEnd ? 0.88 : 0.8,
      why: `${growthText(growth.old, growth)} of objects that lived long had filled the old generation up to V8's limit for it`,
      evidence: [
        {
          signal: "growth.old",
          value: growth.old,
          unit: "bytes",
          text: `The old generation grew by ${growthText(growth.old, growth)} since the last full collection: ${formatShare(share)} of all growth${isEnd ? `; this one freed ${formatShare(freed)} of the heap` : ""}.`,
        },
      ],
      advice: [
        isMiddleAged
          ? {
              text: `Most of it was dead by then: it lives just long enough to be promoted. A larger young generation lets it die there.`,
              flag: `--max-semi-space-size=${semiSpaceFor(isolate.semiSpaceBytes)}`,
            }
          : {
              text: `What the sites here keep is really kept: bound the cache or queue that holds it, keep less of each entry, or move it off the heap (a Buffer, gcspike/slab).`,
            },
        ...(isEnd && !isMiddleAged
          ? [
              {
                text: `A full collection marks everything that lives, ${formatBytes(usedAfter)} here: its length follows that, not what was just allocated.`,
              },
            ]
          : []),
      ],
    };
  },
};

/** MiB: twice as much, at least 32. */
export function semiSpaceFor(semiSpaceBytes: number | null): number {
  return Math.max(32, Math.round(((semiSpaceBytes ?? 0) / 1024 ** 2) * 2));
}

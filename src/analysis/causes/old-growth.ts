/** Retained objects filled the old generation up to its moving limit. */
import { formatBytes, formatShare } from "../../lib/units.ts";
import { growthOf, growthText, passedShare } from "./growth.ts";
import type { Rule } from "./rule.ts";

const WORTH_SAYING = 0.25;
/** What is not kept fills the old generation as well, but with that survivor-copy has more to do. */
const PASSED = 0.5;

export const oldGrowth: Rule = {
  cause: "old-growth",
  judge(facts) {
    const growth = growthOf(facts);
    if (growth === null || growth.total === 0) return null;
    const share = growth.old / growth.total;
    if (share < WORTH_SAYING) return null;
    const { usedBefore, usedAfter, kind } = facts;
    const freed = (usedBefore - usedAfter) / usedBefore;
    const isEnd = kind === "mark-compact";
    return {
      score: 0.8 * share * growth.reach * (1 - PASSED * passedShare(facts)),
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
        {
          text: `What the sites here keep is really kept: bound the cache or queue that holds it, keep less of each entry, or move it off the heap (a Buffer, gcspike/slab).`,
        },
        ...(isEnd
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

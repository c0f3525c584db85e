/** Retained objects filled the old generation up to its moving limit. */
import { formatBytes, formatShare } from "../../lib/units.ts";
import type { SpikeFacts } from "./facts.ts";
import { growthOf, growthText, passedShare } from "./growth.ts";
import type { Judgement, Rule } from "./rule.ts";
import { largerYoung, wouldDieYoung } from "./young-size.ts";

const WORTH_SAYING = 0.25;
/** What is not kept fills the old generation as well, but with that survivor-copy has more to do. */
const PASSED = 0.5;
/** Of the heap, freed by a full collection. */
const PASSED_THROUGH = 0.5;

export const oldGrowth: Rule = {
  cause: "old-growth",
  judge(facts) {
    const growth = growthOf(facts);
    if (growth === null || growth.total === 0) return null;
    const share = growth.old / growth.total;
    if (share < WORTH_SAYING) return null;
    const { freed, kind } = facts;
    const isEnd = kind === "mark-compact";
    const whose = isEnd ? "this one" : "the collection that it led to";
    return {
      score: 0.8 * share * growth.reach * (1 - PASSED * passedShare(facts)),
      certainty: isEnd ? 0.88 : 0.8,
      why: `${growthText(growth.old, growth)} of objects that lived long had filled the old generation up to V8's limit for it`,
      evidence: [
        {
          signal: "growth.old",
          value: growth.old,
          unit: "bytes",
          text: `The old generation grew by ${growthText(growth.old, growth)} since the last full collection: ${formatShare(share)} of all growth${Number.isNaN(freed) ? "" : `; ${whose} freed ${formatShare(freed)} of the heap`}.`,
        },
      ],
      // What was promoted and is dead by the end of the collection only passed through.
      advice: freed > PASSED_THROUGH ? adviceOfPassing(facts) : adviceOfKept(facts),
    };
  },
};

function adviceOfPassing(facts: SpikeFacts): Judgement["advice"] {
  const dead = "Most of it was dead by the end of the collection";
  if (wouldDieYoung(facts) === false) {
    return [
      {
        text: `${dead}, but lives too long to die young. Fewer full collections, for more memory.`,
        ...laterFulls(facts),
      },
    ];
  }
  const larger = largerYoung(facts);
  return [
    { ...larger, text: `${dead}: it lives just long enough to be promoted. ${larger.text}` },
    { text: "Fewer full collections, for more memory.", ...laterFulls(facts) },
  ];
}

function adviceOfKept(facts: SpikeFacts): Judgement["advice"] {
  const { kind, usedAfter, freed } = facts;
  const kept = Number.isNaN(freed) ? "If the sites here keep it for good" : "What the sites here keep is really kept";
  return [
    {
      text: `${kept}: bound the cache or queue that holds it, keep less of each entry, or move it off the heap (a Buffer, gcspike/slab).`,
    },
    {
      text: "Where it has to be kept, as what a program loads when it starts, V8 can expect it, and begins full collections later.",
      ...laterFulls(facts),
    },
    ...(kind === "mark-compact"
      ? [
          {
            text: `A full collection marks everything that lives, ${formatBytes(usedAfter)} here: its length follows that, not what was just allocated.`,
          },
        ]
      : []),
  ];
}

/** Room for twice of what the heap held, in steps of 256 MiB. */
function laterFulls({ usedBefore }: SpikeFacts): { readonly flag?: string } {
  if (Number.isNaN(usedBefore)) return {};
  return { flag: `--initial-old-space-size=${Math.max(1, Math.ceil((usedBefore * 2) / 1024 ** 2 / 256)) * 256}` };
}

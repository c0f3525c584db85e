/** Collections are driven by objects too large for a page. */
import { formatBytes, formatShare } from "../../lib/units.ts";
import type { SpikeFacts } from "./facts.ts";
import { growthOf, growthText } from "./growth.ts";
import { workedShare } from "./machine-time.ts";
import type { Judgement, Rule } from "./rule.ts";

const WORTH_SAYING = 0.25;

const ADVICE = [
  {
    text: "Arrays, Map tables and strings beyond some 128 KiB have pages of their own and are never moved: process them in pieces, give Maps and arrays their size at once instead of letting them double, or use a typed array, which lies outside the heap.",
  },
];

export const largeObjects: Rule = {
  cause: "large-objects",
  judge(facts) {
    return facts.kind === "scavenge" ? ofScavenge(facts) : ofGrowth(facts);
  },
};

/** New large objects fill the young generation like small ones. */
function ofScavenge({ before, machine }: SpikeFacts): Judgement | null {
  if (before === null) return null;
  const share = before.youngLarge / (before.youngLarge + before.young);
  if (!(share >= WORTH_SAYING)) return null;
  return {
    score: 0.9 * share * workedShare(machine),
    certainty: 0.88,
    why: `${formatBytes(before.youngLarge)} of new objects too large for a page, ${formatShare(share)} of all new ones, had filled the young generation`,
    evidence: [
      {
        signal: "young.large",
        value: before.youngLarge,
        unit: "bytes",
        text: `${formatBytes(before.youngLarge)} of the ${formatBytes(before.young + before.youngLarge)} of new objects were too large for a page.`,
      },
    ],
    advice: ADVICE,
  };
}

function ofGrowth(facts: SpikeFacts): Judgement | null {
  const growth = growthOf(facts);
  if (growth === null || growth.total === 0) return null;
  const share = growth.large / growth.total;
  if (share < WORTH_SAYING) return null;
  return {
    score: 0.82 * share * growth.reach,
    certainty: 0.88,
    why: `${growthText(growth.large, growth)} of objects too large for a page had filled the heap up to V8's limit`,
    evidence: [
      {
        signal: "growth.large",
        value: growth.large,
        unit: "bytes",
        text: `Large objects grew by ${growthText(growth.large, growth)} since the last full collection: ${formatShare(share)} of all growth.`,
      },
    ],
    advice: ADVICE,
  };
}

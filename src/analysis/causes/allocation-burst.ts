/** The allocation rate jumped well above its recent level. */
import { formatBytes, formatNumber } from "../../lib/units.ts";
import { isBurst } from "../allocation-rate.ts";
import { copyingOf } from "./copying.ts";
import { isYoungCollection, type SpikeFacts } from "./facts.ts";
import { growthOf } from "./growth.ts";
import { workedShare } from "./machine-time.ts";
import { ramp } from "./ramp.ts";
import type { Rule } from "./rule.ts";

const WORTH_SAYING = 0.15;
/** A young collection is as long as what a burst has left alive makes it: from here on it is that. */
const MUCH_COPYING = 0.4;

export const allocationBurst: Rule = {
  cause: "allocation-burst",
  judge(facts) {
    const { rate } = facts;
    if (rate === null || !isBurst(rate)) return null;
    const times = rate.now / Math.max(rate.usual, 1);
    const score = (0.97 - 0.5 / times) * fedShare(facts);
    if (score < WORTH_SAYING) return null;
    const factor = times > 1000 ? "more than a thousand" : formatNumber(times);
    return {
      score,
      certainty: 0.82,
      why: `the program had just begun to allocate ${formatBytes(rate.now)} a second, ${factor} times what it did before`,
      evidence: [
        {
          signal: "allocation-rate",
          value: rate.now,
          unit: "bytes/s",
          text: `${formatBytes(rate.now)} a second were allocated right before it; usual in the 10 s before that: ${formatBytes(rate.usual)} a second.`,
        },
      ],
      advice: [
        {
          text: "Spread the burst: work in slices between which the event loop turns, a limit on how much runs at once, or streaming instead of building the whole result. Look at the tags for what began then.",
        },
      ],
    };
  },
};

/** How much of the stop is about what had just been allocated, 0 to 1: what was young and alive, or what the old generation grew by. */
function fedShare(facts: SpikeFacts): number {
  if (isYoungCollection(facts)) {
    return ramp(copyingOf(facts)?.explains ?? 1, 0, MUCH_COPYING) * workedShare(facts.machine);
  }
  return growthOf(facts)?.reach ?? 0;
}

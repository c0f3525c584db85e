/** The allocation rate jumped well above its recent level. */
import { formatBytes, formatNumber } from "../../lib/units.ts";
import { isBurst } from "../allocation-rate.ts";
import type { Rule } from "./rule.ts";

export const allocationBurst: Rule = {
  cause: "allocation-burst",
  judge({ rate, kind }) {
    if (rate === null || kind === "weak-callbacks" || !isBurst(rate)) return null;
    const times = rate.now / Math.max(rate.usual, 1);
    const factor = times > 1000 ? "more than a thousand" : formatNumber(times);
    return {
      score: 0.97 - 0.5 / times,
      certainty: 0.82,
      why: `the program had just begun to allocate ${formatBytes(rate.now)} a second, ${factor} times what it did before`,
      evidence: [
        {
          signal: "allocation-rate",
          value: rate.now,
          unit: "bytes/s",
          text: `${formatBytes(rate.now)} a second were allocated right before it; usual in the 30 s before that: ${formatBytes(rate.usual)} a second.`,
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

/** The heap is near its maximum, and full collections repeat while freeing little. */
import { plural } from "../../lib/text.ts";
import { formatBytes, formatShare } from "../../lib/units.ts";
import { isYoungCollection, type SpikeFacts } from "./facts.ts";
import { workedShare } from "./machine-time.ts";
import { ramp } from "./ramp.ts";
import type { Rule } from "./rule.ts";

const NEAR = 0.7;
/** Full collections that free more than this share are doing their work. */
const LITTLE = 0.3;

export const heapLimit: Rule = {
  cause: "heap-limit",
  judge(facts) {
    const { reasons, recentFulls } = facts;
    if (isYoungCollection(facts)) return null;
    const { kept, limit } = oldGeneration(facts);
    const near = kept / limit;
    const isLast = reasons.some((reason) => /last resort/.test(reason));
    const fruitless = recentFulls.filter((freed) => freed < LITTLE).length;
    if (!(limit > 0 && near >= NEAR) || (fruitless < 2 && !isLast && near < 0.85)) return null;
    return {
      score: (0.8 + 0.19 * ramp(near, NEAR, 0.9) * ramp(fruitless, 0, 2)) * workedShare(facts.machine),
      certainty: fruitless >= 2 || isLast ? 0.93 : 0.75,
      why: `${formatBytes(kept)} of ${formatBytes(limit)} are in use, and ${fruitless < 2 ? "little is left to free" : `${plural(fruitless, "full collection")} in 10 s freed little`}`,
      evidence: [
        {
          signal: "near-limit",
          value: near,
          unit: "share",
          text: `The old generation is at ${formatShare(near)} of its limit of ${formatBytes(limit)}; ${plural(recentFulls.length, "full collection")} in the last 10 s, of which ${fruitless} freed less than ${formatShare(LITTLE)}.`,
        },
      ],
      advice: [
        {
          text: `Raise the limit if the program really needs this much: at twice ${formatBytes(kept)} V8 would collect a fraction as often.`,
          flag: `--max-old-space-size=${Math.ceil((kept * 2) / 1024 ** 2 / 256) * 256}`,
        },
        {
          text: "If it only grows, something is kept that nobody needs, at the sites here. It ends in an out-of-memory abort.",
        },
      ],
    };
  },
};

/** V8's limit of the whole heap leaves room for two semi-spaces and as much for new large objects (Heap::MaxReserved). */
const SEMI_SPACES = 3;

/** What is in use of it after the collection, or before one that only begins, and how much that may become; bytes. */
function oldGeneration(facts: SpikeFacts): { readonly kept: number; readonly limit: number } {
  const { kind, usedBefore, usedAfter, before, after, heapLimit, semiSpaceBytes } = facts;
  const isBefore = Number.isNaN(usedAfter) || kind === "incremental-start";
  const parts = isBefore ? before : after;
  const young = parts === null ? 0 : parts.young + parts.youngLarge;
  const used = isBefore ? usedBefore : usedAfter;
  return { kept: used - young, limit: heapLimit - SEMI_SPACES * (semiSpaceBytes ?? 0) };
}

/** Collections are driven by objects too large for a page. */
import { formatBytes, formatMs, formatShare } from "../../lib/units.ts";
import type { Evidence } from "../report-types.ts";
import type { SpikeFacts } from "./facts.ts";
import { growthOf, growthText } from "./growth.ts";
import { largePagesMs } from "./large-pages.ts";
import { workedShare, workShare } from "./machine-time.ts";
import { ramp } from "./ramp.ts";
import type { Judgement, Rule } from "./rule.ts";

const WORTH_SAYING = 0.25;
/** From here on giving their pages back is what the stop was. */
const MOST_OF_IT = 0.6;

const ADVICE = [
  {
    text: "Arrays, Map tables and strings beyond some 128 KiB have pages of their own and are never moved: process them in pieces, give Maps and arrays their size at once instead of letting them double, or use a typed array, which lies outside the heap.",
  },
];

/** They filled what V8 collects for, and the pages of dead ones take time to give back: whichever explains more. */
export const largeObjects: Rule = {
  cause: "large-objects",
  judge(facts) {
    const [filled, pages] = [facts.kind === "scavenge" ? ofScavenge(facts) : ofGrowth(facts), ofPages(facts)];
    if (filled === null || pages === null) return filled ?? pages;
    const first = filled.score >= pages.score ? filled : pages;
    return { ...first, evidence: [...filled.evidence, ...pages.evidence] };
  },
};

/** New large objects fill the young generation like small ones. */
function ofScavenge({ before, machine }: SpikeFacts): Judgement | null {
  if (before === null) return null;
  const share = before.youngLarge / (before.youngLarge + before.young);
  if (!(share >= WORTH_SAYING)) return null;
  return judgement(
    0.9 * share * workedShare(machine),
    `${formatBytes(before.youngLarge)} of new objects too large for a page, ${formatShare(share)} of all new ones, had filled the young generation`,
    {
      signal: "young.large",
      value: before.youngLarge,
      unit: "bytes",
      text: `${formatBytes(before.youngLarge)} of the ${formatBytes(before.young + before.youngLarge)} of new objects were too large for a page.`,
    },
  );
}

function ofGrowth(facts: SpikeFacts): Judgement | null {
  const growth = growthOf(facts);
  if (growth === null || growth.total === 0) return null;
  const share = growth.large / growth.total;
  if (share < WORTH_SAYING) return null;
  return judgement(
    0.82 * share * growth.reach,
    `${growthText(growth.large, growth)} of objects too large for a page had filled the heap up to V8's limit`,
    {
      signal: "growth.large",
      value: growth.large,
      unit: "bytes",
      text: `Large objects grew by ${growthText(growth.large, growth)} since the last full collection: ${formatShare(share)} of all growth.`,
    },
  );
}

function ofPages(facts: SpikeFacts): Judgement | null {
  const { machine, durationMs } = facts;
  const ms = largePagesMs(facts);
  const share = workShare(ms, machine);
  if (share < WORTH_SAYING) return null;
  return judgement(
    0.9 * ramp(share, 0, MOST_OF_IT) * workedShare(machine),
    `giving back the pages of dead objects too large for a page took ${formatMs(ms)} of it`,
    {
      signal: "large-pages",
      value: ms,
      unit: "ms",
      text: `About ${formatMs(ms)} (${formatShare(ms / durationMs)}) went into giving back the pages of dead large objects.`,
    },
  );
}

function judgement(score: number, why: string, evidence: Evidence): Judgement {
  return { score, certainty: 0.88, why, evidence: [evidence], advice: ADVICE };
}

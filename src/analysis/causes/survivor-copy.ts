/**
 * Much of what was just allocated is still in use: a young collection is long because it copies that, and a full one runs because what
 * was copied twice passes through the old generation.
 */
import { formatBytes, formatShare } from "../../lib/units.ts";
import type { Evidence } from "../report-types.ts";
import { copyingOf } from "./copying.ts";
import type { SpikeFacts } from "./facts.ts";
import { growthOf, growthText, passedShare } from "./growth.ts";
import { faultShare, workedShare } from "./machine-time.ts";
import { ramp } from "./ramp.ts";
import type { Judgement, Rule } from "./rule.ts";
import { largerYoung, otherYoung, wouldDieYoung } from "./young-size.ts";

/** From here on copying is what it was: the rest is roots and the ends of the collection. */
const MOST_OF_IT = 0.6;
const WORTH_SAYING = 0.15;
/** How certain it is where copying took far longer than so many bytes usually take, and where it took as long. */
const WHERE_SLOW = 0.6;
const WHERE_USUAL = 0.85;
const KEEP_LESS = {
  text: "What is kept for long is best not made young: keep it off the heap (a Buffer, gcspike/slab), keep less of it (parse lazily), or reuse what is there.",
};

export const survivorCopy: Rule = {
  cause: "survivor-copy",
  judge: (facts) => ofCopying(facts) ?? ofPassing(facts),
};

function ofCopying(facts: SpikeFacts): Judgement | null {
  const { before, machine, promoted } = facts;
  const copying = copyingOf(facts);
  if (copying === null || before === null || copying.bytes === 0) return null;
  // Memory that faults in is copied to all the same, but without the faults that would be soon done.
  const explained = Math.min(copying.explains, 1 - faultShare(machine));
  const score = 0.9 * ramp(explained, 0, MOST_OF_IT) * workedShare(machine);
  if (score < WORTH_SAYING) return null;
  const share = copying.bytes / before.young;
  return judgement(facts, {
    score,
    certainty: WHERE_SLOW + (WHERE_USUAL - WHERE_SLOW) * ramp(copying.usual, 0.2, MOST_OF_IT),
    why: `${formatBytes(copying.bytes)} of ${formatBytes(before.young)} of new objects were still in use and had to be copied`,
    evidence: {
      signal: "survived",
      value: copying.bytes,
      unit: "bytes",
      text: `${formatBytes(copying.bytes)} survived (${formatShare(share)} of the young generation), ${formatBytes(promoted)} of it for the second time, into the old generation.`,
    },
  });
}

/** V8 promotes what survives two scavenges: what lives only a little longer fills the old generation, and is dead when that is full. */
function ofPassing(facts: SpikeFacts): Judgement | null {
  const growth = growthOf(facts);
  if (growth === null || growth.total === 0) return null;
  const score = 0.8 * (growth.old / growth.total) * growth.reach * passedShare(facts);
  if (score < WORTH_SAYING) return null;
  const died = facts.diedOld;
  return judgement(facts, {
    score,
    certainty: 0.8,
    why: `${growthText(growth.old, growth)} of objects had lived just long enough to be copied into the old generation, and filled it in passing`,
    evidence: {
      signal: "passed",
      value: died,
      unit: "share",
      text: `The old generation grew by ${growthText(growth.old, growth)} since the last full collection, and ${formatShare(died)} of that was found dead: little of it stays.`,
    },
  });
}

function judgement(
  facts: SpikeFacts,
  told: { readonly score: number; readonly certainty: number; readonly why: string; readonly evidence: Evidence },
): Judgement {
  return {
    ...told,
    evidence: [told.evidence],
    advice: wouldDieYoung(facts) === false ? [KEEP_LESS, ...otherYoung(facts)] : [largerYoung(facts), KEEP_LESS],
  };
}

/** Collections are driven by memory outside the heap that objects of the heap own. */
import { formatBytes, formatShare } from "../../lib/units.ts";
import { isExternalPressure, isYoungCollection } from "./facts.ts";
import { type Growth, growthOf, growthText } from "./growth.ts";
import { workedShare } from "./machine-time.ts";
import { ramp } from "./ramp.ts";
import type { Rule } from "./rule.ts";

const WORTH_SAYING = 0.25;
/** V8 may say so although the old generation was about to be full: memory outside that young collections would have freed counts too. */
const ASKED = 0.55;

export const externalMemory: Rule = {
  cause: "external-memory",
  judge(facts) {
    const { before } = facts;
    const isAsked = isExternalPressure(facts);
    const growth = growthOf(facts);
    const share = growth === null || growth.total === 0 ? 0 : growth.external / growth.total;
    if (!isAsked && share < WORTH_SAYING) return null;
    const external = before?.external ?? Number.NaN;
    const isYoung = isYoungCollection(facts);
    return {
      score: isAsked
        ? (isYoung ? 0.8 : ASKED + 0.4 * ramp(share, 0, 0.5)) * workedShare(facts.machine)
        : 0.8 * share * (growth?.reach ?? 0),
      certainty: isAsked ? 0.7 + 0.24 * ramp(share, 0, 0.5) : 0.8,
      why:
        growth !== null && growth.external > 0
          ? `memory outside the heap (Buffers, ArrayBuffers) had grown by ${growthText(growth.external, growth)}, past V8's limit for it`
          : `memory outside the heap (Buffers, ArrayBuffers) was ${Number.isNaN(external) ? "" : `at ${formatBytes(external)}, `}past V8's limit for it`,
      evidence: [
        {
          signal: "external",
          value: Number.isNaN(external) ? 0 : external,
          unit: "bytes",
          text: externalText(external, growth, share, isAsked),
        },
      ],
      advice: [
        {
          text: "Reuse Buffers instead of making one for each use (a pool, or one that is filled again), or stream in smaller pieces: V8 only learns that a Buffer is dead by collecting the small object that owns it.",
        },
      ],
    };
  },
};

function externalText(external: number, growth: Growth | null, share: number, isAsked: boolean): string {
  const said = isAsked ? "; V8 says that this is why it collected" : "";
  if (Number.isNaN(external)) return `How much was outside the heap was not measured${said}.`;
  const grown =
    growth === null
      ? ""
      : `; growth since the last full collection: ${formatBytes(growth.external)} (${formatShare(share)} of all growth)`;
  return `${formatBytes(external)} outside the heap belonged to objects in it${grown}${said}.`;
}

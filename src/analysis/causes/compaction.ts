/** Evacuating fragmented pages dominates a full collection. */
import { formatBytes, formatMs, formatShare } from "../../lib/units.ts";
import { COPY_MS_A_MIB } from "./copied.ts";
import { waitedShare, workedShare, workShare } from "./machine-time.ts";
import { ramp } from "./ramp.ts";
import type { Rule } from "./rule.ts";

/** Without the phase that gives the young generation its size back. */
const EVACUATING = /^V8\.GC_MC_EVACUATE(?!_REBALANCE)/;
const WORTH_SAYING = 0.2;
/** From here on it is what most of the collection was. */
const MOST_OF_IT = 0.5;
const MIB = 1024 ** 2;

export const compaction: Rule = {
  cause: "compaction",
  judge({ kind, phases, durationMs, machine, youngAlive }) {
    if (kind !== "mark-compact" || phases === null) return null;
    let ms = 0;
    for (const [name, self] of phases) if (EVACUATING.test(name)) ms += self;
    // What is young and alive is moved in the same phases, fragmented or not.
    const young = Number.isNaN(youngAlive) ? 0 : youngAlive;
    const youngMs = (young / MIB) * COPY_MS_A_MIB;
    const evacuating = Math.max(0, ms - youngMs);
    const share = workShare(evacuating, machine);
    if (!(share >= WORTH_SAYING)) return null;
    return {
      score: (0.3 + 0.65 * ramp(share, WORTH_SAYING, MOST_OF_IT)) * workedShare(machine),
      certainty: 0.8 * (1 - 0.4 * waitedShare(machine)),
      why: `moving objects out of fragmented pages took ${formatMs(evacuating)} of it`,
      evidence: [
        {
          signal: "evacuation",
          value: share,
          unit: "share",
          text: `Evacuation and the updating of pointers took ${formatMs(ms)} (${formatShare(ms / durationMs)})${young < MIB ? "" : `, of which ${formatBytes(young)} of young objects explain about ${formatMs(youngMs)}`}.`,
        },
      ],
      advice: [
        {
          text: "Fragmentation comes from long-lived objects between short-lived ones: allocate what lives long together (at start, in arrays or a pool), so that pages empty as a whole.",
        },
      ],
    };
  },
};

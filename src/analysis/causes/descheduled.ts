/** The thread was not running: the machine, not the program. */
import { formatMs, formatShare } from "../../lib/units.ts";
import { waitedShare, workMs } from "./machine-time.ts";
import { ramp } from "./ramp.ts";
import type { Rule } from "./rule.ts";

/** Below this share it is a part of every pause on a busy machine. */
const WORTH_SAYING = 0.2;
/** From here on the machine is what the stop was. */
const MOST_OF_IT = 0.6;

export const descheduled: Rule = {
  cause: "descheduled",
  judge({ machine, spikeMs, kind }) {
    const { cpuMs, queuedMs, keptMs, helpersMs } = machine;
    const share = waitedShare(machine);
    if (share < WORTH_SAYING) return null;
    // Without the waiting nobody would have noticed it.
    const madeIt = workMs(machine) < spikeMs;
    const isQueued = queuedMs >= keptMs / 2;
    const isMeasured = isQueued || !Number.isNaN(helpersMs);
    return {
      score: madeIt ? 0.6 + 0.38 * ramp(share, WORTH_SAYING, MOST_OF_IT) : share * 0.95,
      certainty:
        (isMeasured ? 0.95 : 0.7) * (madeIt ? 0.7 + 0.3 * ramp(share, 0.3, MOST_OF_IT) : ramp(share, 0.3, 0.95)),
      why:
        kind === "incremental-steps"
          ? `the thread had ${formatShare(1 - share)} of a processor while they ran`
          : `the thread ran for ${formatMs(cpuMs)} of it and was kept from running for ${formatMs(keptMs)}, in which no helper ran for it either`,
      evidence: [
        {
          signal: "not-running",
          value: share,
          unit: "share",
          text: `The thread was kept from running for ${formatShare(share)} of the stop${madeIt ? `: without that it would have been shorter than ${formatMs(spikeMs)}` : ""}.`,
        },
      ],
      advice: [
        {
          text: "Give the process a processor of its own: fewer busy neighbours, a higher CPU limit of the container (look for throttling in cpu.stat), or fewer workers than processors. Changing the program's allocations would not have helped this one.",
        },
      ],
    };
  },
};

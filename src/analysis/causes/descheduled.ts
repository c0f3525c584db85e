/** The thread was not running: the machine, not the program. */
import { formatMs, formatShare } from "../../lib/units.ts";
import { waitedShare } from "./facts.ts";
import { type Rule, ramp } from "./rule.ts";

/** Below this share it is a part of every pause on a busy machine. */
const WORTH_SAYING = 0.2;

export const descheduled: Rule = {
  cause: "descheduled",
  judge({ machine, spikeMs, kind }) {
    const { wallMs, cpuMs, queuedMs, stalledMs } = machine;
    const share = waitedShare(machine);
    if (share < WORTH_SAYING) return null;
    // Without the waiting nobody would have noticed it.
    const madeIt = wallMs * (1 - share) < spikeMs;
    const measured = queuedMs >= stalledMs;
    return {
      score: madeIt ? 0.9 + 0.1 * ramp(share, 0.3, 0.9) : share * 0.95,
      certainty: (measured ? 0.95 : 0.7) * (madeIt ? 1 : ramp(share, 0.3, 0.95)),
      why:
        kind === "incremental-steps"
          ? `the thread had ${formatShare(1 - share)} of a processor while they ran`
          : measured
            ? `the thread waited ${formatMs(queuedMs)} of it for a processor and ran for ${formatMs(cpuMs)}`
            : `the thread ran for ${formatMs(cpuMs)} of it and stood still for ${formatMs(stalledMs)} more than its helpers explain`,
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

/** Memory had to be faulted in, by the kernel or from a disk. */
import { plural } from "../../lib/text.ts";
import { formatMs, formatShare } from "../../lib/units.ts";
import { waitedShare } from "./facts.ts";
import { type Rule, ramp } from "./rule.ts";

const WORTH_SAYING = 0.25;
/** Less than this is in every long pause, ms. */
const LEAST_MS = 2;
/** A major fault waits for a disk, ms: at least this. */
const MAJOR_FAULT_MS = 0.1;

export const pageFaults: Rule = {
  cause: "page-faults",
  judge({ machine, spikeMs }) {
    const { wallMs, cpuMs, minorFaults, majorFaults, faultMs, stalledMs } = machine;
    if (Number.isNaN(minorFaults) || Number.isNaN(cpuMs)) return null;
    // What waits for a disk does not run.
    const diskMs = majorFaults > 0 ? Math.max(Math.min(stalledMs, wallMs), majorFaults * MAJOR_FAULT_MS) : 0;
    // Helper threads fault as much as this one for the work that they do.
    const share = Math.max(diskMs / wallMs, faultMs >= LEAST_MS ? faultMs / cpuMs : 0);
    if (!(share >= WORTH_SAYING)) return null;
    const ranMs = wallMs * (1 - waitedShare(machine));
    const madeIt = ranMs * (1 - Math.min(1, share)) < spikeMs && share >= 0.4;
    return {
      score: Math.min(0.98, 0.4 + 0.55 * ramp(share, 0.25, 0.6) + (madeIt ? 0.03 : 0)),
      certainty: diskMs > faultMs ? 0.9 : 0.8,
      why:
        diskMs > faultMs
          ? `${plural(majorFaults, "page")} of its memory had to be read from a disk`
          : `${plural(minorFaults, "page fault")} took about ${formatMs(faultMs)} of it`,
      evidence: [
        {
          signal: "faulting",
          value: share,
          unit: "share",
          text: `Faulting memory in took about ${formatShare(Math.min(1, share))} of the work (${plural(minorFaults, "minor fault")}, ${plural(majorFaults, "major fault")}; what a minor one costs was measured on this machine, or estimated).`,
        },
      ],
      advice: [
        diskMs > faultMs
          ? {
              text: "The heap was swapped out, or its file pages were dropped: give the process more memory, or turn swap off for it.",
            }
          : {
              text: "V8 takes fresh pages each time the young generation grows and gives them back when it is quiet: a fixed size keeps them.",
              flag: "--min-semi-space-size=16",
            },
      ],
    };
  },
};

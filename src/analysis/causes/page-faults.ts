/** Memory had to be faulted in, by the kernel or from a disk. */
import { plural } from "../../lib/text.ts";
import { formatMs, formatShare } from "../../lib/units.ts";
import { workMs } from "./machine-time.ts";
import type { Rule } from "./rule.ts";

const WORTH_SAYING = 0.25;
/** Less than this is in every long pause, ms. */
const LEAST_MS = 2;
/** A disk is known to be slow; a minor fault is what some other cause's copying meets, and its time is estimated, in ticks at best. */
const OF_DISK = 0.9;
const OF_KERNEL = 0.65;

export const pageFaults: Rule = {
  cause: "page-faults",
  judge({ machine, spikeMs }) {
    const { wallMs, minorFaults, majorFaults, faultMs, diskMs } = machine;
    if (Number.isNaN(minorFaults)) return null;
    const share = Math.min(1, (diskMs + (faultMs >= LEAST_MS ? faultMs : 0)) / wallMs);
    if (!(share >= WORTH_SAYING)) return null;
    const madeIt = workMs(machine) - diskMs - faultMs < spikeMs && share >= 0.4;
    return {
      score: Math.min(0.98, 0.2 + share + (madeIt ? 0.03 : 0)),
      certainty: diskMs > faultMs ? OF_DISK : OF_KERNEL,
      why:
        diskMs > faultMs
          ? `${plural(majorFaults, "page")} of its memory had to be read from a disk`
          : `${plural(minorFaults, "page fault")} took about ${formatMs(faultMs)} of it`,
      evidence: [
        {
          signal: "faulting",
          value: share,
          unit: "share",
          text: `Faulting memory in took about ${formatShare(share)} of the stop (${plural(minorFaults, "minor fault")}, ${plural(majorFaults, "major fault")}; what a minor one costs was measured on this machine, or estimated).`,
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

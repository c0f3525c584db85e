/** The thread was not running: the machine, not the program. */
import { formatMs, formatShare } from "../../lib/units.ts";
import type { Evidence } from "../report-types.ts";
import { type MachineTime, waitedShare, workMs } from "./machine-time.ts";
import { ramp } from "./ramp.ts";
import type { Rule } from "./rule.ts";

/** Below this share it is a part of every pause on a busy machine. */
const WORTH_SAYING = 0.2;
/** A little more than its share where nobody would have noticed the rest, a little less where that would have been a spike as well. */
const MADE_IT = 0.08;
/** That the machine is what the stop was is in doubt up to the first share, and clear from the second on. */
const HALF = 0.4;
const MOST_OF_IT = 0.8;
const DOUBTFUL = 0.6;
/** How far the waiting is trusted where it was measured who ran meanwhile, and where it was not. */
const MEASURED = 0.95;
const UNMEASURED = 0.7;

export const descheduled: Rule = {
  cause: "descheduled",
  judge({ machine, spikeMs, kind }) {
    const { cpuMs, keptMs, guessedMs, helpersMs } = machine;
    const share = waitedShare(machine);
    if (share < WORTH_SAYING) return null;
    const madeIt = workMs(machine) < spikeMs;
    // Who waits on a run queue may wait behind V8's own helpers.
    const measured = Number.isNaN(helpersMs) ? 0 : 1 - guessedMs / keptMs;
    return {
      score: Math.min(0.98, share + (madeIt ? MADE_IT : -MADE_IT)),
      certainty:
        (UNMEASURED + (MEASURED - UNMEASURED) * measured) * (DOUBTFUL + (1 - DOUBTFUL) * ramp(share, HALF, MOST_OF_IT)),
      why:
        kind === "incremental-steps"
          ? `the thread had ${formatShare(1 - share)} of a processor while they ran`
          : `the thread ran for ${formatMs(cpuMs)} of it and was kept from its work for ${formatMs(keptMs)}, ${meanwhile(machine)}`,
      evidence: [
        {
          signal: "not-running",
          value: share,
          unit: "share",
          text: `The thread was kept from its work for ${formatShare(share)} of the stop${madeIt ? `: without that it would have been shorter than ${formatMs(spikeMs)}` : ""}.`,
        },
        ...safepointEvidence(machine),
      ],
      advice: [
        {
          text: isBehindOwnThreads(machine)
            ? "Leave a processor to the main thread: a smaller pool of libuv (UV_THREADPOOL_SIZE; crypto, zlib, fs and dns work there), fewer such jobs at once, or fewer threads of addons. Changing the program's allocations would not have helped this one."
            : "Give the process a processor of its own: fewer busy neighbours, a higher CPU limit of the container (look for throttling in cpu.stat), or fewer workers than processors. Changing the program's allocations would not have helped this one.",
        },
      ],
    };
  },
};

function isBehindOwnThreads({ keptMs, guessedMs }: MachineTime): boolean {
  return guessedMs > keptMs / 2;
}

function meanwhile(machine: MachineTime): string {
  return isBehindOwnThreads(machine)
    ? "while other threads of the process had the processors"
    : "in which no helper worked for it either";
}

/** Said from this share of the waiting on. */
const MUCH_OF_IT = 0.2;

function safepointEvidence({ keptMs, safepointMs }: MachineTime): readonly Evidence[] {
  if (!(safepointMs >= keptMs * MUCH_OF_IT)) return [];
  return [
    {
      signal: "safepoint",
      value: safepointMs,
      unit: "ms",
      text: `For ${formatMs(safepointMs)} of that it waited for threads of the process, such as those that compile its functions, to come to a safepoint: microseconds where they get a processor.`,
    },
  ];
}

/** What is told of an isolate second by second, in the words of every renderer: where a second is marked, and what a lane means. */
import { BURST_JUMP, BURST_LEAST_RATE, QUARTER_MS, USUAL_MS } from "../analysis/allocation-rate.ts";
import type { Thresholds } from "../analysis/report-types.ts";
import { P99_SECONDS } from "../analysis/seconds.ts";
import { BEFORE_MS, RATE_SECONDS } from "../analysis/tag-lanes.ts";
import { formatBytes, formatMs } from "../lib/units.ts";

export interface LaneText {
  readonly title: string;
  /** Where a second is marked, its threshold with the option that sets it; null: nowhere. */
  readonly marked: string | null;
  readonly meaning: string;
}

export type LaneName = "allocation" | "growth" | "p99";

export function laneTexts({ growthBytes, p99Ms }: Thresholds): Readonly<Record<LaneName, LaneText>> {
  return {
    allocation: {
      title: "Allocation rate",
      marked: `burst of ${formatMs(QUARTER_MS)} or more, ${BURST_JUMP} times the usual and ${formatBytes(BURST_LEAST_RATE)}/s at least`,
      meaning: `Usual is the median of the ${formatMs(USUAL_MS)} before; a burst is collected while much of it is still in use.`,
    },
    growth: {
      title: "Heap growth between full collections",
      marked: `grows faster than ${formatBytes(growthBytes)}/s (--growth)`,
      meaning:
        "How much more each collection leaves in use; what grows fast soon reaches V8's limit, and a full collection follows.",
    },
    p99: {
      title: `P99 pause of the last ${P99_SECONDS} s`,
      marked: `P99 of ${formatMs(p99Ms)} or more (--p99, else --spike)`,
      meaning: `All but one in a hundred of the pauses in these ${P99_SECONDS} s are no longer; of fewer than a hundred it is the longest.`,
    },
  };
}

export const TAG_RATE = `how often, over ${RATE_SECONDS} s`;
export const TAG_MEANING = `No threshold: shown are tags that come more often in the ${BEFORE_MS / 1000} s before spikes than elsewhere.`;

export function tagRateText(rate: number): string {
  return `${Number(rate.toPrecision(2))}/s`;
}

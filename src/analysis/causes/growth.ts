/** What filled the heap since the last full collection: the three things that can make V8 run the next one. */
import { formatBytes } from "../../lib/units.ts";
import { isYoungCollection, type SpikeFacts } from "./facts.ts";

export interface Growth {
  readonly old: number;
  readonly large: number;
  readonly external: number;
  readonly total: number;
  readonly seconds: number;
}

/** Null where it is not known, and for scavenges, which are not about it. */
export function growthOf(facts: SpikeFacts): Growth | null {
  const { kind, before, since, startMs } = facts;
  if (isYoungCollection(facts) || kind === "weak-callbacks") return null;
  if (before === null || since === null) return null;
  const grew = (bytes: number): number => Math.max(0, bytes) || 0;
  const old = grew(before.old - since.old);
  const large = grew(before.large + before.youngLarge - since.large);
  const external = grew(before.external - since.external);
  return {
    old,
    large,
    external,
    total: old + large + external,
    seconds: Math.max(0.001, (startMs - since.timeMs) / 1000),
  };
}

/** "38 MiB in 2.1 s". */
export function growthText(bytes: number, { seconds }: Growth): string {
  const time = seconds >= 100 ? `${Math.round(seconds)}` : seconds.toPrecision(2);
  return `${formatBytes(bytes)} in ${time} s`;
}

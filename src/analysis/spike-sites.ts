/** Which allocation sites stand behind a spike: of what its cause is about, over the time that fed it. */
import type { SpikeFacts } from "./causes/facts.ts";
import type { GcHistory } from "./gc-history.ts";
import type { Cause, Site } from "./report-types.ts";

/** Allocations that feed a spike of no known cause: those of this time before it. */
const FEED_MS = 3000;
/** The young generation holds what was allocated since the last scavenge but one. */
const YOUNG_SCAVENGES = 2;

export type SiteFinder = (fromMs: number, toMs: number) => readonly Site[];

export function sitesOf(
  cause: Cause,
  facts: SpikeFacts,
  history: GcHistory,
  sitesBetween: SiteFinder,
): readonly Site[] {
  const { startMs, endMs, kind } = facts;
  switch (cause) {
    // The machine, not the code.
    case "descheduled":
    case "page-faults":
      return [];
    case "explicit":
      return askers(facts);
    default: {
      const isYoung = kind === "scavenge" || kind === "minor-mark-sweep";
      if (!isYoung) return sitesBetween(history.endOf(history.lastFull(startMs)), endMs);
      const before = history.lastScavenge(startMs, YOUNG_SCAVENGES);
      return sitesBetween(facts.isolate.pauses.startMs[before] ?? startMs - FEED_MS, startMs);
    }
  }
}

/** The function that asked for a collection. */
function askers({ isolate, pause }: SpikeFacts): readonly Site[] {
  const stack = isolate.triggerStacks[isolate.pauses.triggerStack[pause] ?? -1] ?? [];
  const user = stack.find(({ origin }) => origin === "user");
  if (user === undefined) return [];
  const { function: name, file, line, column } = user;
  return [
    {
      function: name,
      file,
      line,
      column: column > 0 ? column : null,
      share: 1,
      measure: "asked",
      exact: true,
      bytes: null,
      survivedBytes: null,
    },
  ];
}

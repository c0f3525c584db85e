/**
 * Regimes of V8. From the survival of objects V8 learns, for each place that allocates, whether to make its objects young or in the
 * old generation at once (pretenuring). A place that was learnt wrong fills the old generation with what dies soon: full collections
 * take the place of scavenges. Which way it goes may differ from one run of a program to the next, and so do its pauses.
 */
import { plainText, plural } from "../lib/text.ts";
import { formatShare } from "../lib/units.ts";
import { type IsolateData, PAUSE_KINDS } from "../recording/model.ts";
import type { Warning } from "../recording/spec.ts";

const SCAVENGE = PAUSE_KINDS.indexOf("scavenge");
const MARK_COMPACT = PAUSE_KINDS.indexOf("mark-compact");
/** Fewer full collections say nothing about a habit. */
const LEAST_FULLS = 10;
/** A program whose objects are made young has several scavenges for each full collection. */
const SCAVENGES_A_FULL = 1;
/** Where full collections free this much of the heap, what filled it was short-lived. */
const SHORT_LIVED = 0.4;

export type Regime = "young" | "pretenured";

export interface RegimeFacts {
  readonly regime: Regime;
  readonly scavenges: number;
  readonly fulls: number;
  /** Median share of the heap that full collections freed. */
  readonly freed: number;
}

/** Null where too little was collected to say. */
export function regimeOf({ pauses }: IsolateData): RegimeFacts | null {
  let scavenges = 0;
  const freed: number[] = [];
  for (let i = 0; i < pauses.count; i++) {
    if (pauses.kind[i] === SCAVENGE) scavenges++;
    if (pauses.kind[i] !== MARK_COMPACT) continue;
    const before = pauses.usedBefore[i] ?? Number.NaN;
    freed.push((before - (pauses.usedAfter[i] ?? Number.NaN)) / before);
  }
  const fulls = freed.length;
  const known = freed.filter((share) => !Number.isNaN(share)).sort((a, b) => a - b);
  const median = known[known.length >> 1];
  if (median === undefined || scavenges + fulls < LEAST_FULLS) return null;
  const isPretenured = fulls >= LEAST_FULLS && scavenges < fulls * SCAVENGES_A_FULL && median >= SHORT_LIVED;
  return { regime: isPretenured ? "pretenured" : "young", scavenges, fulls, freed: median };
}

/** What a reader of one recording should know about it. */
export function regimeWarnings(isolates: readonly IsolateData[]): readonly Warning[] {
  return isolates.flatMap((isolate) => {
    const facts = regimeOf(isolate);
    if (facts?.regime !== "pretenured") return [];
    return [
      {
        code: "pretenured",
        message: `V8 made most objects of ${plainText(isolate.name, 60)} in the old generation: ${plural(facts.fulls, "full collection")} and ${plural(facts.scavenges, "scavenge")}, and the full ones freed ${formatShare(facts.freed)} of the heap. What they freed was short-lived.`,
        hint: "It learns this from survival early in a run, and may learn otherwise in the next: compare several runs, and --no-allocation-site-pretenuring.",
      },
    ];
  });
}

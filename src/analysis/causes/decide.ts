/**
 * From judgements to a verdict: every rule says how much of the spike would not be there without its cause; the highest is the primary
 * cause, those that also count contribute. Confidence is how well the primary's signals tell it, less where another cause explains
 * nearly as much, where it explains little, and where what would tell another cause was not recorded; unless there would have been
 * nothing without the primary: then others only made it longer. docs/causes has what the scores mean; bench/attribution measures how
 * often they are right.
 */
import type { Cause } from "../report-types.ts";
import { isYoungCollection, type SpikeFacts } from "./facts.ts";
import type { Judgement } from "./rule.ts";
import { RULES } from "./rules.ts";

/** What explains less than this is no verdict. */
const LEAST_SCORE = 0.4;
const CONTRIBUTES = 0.3;
const MOST_CONTRIBUTING = 3;
/** Scores that are as close as this leave the verdict in doubt. */
const CLEAR_MARGIN = 0.25;
/** The share of its certainty that a verdict keeps where another cause explains as much. */
const IN_DOUBT = 0.65;
/** No verdict is surer than this and its score's part of the rest: what its cause leaves unexplained may have one that no rule knows. */
const OF_NOTHING = 0.3;
/**
 * The share that is left without the processor's time, and of a full collection without V8's phases: they would tell other causes. And
 * while a program starts: nothing is usual yet, so that nobody can say whether it goes on like that or builds what it works with once.
 */
const UNSEEN = 0.75;
const STARTING_MS = 1000;
const OF_THE_MACHINE: ReadonlySet<Cause> = new Set(["descheduled", "page-faults"]);

export interface Verdict {
  readonly cause: Cause;
  readonly confidence: number;
  readonly contributing: readonly Cause[];
  /** Of the primary cause; null: unknown. */
  readonly primary: Judgement | null;
  /** Of the primary and the contributing causes, in their order. */
  readonly judgements: readonly Judgement[];
}

export function decide(facts: SpikeFacts): Verdict {
  const judged = RULES.flatMap(({ cause, judge }) => {
    const judgement = judge(facts);
    return judgement === null ? [] : [{ cause, judgement }];
  }).sort((a, b) => b.judgement.score - a.judgement.score);
  const [first, second] = judged;
  if (first === undefined || first.judgement.score < LEAST_SCORE) {
    return { cause: "unknown", confidence: 0, contributing: [], primary: null, judgements: [] };
  }
  const others = judged.slice(1).filter(({ judgement }) => judgement.score >= CONTRIBUTES);
  const contributing = others.slice(0, MOST_CONTRIBUTING);
  const { score, certainty } = first.judgement;
  const clearness = Math.min(1, (score - (second?.judgement.score ?? 0)) / CLEAR_MARGIN);
  const told = Math.min(certainty * (IN_DOUBT + (1 - IN_DOUBT) * clearness), OF_NOTHING + (1 - OF_NOTHING) * score);
  const confidence = score === 1 ? certainty : told * (OF_THE_MACHINE.has(first.cause) ? 1 : seenShare(facts));
  return {
    cause: first.cause,
    confidence: Math.round(confidence * 100) / 100,
    contributing: contributing.map(({ cause }) => cause),
    primary: first.judgement,
    judgements: [first.judgement, ...contributing.map(({ judgement }) => judgement)],
  };
}

/** How much of what would have told another cause was recorded. */
function seenShare(facts: SpikeFacts): number {
  const isMachineSeen = !Number.isNaN(facts.machine.cpuMs);
  const isWorkSeen = facts.phases !== null || isYoungCollection(facts);
  const isUsualSeen = facts.ageMs >= STARTING_MS;
  return (isMachineSeen ? 1 : UNSEEN) * (isWorkSeen ? 1 : UNSEEN) * (isUsualSeen ? 1 : UNSEEN);
}

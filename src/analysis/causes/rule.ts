/** What a rule says about a spike. One rule a cause, each in a file of its own. */
import type { Cause, Evidence, Spike } from "../report-types.ts";
import type { SpikeFacts } from "./facts.ts";

export interface Judgement {
  /**
   * How much of the spike would not be there without this cause, 0 to 1: what makes rules comparable. What started the collection and
   * what made it long compete by the same measure. Of a stop that was waiting in part, a cause of the work explains no more than the work.
   */
  readonly score: number;
  /** How well the signals tell it, 0 to 1, whatever the score. */
  readonly certainty: number;
  /** What happened, as a clause: "9.8 of 15.9 MiB of new objects were still in use and had to be copied". */
  readonly why: string;
  readonly evidence: readonly Evidence[];
  /** What helps, the most likely first; nothing that is always true. */
  readonly advice: Spike["advice"];
}

export interface Rule {
  readonly cause: Exclude<Cause, "unknown">;
  /** Null: it has nothing to do with it, or its signals were not recorded. */
  readonly judge: (facts: SpikeFacts) => Judgement | null;
}

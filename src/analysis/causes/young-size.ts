/** What another size of the young generation would do for what is copied in it. */
import { formatShare } from "../../lib/units.ts";
import type { SpikeFacts } from "./facts.ts";
import type { Judgement } from "./rule.ts";

type Advice = Judgement["advice"];
type Facts = Pick<SpikeFacts, "survivedAgain" | "semiSpaceBytes">;

/**
 * From this share on, what is alive stays alive. Four times the size copies 2 to 9 % less of TypeScript's compiler (0.88), eslint
 * (0.89) and webpack (0.85), and 26 % less of json-server (0.52): bench/cases.mjs.
 */
const STAYS = 0.6;
/** MiB: V8's default on a machine with much memory, where the recording does not say. */
const USUAL_SIZE = 16;

/** Would a larger young generation let die in it what is copied now? Null: not known. */
export function wouldDieYoung({ survivedAgain }: Facts): boolean | null {
  return survivedAgain === null ? null : survivedAgain < STAYS;
}

/** A larger one, where objects would die in it. */
export function largerYoung(facts: Facts): Advice[number] {
  const { survivedAgain } = facts;
  const share = survivedAgain === null ? "" : `: ${ofSurvivors(survivedAgain)}`;
  return {
    text: `A larger young generation is collected less often and leaves more time to die${share}. Less time in all; the longest pauses may grow. Both bounds: V8 grows it slowly, and until then learns less well which objects to make old at once.`,
    flag: largerFlags(facts),
  };
}

/** Where they would not die in a larger one: what its size changes then. */
export function otherYoung(facts: Facts): Advice {
  const smaller = Math.max(1, Math.round(sizeOf(facts) / 2));
  return [
    {
      text: `Shorter pauses, more of them, more time in all. The size hardly changes how much is copied, only at how many times: ${ofSurvivors(facts.survivedAgain ?? 1)}.`,
      flag: `--max-semi-space-size=${smaller}`,
    },
    {
      text: "The other way round: less time in all, in longer pauses. For a program that nobody waits for.",
      flag: largerFlags(facts),
    },
  ];
}

function ofSurvivors(again: number): string {
  return `of what survived one collection lately, ${formatShare(again)} survived the next`;
}

function largerFlags(facts: Facts): string {
  const mib = Math.max(32, Math.round(sizeOf(facts) * 2));
  return `--min-semi-space-size=${mib} --max-semi-space-size=${mib}`;
}

/** Of a semi-space, MiB. */
function sizeOf({ semiSpaceBytes }: Facts): number {
  return (semiSpaceBytes ?? USUAL_SIZE * 1024 ** 2) / 1024 ** 2;
}

/** What a check is worth on this machine: from pairs of runs of the same program, how often it would be wrong, and what it can see. Pure. */
import type { Measurement } from "../../recording/spec.ts";
import { columnValue } from "../spread.ts";
import type { Verdict } from "./check-types.ts";
import { pairedEstimate } from "./estimate.ts";
import { comparable, type Design, judge, limitOf, type Question } from "./judge.ts";
import { looksOf, riskAt } from "./looks.ts";
import { tCritical } from "./student-t.ts";

export interface CalibratedMetric extends Omit<Measurement, "value"> {
  /** null: hardly a pair has it. */
  readonly median: number | null;
  /** Standard deviation of log(second / first) over the pairs: 0.1 is about 10 %. null: hardly a pair has it. */
  readonly deviation: number | null;
  readonly maxRegression: number;
  /** The smallest regression that nine in ten checks would find, share; null: none that is worth a word. */
  readonly detectable: number | null;
}

/** docs/calibration.schema.json. */
export interface Calibration {
  readonly schema: "gcspike.calibration/1";
  readonly pairs: number;
  readonly mostRuns: number;
  readonly metrics: readonly CalibratedMetric[];
  /** Checks that were made of these pairs, drawn with replacement, their sides swapped at random. */
  readonly checks: number;
  /** Shares of them, 1 together: all should pass. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Pairs that one of these checks took, on average. */
  readonly meanPairs: number;
}

const CHECKS = 2000;
/** Nine in ten. */
const POWER_RISK = 0.1;
/** Larger regressions need no check to be seen. */
const MOST_DETECTABLE = 10;

/** `questions`: a metric each, whose `baseline` and `candidate` are runs of the same program, in pairs. `random`: 0 to 1. */
export function calibrate(questions: readonly Question[], design: Design, random: () => number): Calibration {
  const pairs = questions[0]?.baseline.length ?? 0;
  const outcomes = Array.from({ length: CHECKS }, () => resampled(questions, design, pairs, random));
  const shareOf = (verdict: Verdict): number => outcomes.filter((one) => one.verdict === verdict).length / CHECKS;
  return {
    schema: "gcspike.calibration/1",
    pairs,
    mostRuns: design.mostRuns,
    metrics: questions.map((question) => calibrated(question, design)),
    checks: CHECKS,
    verdicts: { pass: shareOf("pass"), regression: shareOf("regression"), inconclusive: shareOf("inconclusive") },
    meanPairs: outcomes.reduce((sum, one) => sum + one.pairs, 0) / CHECKS,
  };
}

/** A whole check, with its looks, of pairs that are drawn from these. */
function resampled(questions: readonly Question[], design: Design, pairs: number, random: () => number) {
  const drawn = Array.from({ length: design.mostRuns }, () => ({
    pair: Math.floor(random() * pairs),
    isSwapped: random() < 0.5,
  }));
  let verdict: Verdict = "inconclusive";
  let taken = 0;
  for (taken of looksOf(design.mostRuns)) {
    const verdicts = questions.map((question) => {
      const side = (isCandidate: boolean): Question["baseline"] =>
        drawn
          .slice(0, taken)
          .map(
            ({ pair, isSwapped }) => (isCandidate === isSwapped ? question.baseline : question.candidate)[pair] ?? null,
          );
      return judge({ ...question, baseline: side(false), candidate: side(true) }, design).verdict;
    });
    if (verdicts.includes("regression")) verdict = "regression";
    else if (verdicts.every((one) => one === "pass")) verdict = "pass";
    if (verdict !== "inconclusive") break;
  }
  return { verdict, pairs: taken };
}

function calibrated(question: Question, { mostRuns, falseAlarm }: Design): CalibratedMetric {
  const { metric, unit, better, maxRegression, weight } = question;
  const { baseline, candidate } = comparable(question, { paired: true });
  const estimate = pairedEstimate(baseline, candidate);
  const shared = { metric, unit, better, maxRegression };
  if (estimate === null) return { ...shared, median: null, deviation: null, detectable: null };
  const deviation = estimate.standardError * Math.sqrt(baseline.length);
  const degrees = mostRuns - 1;
  const risk = (riskAt(mostRuns, mostRuns) ?? 1) * falseAlarm * weight;
  const errors = tCritical(risk, degrees) + tCritical(POWER_RISK, degrees);
  const byNoise = (errors * deviation) / Math.sqrt(mostRuns);
  // Its estimate has to reach what is allowed, too.
  const byLimit = limitOf(maxRegression, better) + (tCritical(POWER_RISK, degrees) * deviation) / Math.sqrt(mostRuns);
  const worse = Math.max(byNoise, byLimit);
  const detectable = better === "lower" ? Math.expm1(worse) : -Math.expm1(-worse);
  const measured = [...question.baseline, ...question.candidate].filter((one) => one !== null);
  return {
    ...shared,
    median: columnValue("", measured).median,
    deviation,
    detectable: Math.expm1(worse) < MOST_DETECTABLE ? detectable : null,
  };
}

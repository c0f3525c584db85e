/** Programs that run in one of two ways, from run to run: no mean stands for them. */

export interface Humps {
  /** Values from this on are in the upper hump. */
  readonly border: number;
  readonly baselineUpper: number;
  readonly candidateUpper: number;
}

/** Fewer runs fall apart by chance. */
const LEAST_RUNS = 6;
/** Each hump has this many runs of the side that has both. */
const LEAST_IN_HUMP = 2;
/** The gap is this many times as wide as the wider hump. */
const GAP = 2;
/** Humps that lie closer are one. */
const LEAST_RATIO = 1.1;

/** Where the runs of at least one side lie in two heaps far apart; null where they do not. Values are above 0. */
export function humpsOf(baseline: readonly number[], candidate: readonly number[]): Humps | null {
  const border = borderOf(baseline) ?? borderOf(candidate);
  if (border === null) return null;
  const upper = (values: readonly number[]): number => values.filter((value) => value >= border).length;
  return { border, baselineUpper: upper(baseline), candidateUpper: upper(candidate) };
}

/**
 * The probability that as many runs of the candidate as these, or more, lie in the worse hump where both sides are alike: Fisher's exact
 * test, one-sided. The counts are of all runs of each side.
 */
export function worseHumpRisk(
  { baselineUpper, candidateUpper }: Humps,
  baseline: number,
  candidate: number,
  better: "lower" | "higher",
): number {
  const isUpperWorse = better === "lower";
  const worse = isUpperWorse ? candidateUpper : candidate - candidateUpper;
  const all = worse + (isUpperWorse ? baselineUpper : baseline - baselineUpper);
  let risk = 0;
  for (let count = worse; count <= Math.min(all, candidate); count++) {
    if (all - count > baseline) continue;
    const ways = logChoose(candidate, count) + logChoose(baseline, all - count);
    risk += Math.exp(ways - logChoose(candidate + baseline, all));
  }
  return risk;
}

/** The logarithm of the number of ways to choose `count` of `all`. */
function logChoose(all: number, count: number): number {
  let sum = 0;
  for (let i = 1; i <= count; i++) sum += Math.log((all - count + i) / i);
  return sum;
}

function borderOf(values: readonly number[]): number | null {
  if (values.length < LEAST_RUNS) return null;
  const logs = values.map(Math.log).sort((a, b) => a - b);
  const at = (index: number): number => logs.at(index) ?? Number.NaN;
  for (let split = LEAST_IN_HUMP; split <= logs.length - LEAST_IN_HUMP; split++) {
    const gap = at(split) - at(split - 1);
    const widest = Math.max(at(split - 1) - at(0), at(-1) - at(split));
    if (gap > Math.log(LEAST_RATIO) && gap > GAP * widest) return Math.exp((at(split) + at(split - 1)) / 2);
  }
  return null;
}

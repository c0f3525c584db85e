/** When a sequential check looks at its runs, and how much of the risk of a wrong answer each look may take. */

/** The parts of the most runs after which there is a look. */
const PARTS = [0.4, 0.5, 0.7, 1];
/**
 * Of a program that runs in one of two ways at random, three runs of one side are all slow and three of the other all fast in one
 * check of 64, which looks like proof; of four, in one of 256.
 */
export const LEAST_RUNS = 4;

/** After how many runs of each side there is a look: rising, the last one after `mostRuns`; 4, 5, 7 and 10 of ten. */
export function looksOf(mostRuns: number): readonly number[] {
  const runs = PARTS.map((part) => Math.max(Math.min(LEAST_RUNS, mostRuns), Math.round(part * mostRuns)));
  return [...new Set(runs)];
}

/**
 * The part of the whole risk that a look after `runs` runs may take; those of all looks are 1 together. null before the first look.
 *
 * Up to the share t of all runs, t^2 of the risk is taken (Kim & DeMets, "Design and analysis of group sequential tests based on
 * the type I error spending rate function", Biometrika 74, 1987). A look takes what was added since the one before, as if looks
 * had nothing in common, which is Bonferroni's bound: it holds for any distribution, and what it gives away is little with
 * four looks. A check that its time ends between two looks takes one there.
 */
export function riskAt(runs: number, mostRuns: number): number | null {
  const looks = looksOf(mostRuns);
  if (runs < (looks[0] ?? 1)) return null;
  const before = looks.findLast((look) => look < runs) ?? 0;
  return Math.min(1, runs / mostRuns) ** 2 - (before / mostRuns) ** 2;
}

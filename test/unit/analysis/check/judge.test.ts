import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../../../src/analysis/check/check-types.ts";
import { type Design, judge, type Question } from "../../../../src/analysis/check/judge.ts";
import { looksOf, riskAt } from "../../../../src/analysis/check/looks.ts";
import { normal, seeded } from "../../../support/random.ts";

const DESIGN: Design = { mostRuns: 10, paired: true, falseAlarm: 0.01, miss: 0.1 };

type Values = readonly (number | null)[];

function question(baseline: Values, candidate: Values, more: Partial<Question> = {}): Question {
  return {
    metric: "pause.p99",
    unit: "ms",
    better: "lower",
    maxRegression: 0.1,
    weight: 1,
    work: 1,
    baseline,
    candidate,
    ...more,
  };
}

describe("looks", () => {
  test("rise, end with the last run, and share out the whole risk", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (most) => {
        const looks = looksOf(most);
        expect(looks.at(-1)).toBe(most);
        expect(looks).toEqual([...new Set(looks)].toSorted((a, b) => a - b));
        const risks = looks.map((runs) => riskAt(runs, most) ?? Number.NaN);
        expect(risks.every((risk) => risk > 0)).toBe(true);
        expect(risks.reduce((sum, risk) => sum + risk, 0)).toBeCloseTo(1, 12);
      }),
    );
  });

  test("a check that ends between two looks spends what that one added", () => {
    expect(looksOf(10)).toEqual([4, 5, 7, 10]);
    expect(riskAt(6, 10)).toBeCloseTo(0.36 - 0.25, 12);
    expect(riskAt(3, 10)).toBeNull();
  });
});

describe("a metric", () => {
  const runs = fc.array(fc.double({ min: 0.5, max: 50, noNaN: true }), { minLength: 4, maxLength: 10 });
  const sides = runs.chain((baseline) =>
    fc.tuple(
      fc.constant(baseline),
      fc.array(fc.double({ min: 0.5, max: 50, noNaN: true }), {
        minLength: baseline.length,
        maxLength: baseline.length,
      }),
    ),
  );

  test("is judged the same in any unit", () => {
    fc.assert(
      fc.property(sides, fc.constantFrom(0.001, 8, 1000), fc.boolean(), ([baseline, candidate], factor, paired) => {
        const scaled = (values: readonly number[]) => values.map((value) => value * factor);
        const a = judge(question(baseline, candidate), { ...DESIGN, paired });
        const b = judge(question(scaled(baseline), scaled(candidate)), { ...DESIGN, paired });
        expect(b.verdict).toBe(a.verdict);
        expect(b.change).toBeCloseTo(a.change ?? Number.NaN, 6);
      }),
    );
  });

  test("has an interval that says what its verdict is", () => {
    fc.assert(
      fc.property(sides, ([baseline, candidate]) => {
        const { verdict, interval, change, maxRegression } = judge(question(baseline, candidate), DESIGN);
        if (interval === null || change === null) throw new Error("no interval");
        const [least, most] = interval;
        const expected: Verdict =
          most < maxRegression ? "pass" : least > 0 && change >= maxRegression ? "regression" : "inconclusive";
        expect(verdict).toBe(expected);
        expect(least).toBeLessThanOrEqual(change);
        expect(most).toBeGreaterThanOrEqual(change);
      }),
    );
  });

  test("of which more is better is worse where it is less", () => {
    const [high, low] = [
      [0.8, 0.81, 0.79, 0.8, 0.8],
      [0.6, 0.61, 0.6, 0.59, 0.6],
    ];
    const asked = { metric: "mmu.50ms", unit: "share", better: "higher" as const };
    const worse = judge(question(high, low, asked), DESIGN);
    expect(worse.verdict).toBe("regression");
    expect(worse.change).toBeLessThan(0);
    expect(worse.interval?.[1]).toBeLessThan(0);
    expect(judge(question(low, high, asked), DESIGN).verdict).toBe("pass");
  });

  test("of which more is better may fall by just the share that it may get worse by", () => {
    const judged = (factor: number, maxRegression: number) =>
      judge(
        question(
          [100, 101, 99, 100, 100],
          [100, 101, 99, 100, 100].map((value) => value * factor),
          {
            unit: "1/s",
            better: "higher",
            maxRegression,
          },
        ),
        DESIGN,
      ).verdict;
    expect(judged(0.903, 0.1)).not.toBe("regression");
    expect(judged(0.88, 0.1)).toBe("regression");
    expect(judged(0.3, 2)).toBe("pass");
  });

  test("that one run of a pair lacks is judged by the pairs that are whole", () => {
    const machine = [10, 20, 40, 80, 160, 320];
    const whole = judge(question(machine.slice(1), machine.slice(1)), DESIGN);
    const holed = judge(question(machine, [null, ...machine.slice(1)]), DESIGN);
    expect(holed.verdict).toBe("pass");
    expect(holed.change).toBe(whole.change);
    expect(holed.baseline.runs).toEqual(machine);
    expect(holed.candidate.runs).toEqual(machine.slice(1));
  });

  test("takes the risk of a look once, also where a run lacks it", () => {
    const values = [10, 10.5, 9.8, 10.1];
    const made = (count: number) =>
      judge(question([...values, null].slice(0, count), [...values, 10].slice(0, count)), DESIGN);
    // Both judge four pairs; what is left of the risk at the second look is less than the first one had.
    expect(made(5).interval?.[1]).toBeGreaterThan(made(4).interval?.[1] ?? Number.NaN);
  });

  test("of any size has an interval that JSON can hold", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e308, noNaN: true }), { minLength: 4, maxLength: 4 }),
        (values) => {
          const { change, interval } = judge(question(values, values.toReversed()), { ...DESIGN, mostRuns: 4 });
          for (const value of [change, ...(interval ?? [])]) expect(Number.isFinite(value)).toBe(true);
        },
      ),
    );
  });

  test("that is divided by work is not drowned by what a zero gets added", () => {
    const perRequest = { unit: "bytes", maxRegression: 0.05, work: 10_000 };
    const judged = judge(question([50, 51, 49, 0, 50], [500, 510, 490, 500, 505], perRequest), DESIGN);
    expect(judged.change).toBeGreaterThan(5);
  });

  test("that was never there before is a regression, although nothing has a ratio to 0", () => {
    expect(judge(question([0, 0, 0, 0, 0], [30, 31, 29, 30, 32]), DESIGN).verdict).toBe("regression");
    expect(judge(question([0, 0, 0, 0, 0], [0, 0, 0, 0, 0]), DESIGN).verdict).toBe("pass");
  });

  test("of one run is not decided, and of two equal ones is not proof", () => {
    expect(judge(question([1], [2]), { ...DESIGN, mostRuns: 1 }).verdict).toBe("inconclusive");
    const single = judge(question([], [2]), DESIGN);
    expect(single).toMatchObject({ verdict: "inconclusive", change: null, interval: null, moreRunsNeeded: null });
  });

  test("says how many runs more would decide, and they do", () => {
    const random = seeded(7);
    for (let i = 0; i < 50; i++) {
      const noisy = (factor: number) => Array.from({ length: 4 }, () => factor * Math.exp(0.1 * normal(random)));
      const first = judge(question(noisy(1), noisy(1.3)), { ...DESIGN, mostRuns: 4 });
      if (first.moreRunsNeeded === null) continue;
      const total = 4 + first.moreRunsNeeded;
      const again = (values: readonly number[]) => Array.from({ length: total }, (_, n) => values[n % 4] ?? 1);
      const later = judge(question(again(first.baseline.runs), again(first.candidate.runs)), {
        ...DESIGN,
        mostRuns: total,
      });
      // Where the total is no multiple of four, the repeated runs differ a little from those that they stand for.
      if (total % 4 === 0) expect(later.verdict).not.toBe("inconclusive");
    }
  });
});

/** The share of whole checks, with all their looks, that end in a regression. */
function regressions(draw: (side: "baseline" | "candidate") => number, design: Design, checks: number): number {
  let count = 0;
  for (let i = 0; i < checks; i++) {
    const baseline = Array.from({ length: design.mostRuns }, () => draw("baseline"));
    const candidate = Array.from({ length: design.mostRuns }, () => draw("candidate"));
    const verdicts = looksOf(design.mostRuns).map(
      (taken) => judge(question(baseline.slice(0, taken), candidate.slice(0, taken)), design).verdict,
    );
    if (verdicts.find((verdict) => verdict !== "inconclusive") === "regression") count++;
  }
  return count / checks;
}

describe("runs that are not pairs, in two humps", () => {
  const unpaired: Design = { ...DESIGN, paired: false };
  const passes = (baselineSlow: number, candidateSlow: number, better: "lower" | "higher"): number => {
    const random = seeded(23);
    const slow = better === "lower" ? 1.6 : 1 / 1.6;
    const draw = (share: number) => (random() < share ? slow : 1) * Math.exp(0.02 * normal(random));
    let count = 0;
    for (let i = 0; i < 1000; i++) {
      const baseline = Array.from({ length: 10 }, () => draw(baselineSlow));
      const candidate = Array.from({ length: 10 }, () => draw(candidateSlow));
      const verdicts = looksOf(10).map(
        (taken) => judge(question(baseline, candidate.slice(0, taken), { better }), unpaired).verdict,
      );
      if (verdicts.find((verdict) => verdict !== "inconclusive") === "pass") count++;
    }
    return count / 1000;
  };

  test.each(["lower", "higher"] as const)(
    "pass where as many are slow, and not where most are now (%s is better)",
    (better) => {
      expect(passes(0.5, 0.5, better)).toBeGreaterThan(0.9);
      expect(passes(0.2, 1, better)).toBeLessThan(0.1);
      expect(passes(0, 0.8, better)).toBeLessThan(0.1);
    },
  );
});

describe("a whole check of equal programs cries wolf in at most one of a hundred", () => {
  const shapes: Readonly<Record<string, (random: () => number) => number>> = {
    "normal noise": (random) => Math.exp(0.15 * normal(random)),
    "heavy tails": (random) => Math.exp((0.1 * normal(random)) / Math.sqrt(random() + 0.01)),
    "two humps": (random) => (random() < 0.5 ? 1 : 1.6) * Math.exp(0.02 * normal(random)),
    "rare outliers": (random) => (random() < 0.1 ? 3 : 1) * Math.exp(0.05 * normal(random)),
    "whole numbers": (random) => Math.round(20 + 2 * normal(random)),
  };
  for (const paired of [true, false]) {
    test.each(Object.keys(shapes))(`%s, ${paired ? "in pairs" : "not in pairs"}`, (name) => {
      const random = seeded(11);
      const draw = shapes[name];
      if (draw === undefined) throw new Error(name);
      expect(regressions(() => draw(random), { ...DESIGN, paired }, 3000)).toBeLessThanOrEqual(0.01);
    });
  }
});

test("a regression of a quarter in noise of a tenth is found in nine of ten checks", () => {
  const random = seeded(3);
  const draw = (side: string) => (side === "candidate" ? 1.25 : 1) * Math.exp(0.1 * normal(random));
  expect(regressions(draw, DESIGN, 1000)).toBeGreaterThan(0.9);
});

test("a tenth more bytes, which hardly vary, is found in five pairs", () => {
  const random = seeded(5);
  const small: Partial<Question> = { metric: "alloc.bytes", unit: "bytes", maxRegression: 0.05, weight: 0.1 };
  for (let i = 0; i < 200; i++) {
    const bytes = (factor: number) => Array.from({ length: 5 }, () => 1e8 * factor * Math.exp(0.005 * normal(random)));
    expect(judge(question(bytes(1), bytes(1.1), small), DESIGN).verdict).toBe("regression");
  }
});

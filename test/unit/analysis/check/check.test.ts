import { describe, expect, test } from "vitest";
import { isDecided } from "../../../../src/analysis/check/check.ts";
import type { Budget } from "../../../../src/analysis/check/check-types.ts";
import { checkedRun, checkOf } from "../../../support/checks.ts";

const design = (mostRuns: number) => ({ mostRuns, paired: true, falseAlarm: 0.01, miss: 0.1 });
const runs = (count: number, ms = 40) => Array.from({ length: count }, (_, n) => checkedRun(ms * (1 + n / 100), 4e6));
const codes = ({ warnings }: ReturnType<typeof checkOf>) => warnings.map(({ code }) => code);

/** Without one of its metrics. */
const lacking = (run: ReturnType<typeof checkedRun>, metric: string) => ({
  ...run,
  run: { ...run.run, metrics: run.run.metrics.filter((one) => one.metric !== metric) },
});

describe("a budget", () => {
  const slow = [checkedRun(40, 1), checkedRun(44, 1), checkedRun(41, 1)];
  const budget: Budget = { metric: "pause.max", comparison: "<", limit: 40.5 };
  const checked = (isOver: boolean) =>
    checkOf(1, { baseline: null, metrics: [], budgets: [budget], candidate: slow, isOver, design: design(10) });

  test("that the time ends before it is settled is decided by the median of what there is", () => {
    expect(checked(false).verdict).toBe("inconclusive");
    expect(isDecided(checked(false), design(10))).toBe(false);
    expect(checked(true).verdict).toBe("regression");
  });

  test.each([
    ["<", 0, "regression"],
    ["<=", 0, "pass"],
    [">=", 0, "pass"],
    [">", 0, "regression"],
  ] as const)("of a count that is always 0: %s %i", (comparison, limit, expected) => {
    const none = { metric: "pause.mark-compact.count", comparison, limit };
    const candidate = runs(4).map((run) => ({
      ...run,
      run: { ...run.run, metrics: [{ metric: none.metric, unit: "pauses", better: "lower" as const, value: 0 }] },
    }));
    const made = checkOf(1, {
      baseline: null,
      metrics: [],
      budgets: [none],
      candidate,
      isOver: true,
      design: design(10),
    });
    expect(made.verdict).toBe(expected);
  });

  test("of a metric that got no worse is what the sentence is about", () => {
    const made = checkOf(1, {
      baseline: runs(5),
      candidate: runs(5).map((run) => ({ ...run, sites: run.sites.map((site) => ({ ...site, survived: 2e6 })) })),
      metrics: ["pause.max"],
      budgets: [{ metric: "pause.max", comparison: "<", limit: 1 }],
    });
    expect(made).toMatchObject({ verdict: "regression", decidedBy: "pause.max" });
    expect(made.summary).toMatch(/^pause\.max is .* ms, and may be 1 ms\.$/);
  });

  test("of which more is better says so", () => {
    const made = checkOf(1, {
      baseline: null,
      metrics: [],
      budgets: [{ metric: "mmu.50ms", comparison: ">", limit: 0.999 }],
    });
    expect(made.summary).toMatch(/^mmu\.50ms is .* %, and has to be above 99\.9 %\.$/);
  });
});

describe("what to know", () => {
  test("runs that lack a metric are left out, and said so", () => {
    const candidate = runs(5).map((run, n) => (n === 1 ? lacking(run, "pause.max") : run));
    const made = checkOf(1, { baseline: runs(5), candidate, metrics: ["pause.max"] });
    expect(made.verdict).toBe("pass");
    expect(made.warnings).toContainEqual(
      expect.objectContaining({
        code: "some-without-metric",
        message: "1 of 5 runs of the candidate lack pause.max: their pairs are left out.",
      }),
    );
    expect(codes(checkOf(1, { baseline: runs(5), candidate: runs(5), metrics: ["pause.max"] }))).toEqual([]);
  });

  test("a regression of fewer than four runs", () => {
    const few = (count: number, paired: boolean) =>
      checkOf(1, {
        baseline: runs(count),
        candidate: runs(paired ? count : 5, 200),
        metrics: ["pause.max"],
        design: { ...design(paired ? count : 5), paired },
      });
    expect(few(3, true)).toMatchObject({ verdict: "regression" });
    expect(codes(few(3, true))).toContain("few-runs");
    expect(codes(few(2, false))).toContain("few-runs");
    expect(codes(few(4, true))).not.toContain("few-runs");
  });

  test("processes that the program left behind", () => {
    const candidate = runs(5).map((run, n) =>
      n < 2
        ? { ...run, run: { ...run.run, warnings: [{ code: "still-running", message: "1 recorded process" }] } }
        : run,
    );
    const made = checkOf(1, { baseline: runs(5), candidate, metrics: ["pause.max"] });
    expect(made.warnings[0]?.message).toMatch(/^In 2 of 10 runs the program left processes behind/);
  });
});

test("what the candidate says of a metric counts, not what a baseline's file does", () => {
  const liar = runs(5).map((run) => ({
    ...run,
    run: { ...run.run, metrics: run.run.metrics.map((one) => ({ ...one, better: "higher" as const, unit: "share" })) },
  }));
  const [metric] = checkOf(1, { baseline: liar, candidate: runs(5, 80), metrics: ["pause.max"] }).metrics;
  expect(metric).toMatchObject({ unit: "ms", better: "lower", verdict: "regression" });
});

describe("the wall's clock where it varies", () => {
  const measured = (wallMs: number, cpuMs: number) => {
    const run = checkedRun(40, 4e6);
    const metric = (name: string, value: number) => ({ metric: name, unit: "ms", better: "lower" as const, value });
    return { ...run, run: { ...run.run, metrics: [metric("pause.p99", wallMs), metric("pause.cpu.p99", cpuMs)] } };
  };
  const NOISE = [5, 8, 4, 6.5, 7, 4.4, 6, 7.5, 5.2, 6.1];
  const side = (wall: number, cpu: number, count = NOISE.length) =>
    NOISE.slice(0, count).map((ms, n) => measured(ms * wall, (3 + n / 100) * cpu));
  const checked = (candidate: readonly ReturnType<typeof measured>[], metrics: readonly string[], isOver = true) =>
    checkOf(1, {
      baseline: side(1, 1, candidate.length).toReversed(),
      candidate,
      metrics,
      budgets: [],
      isOver,
      design: design(10),
    });
  const both = ["pause.p99", "pause.cpu.p99"];

  test("keeps no check from passing whose processor's clock does", () => {
    const made = checked(side(1, 1), both);
    expect(made.metrics.map(({ verdict }) => verdict)).toEqual(["inconclusive", "pass"]);
    expect(made.verdict).toBe("pass");
    expect(made.summary).toMatch(
      /: pause\.cpu\.p99\. pause\.p99 varied too much on this machine to say it of that, too\.$/,
    );
  });

  test.each([
    ["it is asked alone", side(1, 1), ["pause.p99"], true],
    ["it may be worse by more than is allowed", side(1.25, 1), both, true],
    ["the processor's is open, too", NOISE.map((ms, n) => measured(ms, n % 2 === 0 ? 2.2 : 4.2)), both, true],
    ["runs may still come", side(1, 1, 5), both, false],
  ])("does where %s", (_, candidate, metrics, isOver) => {
    expect(checked(candidate, metrics, isOver).verdict).toBe("inconclusive");
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bestOf, columnValue, isToldApart } from "../../../src/analysis/spread.ts";
import { SPACE_UNIT } from "../../../src/recording/spec.ts";
import { columnsOf, comparisonOf, modes, type Story, strangers, workload } from "../../support/comparison.ts";
import { isolate, recording } from "../../support/timeline.ts";

const rowOf = (story: Story, metric: string) =>
  comparisonOf(story).comparison.rows.find((row) => row.metric === metric);
const warningsOf = (story: Story) => comparisonOf(story).comparison.warnings.map(({ code }) => code);

const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 });

describe("the spread of a column", () => {
  test("the median lies between the ends, and is a middle one", () => {
    fc.assert(
      fc.property(values, (runs) => {
        const { median, min, max } = columnValue("a", runs);
        expect(min).toBe(Math.min(...runs));
        expect(max).toBe(Math.max(...runs));
        const below = runs.filter((run) => run <= median).length;
        const above = runs.filter((run) => run >= median).length;
        expect(Math.min(below, above)).toBeGreaterThanOrEqual(Math.floor(runs.length / 2));
      }),
    );
  });

  test("being told apart is symmetric, and never so of a column and itself", () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [one, other] = [columnValue("a", a), columnValue("b", b)];
        expect(isToldApart(one, other)).toBe(isToldApart(other, one));
        expect(isToldApart(one, one)).toBe(false);
      }),
    );
  });

  test("runs that overlap are not told apart", () => {
    expect(isToldApart(columnValue("a", [1, 2, 3]), columnValue("b", [3, 4, 5]))).toBe(false);
    expect(isToldApart(columnValue("a", [1, 1.1, 1.2]), columnValue("b", [3, 3.1, 3.2]))).toBe(true);
  });
});

describe("the best columns", () => {
  const best = (runs: Readonly<Record<string, readonly number[]>>, better: "lower" | "higher" = "lower") =>
    bestOf(
      Object.entries(runs).map(([name, numbers]) => columnValue(name, numbers)),
      better,
    ).map(({ column }) => column);

  test.each([
    ["the lowest", { a: [1, 1.1], b: [3, 3.1], c: [5, 5.1] }, ["a"]],
    ["those as low as the lowest", { a: [3], b: [3], c: [66] }, ["a", "b"]],
    ["those that runs do not tell apart from it", { a: [3, 3, 4], b: [3.5, 3.5, 5], c: [66, 67, 68] }, ["a", "b"]],
    ["none where runs do not tell it from the highest", { a: [3, 9], b: [4, 10] }, []],
    ["none where all are the same", { a: [0], b: [0] }, []],
    ["none of one", { a: [1, 2] }, []],
  ])("%s", (_, runs, expected) => expect(best(runs)).toEqual(expected));

  test("the highest, where more is better", () => {
    expect(best({ a: [1], b: [2] }, "higher")).toEqual(["b"]);
  });
});

describe("rows", () => {
  test("have the values of every run in order, with their median, least and most", () => {
    const row = rowOf(modes(), "latency.p99");
    expect(row).toMatchObject({ unit: "ms", better: "lower" });
    expect(row?.values[0]).toEqual({ column: "pooled", median: 42, min: 41, max: 43, runs: [41, 42, 43] });
    expect(row?.values.map(({ column }) => column)).toEqual(["pooled", "naive", "mmap"]);
  });

  test("are the contract's metrics, and those of the workload behind them", () => {
    const names = comparisonOf(modes()).comparison.rows.map(({ metric }) => metric);
    for (const prefix of ["pause", "pause.cpu", "pause.scavenge", "pause.mark-compact"]) {
      for (const name of ["p50", "p90", "p99", "p999", "max", "total", "count"]) {
        expect(names).toContain(`${prefix}.${name}`);
      }
    }
    for (const name of ["gc.share", "gc.outside", "mmu.10ms", "mmu.50ms", "mmu.100ms", "heap.peak", "rss.peak"]) {
      expect(names).toContain(name);
    }
    expect(names.slice(-2)).toEqual(["throughput", "latency.p99"]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("what one column does not know is left out of its row", () => {
    const withoutPhases = recording([isolate(".s.s", { phases: false })]);
    const row = rowOf({ a: [recording(".s=.s")], b: [withoutPhases] }, "gc.outside");
    expect(row?.values.map(({ column }) => column)).toEqual(["a"]);
  });

  test("a workload's metric with the name of one of ours does not replace it", () => {
    const story = { a: [recording(".s", { workload: workload({}, { "pause.p99": 99 }) })], b: [recording(".s")] };
    expect(rowOf(story, "pause.p99")?.values.map(({ median }) => median)).toEqual([2, 2]);
  });
});

describe("the verdict", () => {
  const verdict = (story: Story) => comparisonOf(story).verdict;

  test("names who has the shortest pauses, by how much, and what it costs", () => {
    expect(verdict(modes())).toMatch(/^mmap has the lowest P99 pause, 2 ms against 30 ms in \w+ \(15 times as long\)/);
  });

  test("says where runs do not tell the columns apart", () => {
    const noisy = (longest: number) => recording(".s".repeat(120), { path: `${longest}` });
    const at = (ms: number) => ({
      ...noisy(ms),
      isolates: [isolate(".s".repeat(120), { durationMs: { 5: ms, 6: ms } })],
    });
    expect(verdict({ a: [at(10), at(20)], b: [at(12), at(22)] })).toMatch(
      /^No column has a lower P99 pause for certain/,
    );
  });

  test("of single runs says that there is no spread", () => {
    const story = { a: [recording(".s".repeat(120))], b: [recording(".M".repeat(120))] };
    expect(verdict(story)).toMatch(/one run each, so there is no spread to judge this by\.$/);
  });

  test("names all that are as good", () => {
    const [short, long] = [recording(".s".repeat(120)), recording(".M".repeat(120))];
    expect(verdict({ a: [short], b: [long], c: [short] })).toMatch(/^a and c have the lowest P99 pauses/);
  });

  test("says in how many of its runs the best column paused at all", () => {
    const [none, short, long] = [recording("---"), recording(".s".repeat(120)), recording(".M".repeat(120))];
    expect(verdict({ a: [none, short, none], b: [long, long, long] })).toMatch(
      /^a has the lowest P99 pause, 2 ms in the 1 of its 3 runs that had any pause, against \d+ ms in b \([^)]*\)[^;]*\.$/,
    );
  });

  test("of columns without pauses", () => {
    expect(verdict({ a: [recording("---")], b: [recording("---")] })).toBe("No column had any pause.");
    expect(verdict({ a: [recording("---")], b: [recording(".s")] })).toMatch(
      /^a had no pause at all, against a P99 pause of 2 ms in b/,
    );
  });
});

describe("warnings", () => {
  test("none of the machine, the flags or the command for runs of one workload that differ in one option", () => {
    expect(warningsOf(modes()).filter((code) => code.startsWith("different"))).toEqual([]);
  });

  test("every difference between strangers", () => {
    const codes = warningsOf(strangers());
    expect(codes).toEqual(
      expect.arrayContaining([
        "incomplete",
        "different-command",
        "different-processors",
        "different-memory",
        "different-system",
      ]),
    );
  });

  test.each([
    ["different-node", () => recording([isolate(".s", { node: "v24.1.0" })])],
    ["different-node", () => recording([{ ...isolate(".s"), v8: "11.3.244.8-other" }])],
    ["different-flags", () => recording([isolate(".s", { execArgv: ["--max-semi-space-size=64"] })])],
    ["different-collectors", () => recording([isolate(".s", { collector: "perf_hooks" })])],
    ["different-duration", () => recording(".s---------")],
    ["few-pauses", () => recording(".s")],
  ])("%s", (code, other) => {
    expect(warningsOf({ a: [recording(".s")], b: [other()] })).toContain(code);
  });

  test("programs behind -e are commands, not flags", () => {
    const run = (code: string) =>
      recording([isolate(".s", { execArgv: ["-e", code] })], { command: ["node", "-e", code] });
    const codes = warningsOf({ a: [run("one()")], b: [run("two()")] });
    expect(codes).toContain("different-command");
    expect(codes).not.toContain("different-flags");
  });

  test("two options of a workload that differ", () => {
    const run = (options: Readonly<Record<string, string | number>>) =>
      recording(".s", { workload: workload(options, { throughput: 1 }) });
    const story = { a: [run({ mode: "naive", tps: 1 })], b: [run({ mode: "mmap", tps: 2 })] };
    expect(warningsOf(story)).toContain("different-options");
  });

  test("a pool that was in light mode did less work", () => {
    const run = (lightMs: number) => recording(".s".repeat(60), { workload: workload({}, { "light.time": lightMs }) });
    const { durationMs } = run(0);
    const light = ({ comparison }: ReturnType<typeof comparisonOf>) =>
      comparison.warnings.find(({ code }) => code === "light-mode")?.message;
    expect(light(comparisonOf({ a: [run(0)], b: [run(0)] }))).toBeUndefined();
    expect(light(comparisonOf({ a: [run(0.49 * durationMs)], b: [run(0)], c: [run(0), run(durationMs / 2)] }))).toBe(
      "In light mode, and so doing less work than it was given: a for 49 % of its time and c for up to 50 % of its time.",
    );
  });

  test("a workload.json that was of no use, and whose", () => {
    const useless = { code: "workload-unreadable", message: "workload.json is left out: it is no JSON object." };
    const story = { a: [recording(".s")], b: [recording(".s"), { ...recording(".s"), warnings: [useless] }] };
    expect(comparisonOf(story).comparison.warnings).toContainEqual({
      code: "workload-unreadable",
      message: "In b (1 of 2 runs): workload.json is left out: it is no JSON object.",
    });
  });

  test("a metric whose unit changed", () => {
    const other = workload({}, { "latency.p99": 5 });
    const changed = { ...other, metrics: other.metrics.map((metric) => ({ ...metric, unit: "us" })) };
    const story = { a: [recording(".s", { workload: other })], b: [recording(".s", { workload: changed })] };
    expect(warningsOf(story)).toContain("different-unit");
    expect(rowOf(story, "latency.p99")?.values.map(({ column }) => column)).toEqual(["a"]);
  });
});

describe("pauses that nobody looked for", () => {
  const one = (timeline: string, code?: string) =>
    isolate(timeline, code === undefined ? {} : { warnings: [{ code, message: `This is ${code}.` }] });
  const unknown = /^(?:pause|gc|mmu|alloc|survived|promoted)\./;
  const knows = (...isolates: readonly ReturnType<typeof one>[]) =>
    columnsOf({ a: [recording(isolates)] })[0]?.runs[0]?.metrics.some(({ metric }) => unknown.test(metric));

  test("are not 0: without an isolate, without its log, or where perf_hooks told of none", () => {
    expect(knows()).toBe(false);
    expect(knows(one(".s"), one("---", "no-pauses"))).toBe(false);
    expect(knows(one("---", "no-pauses-delivered"))).toBe(false);
    expect(knows(one(".s"), one("---", "no-pauses-delivered"))).toBe(true);
    expect(knows(one("---"))).toBe(true);
  });

  test("win nothing, and the comparison says why", () => {
    const { comparison, verdict } = comparisonOf({
      a: [recording([one("---", "no-pauses")])],
      b: [recording(".s")],
    });
    expect(verdict).toMatch(/^Fewer than two columns/);
    expect(comparison.warnings).toContainEqual({ code: "no-pauses", message: "In a: This is no-pauses." });
  });

  test("of a recording that was cut win nothing either", () => {
    const story = { a: [recording("---", { complete: false })], b: [recording(".s")] };
    expect(comparisonOf(story).verdict).toMatch(/^Fewer than two columns/);
  });
});

test("what scavenges found alive is what they promoted and what stayed young", () => {
  const [main] = recording(".s.s.M").isolates;
  if (main === undefined) throw new Error("no isolate");
  const spaces = {
    names: ["old_space", "new_space"],
    usedBefore: new Uint32Array(6),
    usedAfter: Uint32Array.of(9, 2, 9, 3, 9, 7),
    committedAfter: new Uint32Array(6),
  };
  const promotedBytes = Float64Array.of(100, 50, Number.NaN);
  const told = recording([{ ...main, pauses: { ...main.pauses, spaces, promotedBytes } }]);
  expect(rowOf({ a: [told] }, "survived.bytes")?.values[0]?.median).toBe(150 + 5 * SPACE_UNIT);
  expect(rowOf({ a: [recording(".s")] }, "survived.bytes")).toBeUndefined();
  expect(rowOf({ a: [recording(".M")] }, "survived.bytes")?.values[0]?.median).toBe(0);
});

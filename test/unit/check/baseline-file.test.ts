import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CheckedRun } from "../../../src/analysis/check/check.ts";
import { encodeBaseline, readBaseline } from "../../../src/check/baseline-file.ts";
import { parseBudget } from "../../../src/check/budget-words.ts";
import { GcspikeError } from "../../../src/lib/errors.ts";
import { parseShare } from "../../../src/lib/units.ts";
import { renderCheckTerminal } from "../../../src/report/check-terminal.ts";
import { githubAnnotations } from "../../../src/report/github-annotations.ts";
import { renderCheckJson } from "../../../src/report/json.ts";
import { checkedRun, checkOf } from "../../support/checks.ts";
import { temporaryFolder } from "../../support/cli.ts";
import { expectValidCheck } from "../../support/schema.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => (folder = temporaryFolder()));
afterAll(() => folder.remove());

const written = (bytes: string | Uint8Array): string => {
  const path = join(folder.path, "baseline.json");
  writeFileSync(path, bytes);
  return path;
};

test("what is kept is read as it was", () => {
  const runs = [checkedRun(40, 1e6), checkedRun(41, 2e6)];
  expect(readBaseline(written(encodeBaseline(runs, "units", new Date(0))), "units")).toEqual(
    JSON.parse(JSON.stringify(runs)),
  );
});

test("a file that is cut or changed anywhere is read or refused, and nothing else", () => {
  const whole = encodeBaseline([checkedRun(40, 1e6)], "", new Date(0));
  const nothing = (error: unknown) => expect(error).toBeInstanceOf(GcspikeError);
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(255), fc.boolean(), (at, byte, isCut) => {
      const bytes = isCut ? whole.slice(0, at) : whole.map((old, index) => (index === at ? byte : old));
      try {
        readBaseline(written(bytes), "");
      } catch (error) {
        nothing(error);
      }
    }),
    { numRuns: 200 },
  );
});

test.each([
  "null",
  "[]",
  "7",
  '{"schema":"gcspike.baseline/1"}',
  '{"schema":"gcspike.baseline/1","runs":[null]}',
  '{"schema":"gcspike.baseline/1","runs":[{"run":{},"sites":[],"work":1}]}',
])("%s is no baseline", (text) => expect(() => readBaseline(written(text), "")).toThrow(GcspikeError));

test("runs whose work was counted in something else are refused", () => {
  const path = written(encodeBaseline([checkedRun(40, 1e6)], "tag:request", new Date(0)));
  expect(() => readBaseline(path, "")).toThrow(/was made with --work tag:request, and this check is without --work/);
  expect(() => readBaseline(path, "units")).toThrow(/with --work tag:request, and this check is with --work units/);
  expect(readBaseline(path, "tag:request")).toHaveLength(1);
});

test("a file that is not there, or no file, is said so", () => {
  expect(() => readBaseline(join(folder.path, "none.json"), "")).toThrow(/cannot be read \(ENOENT\)/);
  expect(() => readBaseline(folder.path, "")).toThrow(/cannot be read \(EISDIR\)/);
});

/** Every place in a value, as the way there. */
function places(value: unknown, way: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [way];
  return [way, ...Object.entries(value).flatMap(([name, inner]) => places(inner, [...way, name]))];
}

function withValue(value: unknown, [name, ...rest]: readonly string[], put: unknown): unknown {
  if (name === undefined) return put;
  const inner = value as Record<string, unknown>;
  const changed = withValue(inner[name], rest, put);
  return Array.isArray(value)
    ? value.map((old, index) => (String(index) === name ? changed : old))
    : { ...inner, [name]: changed };
}

const WRONG: readonly unknown[] = [
  null,
  [],
  {},
  "\u001b[2J::error::\n",
  -1,
  1e308,
  true,
  { __proto__: null, toString: 1 },
  [[null]],
];

test("what is of the wrong kind anywhere is refused, or does a check no harm", () => {
  const file: unknown = JSON.parse(new TextDecoder().decode(encodeBaseline([checkedRun(40, 1e6)], "", new Date(0))));
  const candidate = [checkedRun(41, 1e6), checkedRun(42, 1e6)];
  const silence = { color: false, width: 80 };
  for (const way of places(file)) {
    for (const wrong of WRONG) {
      let runs: readonly CheckedRun[];
      try {
        runs = readBaseline(written(JSON.stringify(withValue(file, way, wrong))), "");
      } catch (error) {
        expect(error).toBeInstanceOf(GcspikeError);
        continue;
      }
      const made = checkOf(1, { baseline: [...runs, ...runs], candidate, metrics: ["pause.max", "alloc.bytes"] });
      expectValidCheck(JSON.parse(new TextDecoder().decode(renderCheckJson(made))));
      const shown = new TextDecoder().decode(renderCheckTerminal(made, silence)) + githubAnnotations(made);
      expect(shown).not.toContain("\u001b");
      expect(shown.split("\n")).not.toContain("::error::");
    }
  }
});

test.each([
  ["pause.p99<5ms", { metric: "pause.p99", comparison: "<", limit: 5 }],
  [" pause.scavenge.max <= 2s ", { metric: "pause.scavenge.max", comparison: "<=", limit: 2000 }],
  ["rss.growth<1MiB", { metric: "rss.growth", comparison: "<", limit: 2 ** 20 }],
  ["heap.peak<200MiB", { metric: "heap.peak", comparison: "<", limit: 200 * 2 ** 20 }],
  ["mmu.50ms>60%", { metric: "mmu.50ms", comparison: ">", limit: 0.6 }],
  ["pause.count<100", { metric: "pause.count", comparison: "<", limit: 100 }],
  ["throughput>9000", { metric: "throughput", comparison: ">", limit: 9000 }],
])("the budget %s", (text, expected) => expect(parseBudget(text)).toEqual(expected));

test.each([
  "",
  "pause.p99",
  "pause.p99<",
  "pause.p99<5",
  "pause.p98<5ms",
  "heap.peak<5ms",
  "pause.count<x",
  "<5ms",
  "throughput>1e3",
  "mmu.50ms>6",
])("%j is no budget", (text) => expect(() => parseBudget(text)).toThrow(GcspikeError));

test.each(["5", "1", "0", "0%", "-1%", "1001%", "%", "5 %", "1e-1", ""])(
  "%j is no share that a metric may get worse by",
  (text) => expect(() => parseShare("--max-regression", text)).toThrow(/--max-regression cannot be/),
);

test.each([
  ["5%", 0.05],
  ["0.05", 0.05],
  ["150%", 1.5],
])("%s is a share", (text, expected) => expect(parseShare("--max-regression", text)).toBeCloseTo(expected, 12));

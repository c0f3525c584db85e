import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeBaseline, readBaseline } from "../../../src/check/baseline-file.ts";
import { parseBudget } from "../../../src/check/budget-words.ts";
import { GcspikeError } from "../../../src/lib/errors.ts";
import { checkedRun } from "../../support/checks.ts";
import { temporaryFolder } from "../../support/cli.ts";

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
  expect(readBaseline(written(encodeBaseline(runs, new Date(0))))).toEqual(JSON.parse(JSON.stringify(runs)));
});

test("a file that is cut or changed anywhere is read or refused, and nothing else", () => {
  const whole = encodeBaseline([checkedRun(40, 1e6)], new Date(0));
  const nothing = (error: unknown) => expect(error).toBeInstanceOf(GcspikeError);
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(255), fc.boolean(), (at, byte, isCut) => {
      const bytes = isCut ? whole.slice(0, at) : whole.map((old, index) => (index === at ? byte : old));
      try {
        readBaseline(written(bytes));
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
])("%s is no baseline", (text) => expect(() => readBaseline(written(text))).toThrow(GcspikeError));

test.each([
  ["pause.p99<5ms", { metric: "pause.p99", comparison: "<", limit: 5 }],
  [" pause.scavenge.max <= 2s ", { metric: "pause.scavenge.max", comparison: "<", limit: 2000 }],
  ["heap.peak<200MiB", { metric: "heap.peak", comparison: "<", limit: 200 * 2 ** 20 }],
  ["mmu.50ms>60%", { metric: "mmu.50ms", comparison: ">", limit: 0.6 }],
  ["pause.count<100", { metric: "pause.count", comparison: "<", limit: 100 }],
  ["throughput>9000", { metric: "throughput", comparison: ">", limit: 9000 }],
])("the budget %s", (text, expected) => expect(parseBudget(text)).toEqual(expected));

test.each(["", "pause.p99", "pause.p99<", "pause.p99<5", "pause.p98<5ms", "heap.peak<5ms", "pause.count<x", "<5ms"])(
  "%j is no budget",
  (text) => expect(() => parseBudget(text)).toThrow(GcspikeError),
);

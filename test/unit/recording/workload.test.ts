import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readWorkload } from "../../../src/recording/workload.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(content: string) {
  writeFileSync(join(folder, "workload.json"), content);
  return readWorkload(folder, 1000n);
}

const metric = (name: string, value: unknown = 1) => ({ metric: name, unit: "ms", better: "lower", value });
const withMetrics = (...metrics: readonly unknown[]) =>
  JSON.stringify({ schema: "gcspike.workload/1", name: "orders", options: { mode: "a", tps: 5, on: true }, metrics });

test("a workload's name, options and metrics", () => {
  expect(read(withMetrics(metric("latency.p99", 4.5)))).toEqual({
    workload: {
      schema: "gcspike.workload/1",
      name: "orders",
      options: { mode: "a", tps: 5, on: true },
      metrics: [metric("latency.p99", 4.5)],
      measured: null,
    },
    warnings: [],
  });
});

test.each([
  [
    { fromNs: "2001000", toNs: "5001000" },
    { fromMs: 2, toMs: 5 },
  ],
  [{ fromNs: "5001000", toNs: "2001000" }, null],
  [{ fromNs: 12, toNs: 34 }, null],
  [{ fromNs: "-12", toNs: "34" }, null],
  [{ fromNs: "1", toNs: "9".repeat(100) }, null],
  [[], null],
])("what it calls measured: %o", (measured, expected) => {
  const text = JSON.stringify({ schema: "gcspike.workload/1", name: "a", metrics: [], measured });
  expect(read(text).workload?.measured).toEqual(expected);
});

test("a recording without one has none, without a word", () => {
  rmSync(join(folder, "workload.json"));
  expect(readWorkload(folder, 0n)).toEqual({ workload: null, warnings: [] });
});

describe("left out with a warning", () => {
  test.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["another schema", JSON.stringify({ schema: "gcspike.workload/2", metrics: [] })],
    ["too large", `{"schema":"gcspike.workload/1","name":"${"x".repeat(2 ** 20)}"}`],
  ])("a file that is %s", (_, content) => {
    const { workload, warnings } = read(content);
    expect(workload).toBeNull();
    expect(warnings.map(({ code }) => code)).toEqual(["workload-unreadable"]);
  });

  test.each([
    ["without a finite value", metric("a", "5")],
    ["with a value of null", metric("a", null)],
    ["without a name", { ...metric("a"), metric: " " }],
    ["without a direction", { ...metric("a"), better: "best" }],
  ])("a metric %s", (_, bad) => {
    const { workload, warnings } = read(withMetrics(metric("good"), bad));
    expect(workload?.metrics).toEqual([metric("good")]);
    expect(warnings[0]?.message).toMatch(/^1 of 2 metrics/);
  });

  test("a metric that is there twice, and more than a hundred", () => {
    expect(read(withMetrics(metric("a"), metric("a", 2))).workload?.metrics).toEqual([metric("a")]);
    const many = Array.from({ length: 150 }, (_, i) => metric(`m${i}`));
    expect(read(withMetrics(...many)).workload?.metrics.length).toBe(100);
  });
});

test("names cannot hold escapes, and no JSON whatever makes it throw", () => {
  expect(read(withMetrics({ ...metric("a\u001b[31m\nb"), unit: "\u202ems" })).workload?.metrics[0]).toMatchObject({
    metric: "a b",
    unit: "ms",
  });
  fc.assert(
    fc.property(fc.json(), fc.json(), (name, metrics) => {
      read(`{"schema":"gcspike.workload/1","name":${name},"options":${metrics},"metrics":${metrics}}`);
    }),
    { numRuns: 200 },
  );
});

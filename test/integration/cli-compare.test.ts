/** `gcspike compare` as a person or a script starts it. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Comparison } from "../../src/analysis/compare-types.ts";
import { runGcspike, temporaryFolder } from "../support/cli.ts";
import { expectValidComparison } from "../support/schema.ts";

let folder: ReturnType<typeof temporaryFolder>;

/** Ends after the same work each time, and says what it measured where it is recorded. */
const PROGRAM = `
  const { writeFileSync } = require("node:fs");
  let kept = [];
  for (let i = 0; i < 30; i++) { for (let j = 0; j < 1e5; j++) kept.push({ j }); if (i % 8 === 7) kept = []; }
  const metrics = [{ metric: "latency.p99", unit: "ms", better: "lower", value: Number(process.argv[1]) }];
  const workload = { schema: "gcspike.workload/1", name: "kept", options: { value: process.argv[1] }, metrics };
  writeFileSync(process.env.GCSPIKE_RECORDING + "/workload.json", JSON.stringify(workload));
`;

beforeAll(async () => {
  folder = temporaryFolder();
  for (const [name, value] of Object.entries({ a1: 1, a2: 3, b1: 9 })) {
    const words = ["record", "-o", `${name}.gcspike`, "--", "node", "-e", PROGRAM, String(value)];
    expect((await runGcspike(words, { cwd: folder.path })).code).toBe(0);
  }
});
afterAll(() => folder.remove());

const compare = (...words: readonly string[]) => runGcspike(["compare", ...words], { cwd: folder.path });

describe("formats", () => {
  test("terminal text is the default, with the verdict last", async () => {
    const { code, stdout, stderr } = await compare("a1.gcspike", "b1.gcspike");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/pause\.p99/);
    expect(stdout).not.toContain("\u001b");
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/\.$/);
  });

  test("JSON has the shape of its schema, and the runs of a column in order", async () => {
    const { code, stdout } = await compare("a=a1.gcspike,a2.gcspike", "b=b1.gcspike", "--format", "json");
    expect(code).toBe(0);
    const comparison = JSON.parse(stdout);
    expectValidComparison(comparison);
    expect(comparison.columns[0]).toEqual({ name: "a", recordings: ["a1.gcspike", "a2.gcspike"] });
    const row = comparison.rows.find(({ metric }: { metric: string }) => metric === "latency.p99");
    expect(row.values).toEqual([
      { column: "a", median: 2, min: 1, max: 3, runs: [1, 3] },
      { column: "b", median: 9, min: 9, max: 9, runs: [9] },
    ]);
  });

  test.each([
    ["compare.html", /^<!doctype html>/],
    ["compare.json", /^\{\n {2}"schema": "gcspike\.compare\/1"/],
    ["compare.md", /^## gcspike: a1 \/ b1/],
    ["compare.txt", /pause\.p99/],
  ])("-o %s writes that format, and says so on stderr", async (name, start) => {
    const { code, stdout, stderr } = await compare("a1.gcspike", "b1.gcspike", "-o", name);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^Wrote ${name.replace(".", "\\.")} \\([\\d.]+ \\w+\\)\\n$`));
    expect(readFileSync(join(folder.path, name), "utf8")).toMatch(start);
  });
});

describe("what it does not take", () => {
  test.each([
    [["a1.gcspike"], 2, /only one column/],
    [["a1.gcspike", "a1.gcspike"], 2, /is there twice/],
    [["a1.gcspike", "nothing.gcspike"], 4, /nothing\.gcspike/],
    [["a1.gcspike", "b1.gcspike", "--format", "xml"], 2, /xml/],
    [["a1.gcspike", "b1.gcspike", "-o", "x.pdf"], 2, /x\.pdf/],
  ])("%j", async (words, expected, message) => {
    const { code, stdout, stderr } = await compare(...words);
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("a link to a recording beside the recording itself", async () => {
    symlinkSync("a1.gcspike", join(folder.path, "link.gcspike"));
    const { code, stderr } = await compare("a1.gcspike", "link.gcspike");
    expect(code).toBe(2);
    expect(stderr).toMatch(/link\.gcspike is there twice/);
  });

  test("a recording of a newer format: says which one, and both versions", async () => {
    const newer = join(folder.path, "newer.gcspike");
    cpSync(join(folder.path, "a1.gcspike"), newer, { recursive: true });
    const path = join(newer, "manifest.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), formatVersion: 2 }));
    const { code, stdout, stderr } = await compare("a1.gcspike", "newer.gcspike");
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(/newer\.gcspike has format version 2; this gcspike reads version 1/);
  });

  test("a recording that was cut is compared as far as it goes, with a warning", async () => {
    const cut = join(folder.path, "cut.gcspike");
    mkdirSync(cut);
    const manifest = JSON.parse(readFileSync(join(folder.path, "a1.gcspike/manifest.json"), "utf8"));
    for (const { name } of manifest.files) {
      writeFileSync(join(cut, name), readFileSync(join(folder.path, "a1.gcspike", name)));
      if (name.endsWith(".gc")) truncateSync(join(cut, name), 1000);
    }
    const { code, stdout } = await compare("cut.gcspike", "b1.gcspike", "--format", "json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).warnings.map(({ code: warning }: { code: string }) => warning)).toContain("incomplete");
  });
});

test("pauses that perf_hooks did not deliver, or whose log is gone, are unknown, and not none", async () => {
  const words = ["record", "--collector", "perf_hooks", "-o", "told.gcspike", "--", "node", "-e", PROGRAM, "1"];
  expect((await runGcspike(words, { cwd: folder.path })).code).toBe(0);
  const lost = join(folder.path, "lost.gcspike");
  cpSync(join(folder.path, "a1.gcspike"), lost, { recursive: true });
  for (const name of readdirSync(lost)) if (name.endsWith(".gc")) rmSync(join(lost, name));
  const { code, stdout } = await compare("told.gcspike", "lost.gcspike", "b1.gcspike", "--format", "json");
  expect(code).toBe(0);
  const { rows, warnings } = JSON.parse(stdout) as Comparison;
  const count = rows.find(({ metric }) => metric === "pause.count");
  expect(count?.values.map(({ column }) => column)).toEqual(["b1"]);
  expect(warnings.map((warning) => warning.code)).toEqual(expect.arrayContaining(["no-pauses", "no-pauses-delivered"]));
});

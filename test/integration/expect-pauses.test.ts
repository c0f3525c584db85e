/** `gcspike/vitest` as a library's author uses it: in a test file of a project that has gcspike installed. */
import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT, temporaryFolder } from "../support/cli.ts";

const run = promisify(execFile);
let folder: ReturnType<typeof temporaryFolder>;

const TESTS = `
import { test, expect } from "vitest";
import { expectPauses } from "gcspike/vitest";

test("keeps its budget", async () => {
  await expectPauses(async () => {
    const { work } = await import("./work.js");
    work(2);
  }, ["alloc.bytes<2GiB", "heap.peak<1GiB"], { runs: 1 });
}, 60_000);

test("breaks it", async () => {
  await expectPauses(async () => {
    const { work } = await import("./work.js");
    work(30_000);
  }, "survived.bytes<1KiB", { runs: 1 });
}, 60_000);

test("throws", async () => {
  await expect(expectPauses(() => { throw new Error("no such luck"); }, "alloc.bytes<1GiB", { runs: 1 })).rejects.toThrow(/no such luck/);
}, 60_000);

test("cannot be read", async () => {
  await expect(expectPauses(() => {}, "pause.p98<1ms")).rejects.toThrow(/pause\\.p98/);
  await expect(expectPauses(() => {}, [])).rejects.toThrow(/no budget to keep/);
  await expect(expectPauses(() => {}, "pause.p99<1ms", { runs: 0 })).rejects.toThrow(/cannot make 0 runs/);
});
`;

beforeAll(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder.path, "node_modules"));
  symlinkSync(ROOT, join(folder.path, "node_modules", "gcspike"));
  symlinkSync(join(ROOT, "node_modules", "vitest"), join(folder.path, "node_modules", "vitest"));
  writeFileSync(join(folder.path, "package.json"), '{"type":"module"}');
  writeFileSync(
    join(folder.path, "work.js"),
    `export function work(count) { const kept = []; for (let i = 0; i < 600_000; i++) kept[i % count] = { i, list: [i, i] }; }\n`,
  );
  writeFileSync(join(folder.path, "pauses.test.js"), TESTS);
});
afterAll(() => folder.remove());

test("passes and fails by its budget, and names who allocates", async () => {
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  const words = [vitest, "run", "--root", folder.path, "--reporter", "json"];
  const { stdout } = await run(process.execPath, words, { cwd: folder.path, maxBuffer: 2 ** 26 }).catch(
    (error) => error,
  );
  const { testResults } = JSON.parse(stdout.slice(stdout.indexOf("{")));
  const results: { title: string; status: string; failureMessages: string[] }[] = testResults[0].assertionResults;
  expect(results.map(({ title, status }) => `${title}: ${status}`)).toEqual([
    "keeps its budget: passed",
    "breaks it: failed",
    "throws: passed",
    "cannot be read: passed",
  ]);
  expect(results[1]?.failureMessages[0]).toMatch(/survived\.bytes is .*, and should be < 1 KiB/);
  expect(results[1]?.failureMessages[0]).toMatch(/work \(work\.js:1\): allocated/);
});

/** The whole probe, built with AddressSanitizer, in programs that use every part of it: the sanitizer has nothing to say. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT, Running } from "../support/cli.ts";
import { AGENT, fixture, Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
let runtime: string;

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, "scripts", "build.mjs"), "--sanitized"]);
  runtime = execFileSync("g++", ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim();
});
afterAll(() => workplace.remove());

/** A stack of regular expressions, recursion and generated code, while collections walk it. */
const STACKS = `
  let kept = [];
  const replaceEach = (text, depth) =>
    text.replace(/[a-z]+(?<number>\\d*)/g, (word) => {
      for (let i = 0; i < 50; i++) kept.push({ word, i });
      if (kept.length > 100_000) kept = [];
      return depth > 0 ? new Function("f", "text", "depth", "return f(text, depth)")(replaceEach, word, depth - 1) : word;
    });
  for (let n = 0; n < 400; n++) replaceEach("some words1 to replace22 ".repeat(4), 20);
  class Deep { get down() { return (n) => { for (const x of [n]) if (x > 0) return [1].map(() => this.down(x - 1))[0]; return kept.push({ n }); }; } }
  for (let n = 0; n < 2000; n++) new Deep().down(200);`;

/** Optimised code in which functions of every kind are inlined, optimised again and again. */
const INLINED = `
  const kept = [];
  for (let n = 0; n < 60; n++) {
    const [make, join, wrap] = new Function("n", \`
      const make = (i) => ({ i, list: [i, n + 0.5], run: () => i });
      const join = (i) => i + ":" + make(i).i + "!";
      return [make, join, (i) => [join(i), ...make(i).list, Buffer.alloc(3000)]];\`)(n);
    for (let i = 0; i < 3000; i++) { kept[i % 500] = wrap(i); kept[500 + (i % 500)] = make(i); join(i); }
  }`;

test.each([
  ["workers that end in every way", ["--expose-gc", fixture("dying-workers.cjs")]],
  ["collections of every kind", ["--expose-gc", fixture("observed.cjs")]],
  ["a program that takes the heap sampler", [fixture("sampling.cjs")]],
  ["marks, tags and requests", ["--expose-gc", fixture("tagged-server.cjs")]],
  ["Buffers", [join(ROOT, "fixtures", "external-memory.mjs")]],
  ["a heap near its limit", ["--max-old-space-size=64", join(ROOT, "fixtures", "heap-limit.mjs")]],
  ["deep and mixed stacks", ["--max-semi-space-size=1", "-e", STACKS]],
  ["inlined functions", ["--max-semi-space-size=1", "-e", INLINED]],
])("%s", async (_name, words) => {
  const agent = {
    probeFolder: join(ROOT, "build", "sanitized"),
    allocationIntervalBytes: 64 * 1024,
    allocationWindowMs: 100,
  };
  const env = { LD_PRELOAD: runtime, ASAN_OPTIONS: "detect_leaks=0", FIXTURE_SECONDS: "2" };
  const recorded = await workplace.startWithAgent([process.execPath, ...words], { agent, env }).recorded();
  expect(recorded.stderr).not.toContain("AddressSanitizer");
  expect({ code: recorded.code, signal: recorded.signal }).toEqual({ code: 0, signal: null });
  const { isolates } = recorded.recording;
  for (const { collectors, samples } of isolates) {
    expect(collectors).toContain("probe");
    expect(samples?.isExact).toBe(true);
  }
  expect(isolates.reduce((sum, { pauses }) => sum + pauses.count, 0)).toBeGreaterThan(5);
});

test.each([1, 4])("a process and a worker of which %i recordings stop and start again", async (abreast) => {
  const folder = workplace.path("rounds");
  mkdirSync(folder);
  const options = {
    ...AGENT,
    attachedBy: process.pid,
    loadedFirst: false,
    probeFolder: join(ROOT, "build", "sanitized"),
    allocationIntervalBytes: 64 * 1024,
  };
  const agent = join(ROOT, "dist", "agent", "attach.cjs");
  const given = [agent, folder, JSON.stringify(options), "10", String(abreast)];
  const words = ["--expose-gc", fixture("attached-rounds.cjs"), ...given];
  const env = { LD_PRELOAD: runtime, ASAN_OPTIONS: "detect_leaks=0" };
  const { code, stdout, stderr } = await new Running(process.execPath, words, { env }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("-1.samples");
});

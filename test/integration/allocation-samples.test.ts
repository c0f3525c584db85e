/** Sampled objects on every Node: who allocated them, inlined functions included, and which of them stayed. */
import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { analyse } from "../../src/analysis/analyse.ts";
import type { Report, Spike } from "../../src/analysis/report-types.ts";
import type { Allocations, SampleColumns } from "../../src/recording/model.ts";
import { NODES } from "../support/nodes.ts";
import { isolateOf, Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
afterAll(() => workplace.remove());

/** Of four objects that `make` allocates, one is kept; `caller` is the only function with a frame when it is optimised. */
const INLINED = `
const { isMainThread, Worker } = require("node:worker_threads");
const kept = [];
function make(i) { return { i, list: [i, i, i], inner: { i } }; }
function middle(i) { return make(i); }
function caller(count) { for (let i = 0; i < count; i++) { const made = middle(i); if ((i & 3) === 0) kept.push(made); } }
for (let n = 0; n < 50; n++) { caller(50_000); if (n % 10 === 9) gc(); }
gc();
if (isMainThread) new Worker(__filename, { name: "second" });
`;

/**
 * Objects, strings, closures and boxed numbers. The optimiser allocates a closure and the list behind it together: what V8
 * hands out is one piece of memory, allocated by `closure`.
 */
const MIXED = `
class Point { constructor(x, y) { this.x = x; this.y = y; } plus(other) { return point(this.x + other.x, this.y + other.y); } }
function point(x, y) { return new Point(x, y); }
function text(a, b) { return a + ":" + b + "!"; }
function closure(x) { return () => x; }
function list(x) { return [x, x, x, x]; }
const kept = [];
function work(count) {
  let sum = new Point(0.5, 1);
  for (let i = 0; i < count; i++) {
    sum = sum.plus(new Point(1.5, 2));
    kept[i & 255] = text(i, i);
    kept[256 + (i & 255)] = closure(i);
    kept[512 + (i & 255)] = list(i);
  }
  return sum;
}
for (let n = 0; n < 300; n++) work(10_000);
`;

/** Between finding room for the row and writing it, the optimiser computes what the row holds. */
const COMPUTED = `
const rows = [];
function toRow(sku, cents) { return { sku, price: { cents, currency: "EUR" }, tiers: [cents, cents - 5] }; }
function importRows(length) {
  rows.length = 0;
  for (let i = 0; i < length; i++) {
    const row = toRow(i, 100 + (i % 900));
    if (row.price.cents % 3 > 0) rows.push(row);
  }
}
for (let n = 0; n < 60; n++) importRows(50_000);
`;

const BUFFERS = `
const kept = (globalThis.kept = []);
function body() { return Buffer.alloc(200_000); }
function samples() { return new Float64Array(5_000); }
for (let i = 0; i < 4000; i++) {
  const made = body();
  if (i % 4 === 0) { kept.push(made); if (kept.length > 1000) kept.shift(); }
  samples();
}
// The second collection waits for the threads that free what the first one found.
gc();
gc();
`;

/** Memory outside the heap; with `others`, half of it is such as nobody samples. */
const OUTSIDE = (others: boolean) => `
const { serialize } = require("node:v8");
const kept = (globalThis.kept = []);
const text = "x".repeat(1_000_000);
function body() { return Buffer.alloc(1_000_000, 1); }
gc();
for (let i = 0; i < 60; i++) kept.push(body(), ${others ? "serialize(text)" : "body()"});
// Not right behind a collection that V8 made meanwhile.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
gc();
`;

const program = (name: string, source: string) => {
  const path = workplace.path(`${name}.cjs`);
  writeFileSync(path, source);
  return path;
};

async function record(node: string, source: string, agent: object = {}) {
  const words = [node, "--expose-gc", program("program", source)];
  const { code, stderr, recording } = await workplace
    .startWithAgent(words, { agent: { allocationIntervalBytes: 64 * 1024, ...agent } })
    .recorded();
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return recording;
}

/** The bytes of the samples in which `has` finds what it looks for among the names of the functions, leaf first. */
function bytesOf({ stacks, frames }: Allocations, columns: SampleColumns, has: (names: readonly string[]) => boolean) {
  const fits = stacks.map((stack) => has(stack.map((frame) => frames[frame]?.function ?? "")));
  const found = { bytes: 0, alive: 0, count: 0 };
  for (let i = 0; i < columns.count; i++) {
    if (fits[columns.stack[i] ?? -1] !== true) continue;
    const bytes = columns.bytes[i] ?? 0;
    found.count++;
    found.bytes += bytes;
    if (columns.diedMs[i] === Number.POSITIVE_INFINITY) found.alive += bytes;
  }
  return found;
}

const everything = () => true;

describe.each(NODES)("$version", ({ path }) => {
  test("an inlined function is named, with those that it was inlined into, and a quarter of its objects stay", async () => {
    const recording = await record(path, INLINED);
    for (const name of ["main", "second"]) {
      const { samples, allocations } = isolateOf(recording, name);
      if (samples === null || allocations === null) throw new Error(`${name} has no samples`);
      expect(samples.isExact).toBe(true);
      const all = bytesOf(allocations, samples.heap, everything);
      const make = bytesOf(allocations, samples.heap, (names) => names.slice(0, 3).join() === "make,middle,caller");
      expect(make.bytes / all.bytes).toBeGreaterThan(0.8);
      const seen = bytesOf(
        {
          ...allocations,
          frames: allocations.frames.map((frame) => ({ ...frame, function: String(frame.isInlined) })),
        },
        samples.heap,
        (inlined) => inlined.slice(0, 3).join() === "true,true,undefined",
      );
      expect(seen.bytes / all.bytes).toBeGreaterThan(0.8);
      // 5 standard deviations of the share, as samples of objects are independent of each other.
      const deviation = Math.sqrt((0.25 * 0.75) / make.count);
      expect(make.count).toBeGreaterThan(200);
      expect(Math.abs(make.alive / make.bytes - 0.25)).toBeLessThan(5 * deviation);
    }
  });

  test("functions of every kind are named when they are inlined", async () => {
    const { samples, allocations } = isolateOf(await record(path, MIXED), "main");
    if (samples === null || allocations === null) throw new Error("no samples");
    const all = bytesOf(allocations, samples.heap, everything);
    const work = bytesOf(allocations, samples.heap, ([leaf]) => leaf === "work");
    expect(work.bytes / all.bytes).toBeLessThan(0.25);
    for (const name of ["text", "closure"]) {
      expect(bytesOf(allocations, samples.heap, ([leaf]) => leaf === name).bytes / all.bytes).toBeGreaterThan(0.1);
    }
  });

  test("an inlined function is named, whatever is computed before what it allocates is written", async () => {
    const { samples, allocations } = isolateOf(await record(path, COMPUTED), "main");
    if (samples === null || allocations === null) throw new Error("no samples");
    const all = bytesOf(allocations, samples.heap, everything);
    const toRow = bytesOf(allocations, samples.heap, ([leaf]) => leaf === "toRow");
    expect(toRow.bytes / all.bytes).toBeGreaterThan(0.7);
  });

  test("Buffers are known by who allocated them, and by what stayed", async () => {
    const { samples, allocations } = isolateOf(await record(path, BUFFERS), "main");
    if (samples?.buffers == null || allocations === null) throw new Error("no samples of buffers");
    const all = bytesOf(allocations, samples.buffers, everything);
    const body = bytesOf(allocations, samples.buffers, (names) => names.includes("body"));
    const arrays = bytesOf(allocations, samples.buffers, (names) => names.includes("samples"));
    expect(body.bytes / all.bytes).toBeGreaterThan(0.75);
    expect(arrays.bytes / all.bytes).toBeGreaterThan(0.1);
    expect(arrays.alive / arrays.bytes).toBeLessThan(0.2);
    const deviation = Math.sqrt((0.25 * 0.75) / body.count);
    expect(Math.abs(body.alive / body.bytes - 0.25)).toBeLessThan(5 * deviation);
    expect(all.bytes).toBeGreaterThan(0.8 * 4000 * 240_000);
    expect(all.bytes).toBeLessThan(1.25 * 4000 * 240_000);
  });

  test.each([
    ["all of it", false, 0.93, 1],
    ["half of it", true, 0.42, 0.55],
  ])("of the memory outside the heap, %s is accounted for", async (_name, others, least, most) => {
    const lastOf = ({ spikes }: Report): Spike | undefined =>
      spikes.filter(({ kind }) => kind === "mark-compact").toSorted((a, b) => b.startMs - a.startMs)[0];
    const causesOf = (spike: Spike | undefined): readonly string[] => [
      spike?.cause ?? "",
      ...(spike?.contributing ?? []),
    ];
    let last: Spike | undefined;
    // Where the machine took the processor away in this collection of 1 ms, that is its cause: again.
    do last = lastOf(analyse(await record(path, OUTSIDE(others)), { spikeMs: 0.001 }));
    while (causesOf(last).includes("descheduled"));
    expect(causesOf(last)).toContain("external-memory");
    expect(last?.external?.countedBytes).toBeGreaterThan(119e6);
    expect(last?.external?.countedBytes).toBeLessThan(130e6);
    expect(last?.external?.share).toBeGreaterThan(least);
    expect(last?.external?.share).toBeLessThanOrEqual(most);
  });
});

test("without allocations nothing is sampled", async () => {
  const recording = await record(process.execPath, BUFFERS, { allocations: false });
  const { samples, allocations } = isolateOf(recording, "main");
  expect({ samples, allocations }).toEqual({ samples: null, allocations: null });
});

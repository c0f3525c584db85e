import { describe, expect, test } from "vitest";
import { HISTORY_SECONDS, liveFigures, WINDOW_MS } from "../../../src/analysis/live-figures.ts";
import { siteOfStack } from "../../../src/analysis/sites.ts";
import type { IsolateData } from "../../../src/recording/model.ts";
import { isolate, samples } from "../../support/timeline.ts";

const MIB = 1024 ** 2;

test("only what ended in the last ten seconds counts, also where it began before", () => {
  // A pause of 15 s from 100 ms on, 12 s of the program, then two short ones.
  const data = isolate(`-M${"-".repeat(120)}s-s`, { durationMs: { 0: 15_000 } });
  const end = data.endMs;
  expect(liveFigures([data], end)).toMatchObject({ pauses: 2, p99Ms: 2, worst: { kind: "scavenge", durationMs: 2 } });
  const soon = liveFigures([isolate("-M", { durationMs: { 0: 15_000 } })], 15_100 + WINDOW_MS - 1);
  expect(soon).toMatchObject({ pauses: 1, p99Ms: 15_000, worst: { kind: "mark-compact", endMs: 15_100 } });
});

test("P99 is the nearest rank over the pauses of all isolates", () => {
  const main = isolate(".s".repeat(100), { durationMs: { 7: 30 } });
  const worker = isolate("..M", { threadId: 1 });
  const figures = liveFigures([main, worker], main.endMs);
  expect(figures).toMatchObject({ pauses: 101, p99Ms: 30, worst: { durationMs: 30 } });
  expect(liveFigures([main], main.endMs)).toMatchObject({ pauses: 100, p99Ms: 2 });
});

describe("share of the collector", () => {
  test("pauses and steps over the time that was observed", () => {
    // 8 s of the program, 4 pauses of 30 ms and 10 steps of 3 ms.
    const data = isolate(`${`${"-".repeat(20)}M`.repeat(4)}${"=".repeat(10)}`);
    expect(liveFigures([data], data.endMs).gcShare).toBeCloseTo(150 / data.endMs, 3);
  });

  test("a collection that goes on counts, and is told of", () => {
    const data = isolate("-".repeat(50), { openPause: { kind: "mark-compact", startMs: 4000 } });
    const figures = liveFigures([data], 5000);
    expect(figures.gcShare).toBeCloseTo(0.2);
    expect(figures.open).toEqual({ kind: "mark-compact", durationMs: 1000, endMs: 5000 });
  });

  test("nothing is known of a moment", () => {
    expect(liveFigures([isolate(".")], 10).gcShare).toBeNull();
    expect(liveFigures([], 1000)).toMatchObject({ pauses: 0, p99Ms: null, worst: null, open: null, gcShare: null });
  });
});

describe("heap", () => {
  test("of all isolates that run; a worker that ended has none", () => {
    const main = isolate("-".repeat(100));
    const worker = isolate("-".repeat(100), { threadId: 1 });
    const gone = isolate("-".repeat(20), { threadId: 2 });
    const one = liveFigures([main], main.endMs).heapBytes ?? 0;
    expect(one).toBeGreaterThan(100 * MIB);
    expect(liveFigures([main, worker, gone], main.endMs).heapBytes).toBe(2 * one);
  });

  test("how near the nearest is to its limit", () => {
    const main = isolate("-".repeat(100));
    const { limitShare, heapBytes } = liveFigures([main, isolate("-", { threadId: 1 })], main.endMs);
    expect(limitShare).toBeCloseTo((heapBytes ?? 0) / (2048 * MIB));
  });

  test("a rate is what the heap grew by, whatever was collected meanwhile", () => {
    // 1 MiB in 10 ms of the program.
    const data = isolate(`${"-".repeat(5)}s`.repeat(10));
    const rate = (100 * MIB * 5000) / data.endMs;
    expect(liveFigures([data], data.endMs).allocationRate).toBeCloseTo(rate, -5);
    expect(liveFigures([data, { ...data, id: "100-1" }], data.endMs).allocationRate).toBeCloseTo(2 * rate, -5);
  });
});

describe("sites", () => {
  function survivors(data: IsolateData, nowMs: number) {
    return liveFigures([data], nowMs).sites.map(({ frame, share }) => [frame.function, Math.round(share * 100)]);
  }

  const timeline = `${"-".repeat(10)}s`.repeat(20);

  test("what survived the first scavenge that it met, objects and Buffers, by the user's function", () => {
    const sampled = samples(
      [
        { stack: "main@a.js:1 > keep@a.js:2 > push@node:array:3", bornMs: 15_000, bytes: 60 },
        // Found dead by a later scavenge than the first.
        { stack: "main@a.js:1 > keep@a.js:2", bornMs: 15_050, diedMs: 19_000, bytes: 15 },
        { stack: "main@a.js:1 > waste@a.js:9", bornMs: 15_000, diedMs: 15_028, bytes: 1000 },
        { stack: "main@a.js:1 > old@a.js:7", bornMs: 5000, bytes: 1000 },
      ],
      { buffers: [{ stack: "main@a.js:1 > fill@a.js:5", bornMs: 16_000, bytes: 25 }] },
    );
    const data = isolate(timeline, { samples: sampled });
    expect(data.pauses.count).toBe(20);
    expect(survivors(data, data.endMs)).toEqual([
      ["keep", 75],
      ["fill", 25],
    ]);
  });

  test("what has met no scavenge yet says nothing", () => {
    const sampled = samples([{ stack: "main@a.js:1", bornMs: 20_039, bytes: 60 }]);
    const data = isolate(timeline, { samples: sampled });
    expect(data.endMs).toBe(20_040);
    expect(survivors(data, data.endMs)).toEqual([]);
  });

  test("a stack without frames has no site", () => {
    expect(siteOfStack({ frames: [], stacks: [[]] })).toEqual([undefined]);
  });
});

test("the worst of each second of the last minute, the newest last", () => {
  const data = isolate(`${"-".repeat(10)}s`.repeat(3), { durationMs: { 1: 40 } });
  const { worstBySecond } = liveFigures([data], 3500);
  expect(worstBySecond).toHaveLength(HISTORY_SECONDS);
  expect([...worstBySecond.slice(-4)]).toEqual([-1, 2, 40, 2]);
});

test("the longest that a loop was away", () => {
  const data = isolate("-".repeat(200));
  const maxDelayMs = data.loop.maxDelayMs.map((_, i) => (i === 2 ? 900 : i === data.loop.count - 2 ? 45 : 1));
  const figures = liveFigures([{ ...data, loop: { ...data.loop, maxDelayMs } }], data.endMs);
  expect(figures.loopDelayMs).toBe(45);
});

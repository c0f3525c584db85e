import fc from "fast-check";
import { expect, test } from "vitest";
import { IntervalBuilder, type Intervals } from "../../../src/analysis/intervals.ts";
import { stepRuns } from "../../../src/analysis/steps.ts";

function steps(...list: readonly (readonly [number, number])[]): Intervals {
  const builder = new IntervalBuilder();
  for (const [start, length] of list) builder.add(start, start + length);
  return builder.finish();
}

test("steps that reach the threshold inside 50 ms are one run; its length is that of the steps alone", () => {
  const [run, ...more] = stepRuns(steps([0, 4], [20, 4], [40, 4], [500, 4]), 10);
  expect(more).toEqual([]);
  expect(run?.durationMs).toBe(12);
  expect([...(run?.steps.startMs ?? [])]).toEqual([0, 20, 40]);
});

test("steps that are too far apart are no run", () => {
  expect(stepRuns(steps([0, 4], [60, 4], [120, 4]), 10)).toEqual([]);
});

test("windows that share a step are one run, others are two", () => {
  const chained = stepRuns(steps([0, 6], [40, 6], [80, 6], [120, 6]), 10);
  expect(chained.map((run) => run.steps.count)).toEqual([4]);
  const apart = stepRuns(steps([0, 6], [10, 6], [200, 6], [210, 6]), 10);
  expect(apart.map((run) => run.durationMs)).toEqual([12, 12]);
});

test("one long step is a run by itself", () => {
  expect(stepRuns(steps([5, 80]), 10).map((run) => run.durationMs)).toEqual([80]);
  expect(stepRuns(steps([5, 9]), 10)).toEqual([]);
});

test("a long step belongs to the steps right behind it", () => {
  expect(stepRuns(steps([0, 83], [83.1, 6], [95, 9]), 10).map((run) => run.durationMs)).toEqual([98]);
});

test("runs are what every window of 50 ms that holds the threshold touches", () => {
  const list = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 70 })), { maxLength: 12 });
  fc.assert(
    fc.property(list, fc.integer({ min: 1, max: 45 }), (gaps, threshold) => {
      const all = steps(...placed(gaps));
      const found = stepRuns(all, threshold).map((run) => [run.steps.startMs[0], run.steps.count]);
      expect(found).toEqual(runsOfAllWindows(all, threshold));
    }),
    { numRuns: 1000 },
  );
});

/** Everything is whole, so that windows that start at wholes and halves are enough. */
function runsOfAllWindows({ count, startMs, endMs }: Intervals, threshold: number): readonly (readonly number[])[] {
  const runs: { from: number; to: number }[] = [];
  for (let at = -50; at <= (endMs[count - 1] ?? -51); at += 0.5) {
    const overlaps = Array.from({ length: count }, (_, i) =>
      Math.max(0, Math.min(endMs[i] ?? 0, at + 50) - Math.max(startMs[i] ?? 0, at)),
    );
    if (overlaps.reduce((sum, one) => sum + one, 0) < threshold) continue;
    const from = overlaps.findIndex((one) => one > 0);
    const to = overlaps.findLastIndex((one) => one > 0) + 1;
    const last = runs.at(-1);
    if (last !== undefined && from < last.to) last.to = Math.max(last.to, to);
    else runs.push({ from, to });
  }
  return runs.map(({ from, to }) => [startMs[from] ?? Number.NaN, to - from]);
}

const LENGTH = 300;

test("there is a run exactly where some window of 50 ms holds the threshold, and every run holds such a window", () => {
  const list = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 })), { maxLength: 12 });
  fc.assert(
    fc.property(list, fc.integer({ min: 1, max: 30 }), (gaps, threshold) => {
      const all = steps(...placed(gaps));
      const runs = stepRuns(all, threshold);
      expect(runs.length > 0).toBe(mostInWindow(all) >= threshold);
      let end = Number.NEGATIVE_INFINITY;
      for (const run of runs) {
        expect(mostInWindow(run.steps)).toBeGreaterThanOrEqual(threshold);
        expect(run.steps.startMs[0]).toBeGreaterThanOrEqual(end);
        end = run.steps.endMs[run.steps.count - 1] ?? Number.NaN;
      }
    }),
    { numRuns: 1000 },
  );
});

/** Steps behind one another, each after its gap: starts and lengths. */
function placed(gaps: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  let now = 0;
  return gaps.map(([gap, length]) => {
    const start = now + gap;
    now = start + length;
    return [start, length] as const;
  });
}

/** Most step time in any window of 50 ms; everything is whole, so that whole starts are enough. */
function mostInWindow({ count, startMs, endMs }: Intervals): number {
  const busy = Array.from({ length: LENGTH + 400 }, () => 0);
  for (let i = 0; i < count; i++) busy.fill(1, startMs[i], endMs[i]);
  let most = 0;
  for (let start = 0; start + 50 <= busy.length; start++) {
    most = Math.max(
      most,
      busy.slice(start, start + 50).reduce((sum, one) => sum + one, 0),
    );
  }
  return most;
}

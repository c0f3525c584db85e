import fc from "fast-check";
import { expect, test } from "vitest";
import { IntervalBuilder } from "../../../src/analysis/intervals.ts";
import { minimumMutatorUtilization, mmuWindows, peakOfSum, quantile } from "../../../src/analysis/statistics.ts";

test("a quantile is the smallest value that its share of values does not exceed", () => {
  const perMillion = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, min: 0, max: 1e6 }), { minLength: 1 }),
      perMillion,
      (values, millionths) => {
        const sorted = Float64Array.from(values).sort();
        const enough = (value: number) =>
          sorted.filter((other) => other <= value).length * 1_000_000 >= millionths * sorted.length;
        expect(quantile(sorted, millionths / 1e6)).toBe(sorted.find(enough));
      },
    ),
  );
});

test("ranks are exact where floats are not: 0.07 of 100 values is the 7th", () => {
  const hundred = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  expect(quantile(hundred, 0.07)).toBe(7);
  expect(quantile(hundred, 0.99)).toBe(99);
  expect(quantile(hundred, 0.999)).toBe(100);
  expect(quantile(hundred, 0)).toBe(1);
});

test("there is no quantile of nothing", () => {
  expect(quantile(new Float64Array(0), 0.5)).toBeNull();
});

const OBSERVED = 60;

test("minimum mutator utilisation is that of the worst of all windows", () => {
  const stops = fc.array(fc.tuple(fc.nat(OBSERVED), fc.integer({ min: 1, max: 9 })), { maxLength: 8 });
  fc.assert(
    fc.property(stops, fc.nat(10), fc.integer({ min: 1, max: OBSERVED }), (pairs, from, windowMs) => {
      const builder = new IntervalBuilder();
      for (const [start, length] of pairs.toSorted((a, b) => a[0] - b[0])) {
        if (start >= from) builder.add(start, Math.min(OBSERVED, start + length));
      }
      const all = builder.finish();
      const stopped = Array.from({ length: OBSERVED }, () => 0);
      for (let i = 0; i < all.count; i++) stopped.fill(1, all.startMs[i], all.endMs[i]);
      // All ends are whole, so that the stopped time of a window bends, and has its maximum, at whole starts only.
      let most = 0;
      for (let start = from; start + windowMs <= OBSERVED; start++) {
        const inside = stopped.slice(start, start + windowMs).reduce((sum, one) => sum + one, 0);
        most = Math.max(most, inside);
      }
      const result = minimumMutatorUtilization(all, from, OBSERVED, [windowMs]);
      if (windowMs > OBSERVED - from) expect(result).toEqual([]);
      else expect(result[0]?.utilization).toBeCloseTo(1 - most / windowMs, 12);
    }),
    { numRuns: 2000 },
  );
});

test("a window inside one pause has no utilisation, a program without pauses all of it", () => {
  const builder = new IntervalBuilder();
  builder.add(10, 30);
  const stops = builder.finish();
  expect(minimumMutatorUtilization(stops, 0, 100, [10, 20, 40, 100])).toEqual([
    { windowMs: 10, utilization: 0 },
    { windowMs: 20, utilization: 0 },
    { windowMs: 40, utilization: 0.5 },
    { windowMs: 100, utilization: 0.8 },
  ]);
  const none = new IntervalBuilder().finish();
  expect(minimumMutatorUtilization(none, 0, 100, [10])).toEqual([{ windowMs: 10, utilization: 1 }]);
});

test("window lengths go from 1 ms to the whole time and have 10, 50 and 100 ms", () => {
  const windows = mmuWindows(1234);
  expect(windows[0]).toBe(1);
  expect(windows.at(-1)).toBe(1234);
  expect(windows).toEqual([...windows].sort((a, b) => a - b));
  expect(new Set(windows).size).toBe(windows.length);
  for (const wanted of [10, 50, 100, 1000]) expect(windows).toContain(wanted);
  expect(mmuWindows(0.5)).toEqual([]);
  expect(mmuWindows(1)).toEqual([1]);
});

const series = (fromMs: number, toMs: number, points: readonly (readonly [number, number])[]) => ({
  fromMs,
  toMs,
  timeMs: Float64Array.from(points, ([time]) => time),
  value: Float64Array.from(points, ([, value]) => value),
});

test("the peak of one series is its largest value, whenever it was", () => {
  expect(
    peakOfSum([
      series(0, 10, [
        [0, 3],
        [1, 7],
        [2, 5],
      ]),
    ]),
  ).toBe(7);
  expect(peakOfSum([series(0, 10, [[0, Number.NaN]])])).toBeNull();
  expect(peakOfSum([])).toBeNull();
});

test("the peak of several series is their largest sum at one moment, not the sum of their peaks", () => {
  const first = series(0, 1000, [
    [0, 100],
    [500, 10],
  ]);
  const second = series(0, 1000, [
    [0, 10],
    [700, 100],
  ]);
  expect(peakOfSum([first, second])).toBe(110);
});

test("a series holds its value between samples and counts nothing behind its end", () => {
  const long = series(0, 2000, [
    [0, 50],
    [1500, 60],
  ]);
  const short = series(0, 900, [[0, 50]]);
  expect(peakOfSum([long, short])).toBe(100);
  expect(peakOfSum([long, series(1600, 2000, [[1600, 5]])])).toBe(65);
});

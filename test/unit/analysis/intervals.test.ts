import fc from "fast-check";
import { expect, test } from "vitest";
import {
  IntervalBuilder,
  type Intervals,
  lowerBound,
  subtract,
  totalMs,
  union,
} from "../../../src/analysis/intervals.ts";

const LENGTH = 40;

/** Intervals with whole-numbered ends in 0..LENGTH. */
const intervals = fc.array(fc.tuple(fc.nat(LENGTH - 1), fc.nat(8)), { maxLength: 8 }).map((pairs) => {
  const builder = new IntervalBuilder();
  for (const [start, length] of pairs.toSorted((a, b) => a[0] - b[0]))
    builder.add(start, Math.min(LENGTH, start + length));
  return builder.finish();
});

/** Which of the unit cells are covered. */
function cells({ count, startMs, endMs }: Intervals): readonly boolean[] {
  const covered = Array.from({ length: LENGTH }, () => false);
  for (let i = 0; i < count; i++) covered.fill(true, startMs[i], endMs[i]);
  return covered;
}

function expectDisjoint({ count, startMs, endMs }: Intervals): void {
  for (let i = 1; i < count; i++) expect(startMs[i]).toBeGreaterThanOrEqual(endMs[i - 1] ?? Number.NaN);
}

test("the union covers what one or the other covers", () => {
  fc.assert(
    fc.property(intervals, intervals, (a, b) => {
      const both = union(a, b);
      const inB = cells(b);
      expect(cells(both)).toEqual(cells(a).map((covered, cell) => covered || inB[cell] === true));
      expectDisjoint(both);
    }),
  );
});

test("the difference covers what the first covers and the second does not", () => {
  fc.assert(
    fc.property(intervals, intervals, (a, b) => {
      const rest = subtract(a, b);
      const inB = cells(b);
      expect(cells(rest)).toEqual(cells(a).map((covered, cell) => covered && inB[cell] !== true));
      expectDisjoint(rest);
    }),
  );
});

test("the total counts every moment once", () => {
  fc.assert(
    fc.property(intervals, (a) => {
      expect(totalMs(a)).toBe(cells(a).filter(Boolean).length);
    }),
  );
});

test("intervals that touch stay two, those that overlap become one", () => {
  const builder = new IntervalBuilder();
  builder.add(0, 3);
  builder.add(3, 5);
  builder.add(4, 9);
  builder.add(6, 7);
  const { startMs, endMs } = builder.finish();
  expect([...startMs]).toEqual([0, 3]);
  expect([...endMs]).toEqual([3, 9]);
});

test("more intervals than the first room holds are all kept", () => {
  const builder = new IntervalBuilder();
  for (let i = 0; i < 5000; i++) builder.add(i * 2, i * 2 + 1);
  const all = builder.finish();
  expect(all.count).toBe(5000);
  expect(totalMs(all)).toBe(5000);
  expect(all.startMs[4999]).toBe(9998);
});

test("the lower bound is the first entry that is not below", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.nat(20), (numbers, value) => {
      const sorted = Float64Array.from(numbers).sort();
      const expected = sorted.findIndex((entry) => entry >= value);
      expect(lowerBound(sorted, value)).toBe(expected < 0 ? sorted.length : expected);
    }),
  );
});

import { describe, expect, it } from "vitest";
import { median, medianInterval, quantile } from "../../../bench/lib/statistics.mjs";

describe("median and quantile", () => {
  it("take the middle and the nearest rank", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
    expect(quantile([5, 1, 4, 2, 3], 0.5)).toBe(3);
    expect(quantile([5, 1, 4, 2, 3], 0.99)).toBe(5);
    expect(quantile([5, 1, 4, 2, 3], 0)).toBe(1);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("medianInterval", () => {
  it("holds the median, is the same each time, and shrinks with more data", () => {
    const values = (n: number) => Array.from({ length: n }, (_, i) => 1 + ((i * 37) % 101) / 1000);
    const few = medianInterval(values(10));
    const many = medianInterval(values(400));
    expect(medianInterval(values(10))).toEqual(few);
    for (const { low, median: middle, high } of [few, many]) expect(low <= middle && middle <= high).toBe(true);
    expect(many.high - many.low).toBeLessThan((few.high - few.low) / 2);
  });

  it("covers the true median about 95 times in 100", () => {
    // A logistic distribution around 0 through a seeded generator.
    let state = 1;
    const next = () => {
      state = (state * 48_271) % 2_147_483_647;
      const u = state / 2_147_483_647;
      return Math.log(u / (1 - u));
    };
    const covered = Array.from({ length: 200 }, () => medianInterval(Array.from({ length: 25 }, next), 400)).filter(
      ({ low, high }) => low <= 0 && high >= 0,
    ).length;
    expect(covered).toBeGreaterThan(180);
    expect(covered).toBeLessThan(200);
  });
});

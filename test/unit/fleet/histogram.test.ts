import fc from "fast-check";
import { expect, test } from "vitest";
import { Histogram, SCALE } from "../../../src/fleet/histogram.ts";

test("every value is in the bucket that holds it, and the sums are right", () => {
  const duration = fc.double({ min: 1e-6, max: 1000, noNaN: true });
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 200 }), (durations) => {
      const histogram = new Histogram();
      for (const seconds of durations) histogram.add(seconds);
      const { count, fine, coarse, min, max } = histogram.state();
      expect(count).toBe(durations.length);
      expect(fine.reduce((sum, [, inBucket]) => sum + inBucket, 0)).toBe(count);
      expect(coarse.reduce((sum, inBucket) => sum + inBucket, 0)).toBe(count);
      expect([min, max]).toEqual([Math.min(...durations), Math.max(...durations)]);
      const base = 2 ** (2 ** -SCALE);
      for (const [bucket, inBucket] of fine) {
        // A rounding of the logarithm may put a value on a bound to either side.
        const held = (slack: number) =>
          durations.filter((s) => s > base ** bucket * (1 + slack) && s <= base ** (bucket + 1) * (1 - slack)).length;
        expect(inBucket).toBeGreaterThanOrEqual(held(1e-12));
        expect(inBucket).toBeLessThanOrEqual(held(-1e-12));
      }
    }),
  );
});

test("however short or long a pause is said to be, there are at most 241 buckets", () => {
  const histogram = new Histogram();
  for (let exponent = -300; exponent <= 300; exponent += 0.01) histogram.add(10 ** exponent);
  expect(histogram.state().fine.length).toBeLessThanOrEqual(241);
});

test("pauses below a millisecond are told apart by 9 %", () => {
  const histogram = new Histogram();
  for (const microseconds of [100, 110, 120, 131, 143]) histogram.add(microseconds / 1e6);
  expect(histogram.state().fine.map(([, count]) => count)).toEqual([1, 1, 1, 1, 1]);
});

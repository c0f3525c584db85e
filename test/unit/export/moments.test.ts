import fc from "fast-check";
import { expect, test } from "vitest";
import { momentsOf, sumsAt } from "../../../src/export/moments.ts";

test("moments rise by a millisecond at least, up to the end, and the last has all of it", () => {
  const durations = fc.oneof(
    fc.double({ min: 0, max: 1e8, noNaN: true }),
    fc.tuple(fc.nat(7200), fc.double({ min: -2, max: 2, noNaN: true })).map(([s, ms]) => Math.max(0, s * 1000 + ms)),
  );
  fc.assert(
    fc.property(durations, (durationMs) => {
      const moments = momentsOf(durationMs);
      expect(moments.at(-1)).toBe(durationMs);
      expect(moments.every((ms, i) => i === 0 || ms - (moments[i - 1] ?? 0) >= 1)).toBe(true);
      expect(sumsAt(moments, Float64Array.of(0, durationMs / 2, durationMs), () => 1).at(-1)).toBe(3);
    }),
  );
});

test("a recording that ends right behind a second has one moment for both", () => {
  expect([...momentsOf(3000.1)]).toEqual([0, 1000, 2000, 3000.1]);
  expect([...momentsOf(3001)]).toEqual([0, 1000, 2000, 3001]);
  expect([...momentsOf(3002)]).toEqual([0, 1000, 2000, 3000, 3002]);
});

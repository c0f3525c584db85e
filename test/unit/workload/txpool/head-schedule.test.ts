import fc from "fast-check";
import { expect, test } from "vitest";
import { HeadSchedule, type ScheduledHead } from "../../../../src/workload/txpool/head-schedule.ts";

function heads(seed: number, count: number, blockTimeMs = 2000): readonly ScheduledHead[] {
  const schedule = new HeadSchedule({ seed, blockTimeMs });
  return Array.from({ length: count }, () => schedule.next());
}

test("heads are numbered from 0 and come in equal steps; the same seed makes the same ones", () => {
  const all = heads(5, 50, 125);
  expect(all.map(({ number, atMs }) => [number, atMs])).toEqual(all.map((_, i) => [i, i * 125]));
  expect(heads(5, 50, 125)).toEqual(all);
  expect(heads(6, 50, 125)).not.toEqual(all);
});

test("the base fee follows the gas that was used, as EIP-1559 says", () => {
  const target = 15_000_000n;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const all = heads(seed, 100);
      for (const [i, { baseFee, gasUsed }] of all.slice(0, -1).entries()) {
        const change = (BigInt(baseFee) * (BigInt(gasUsed) - target)) / target / 8n;
        // Numbers may round the last wei.
        expect(Math.abs((all[i + 1]?.baseFee ?? 0) - baseFee - Number(change))).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 20 },
  );
});

test("the base fee wanders, but comes back: an hour of blocks stays within a factor of 20", () => {
  for (const seed of [1, 2, 3]) {
    const fees = heads(seed, 1800).map(({ baseFee }) => baseFee);
    const [low, high] = [Math.min(...fees), Math.max(...fees)];
    expect(high / low).toBeGreaterThan(1.5);
    expect(low).toBeGreaterThan(1e9);
    expect(high).toBeLessThan(400e9);
  }
});

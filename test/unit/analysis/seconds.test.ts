import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isBurst, rateBefore } from "../../../src/analysis/allocation-rate.ts";
import { GcHistory } from "../../../src/analysis/gc-history.ts";
import { heapSeries } from "../../../src/analysis/heap-series.ts";
import { countSeconds, GROWTH_BYTES, secondsOf } from "../../../src/analysis/seconds.ts";
import { type HeapColumns, type IsolateData, PAUSE_KINDS } from "../../../src/recording/model.ts";
import { isolate, type PauseSpec, pauseColumns } from "../../support/timeline.ts";

const MIB = 1024 ** 2;
const MARK_COMPACT = PAUSE_KINDS.indexOf("mark-compact");
const THRESHOLDS = { p99Ms: 10, growthBytes: GROWTH_BYTES };
const secondsIn = (one: IsolateData) => secondsOf(one, THRESHOLDS);

/** Bytes that each second stands for. */
function bytesOf(one: IsolateData, rates: Float64Array): Float64Array {
  return rates.map(
    (rate, i) => (rate * (Math.min(one.endMs, one.startMs + (i + 1) * 1000) - one.startMs - i * 1000)) / 1000,
  );
}
const sum = (values: Float64Array): number =>
  values.reduce((total, value) => total + (Number.isNaN(value) ? 0 : value), 0);

/** An isolate whose heap was sampled ten times a second and had these sizes, MiB, with these pauses. */
function sampled(sizes: readonly number[], pauses: readonly PauseSpec[] = []): IsolateData {
  const one = isolate("-".repeat(sizes.length));
  const heap: HeapColumns = { ...one.heap, used: Float64Array.from(sizes, (size) => size * MIB) };
  return { ...one, heap, pauses: pauseColumns(pauses) };
}

const collection = (kind: PauseSpec["kind"], startMs: number, usedBefore: number, usedAfter: number): PauseSpec => ({
  kind,
  startMs,
  durationMs: 2,
  usedBefore: usedBefore * MIB,
  usedAfter: usedAfter * MIB,
});

const timelines = fc
  .array(fc.constantFrom("-", "-", "-", "--------", ".", "s", "m", "M", "i", "="), { maxLength: 80 })
  .map((letters) => letters.join(""));

describe("sums over seconds are the totals", () => {
  test("of what was allocated", () => {
    fc.assert(
      fc.property(timelines, fc.nat(3000), (timeline, startMs) => {
        const one = isolate(timeline, { startMs });
        const { allocation } = secondsIn(one);
        const first = allocation.findIndex((rate) => !Number.isNaN(rate));
        if (first < 0) return;
        expect(allocation.subarray(first).some(Number.isNaN)).toBe(false);
        const fromMs = startMs + first * 1000;
        const whole = (new GcHistory(one).allocationRate(fromMs, one.endMs) ?? 0) * ((one.endMs - fromMs) / 1000);
        expect(sum(bytesOf(one, allocation))).toBeCloseTo(whole, 3);
      }),
    );
  });

  test("of growth: from the first known size to what the last collection left, and what full ones took away", () => {
    fc.assert(
      fc.property(timelines, fc.nat(3000), (timeline, startMs) => {
        const one = isolate(timeline, { startMs });
        const { growth } = secondsIn(one);
        const { timeMs, value } = heapSeries(one, "used");
        const collections = [...one.pauses.kind.entries()].filter(([, kind]) => kind <= MARK_COMPACT);
        if (collections.length === 0) {
          const known = timeMs.length > 1 ? (value.at(-1) ?? 0) - (value[0] ?? 0) : 0;
          expect(sum(bytesOf(one, growth))).toBeCloseTo(known, 3);
          return;
        }
        const levels = [value[0] ?? 0, ...collections.map(([pause]) => one.pauses.usedAfter[pause] ?? 0)];
        const taken = collections.map(([, kind], i) =>
          kind === MARK_COMPACT ? Math.max(0, (levels[i] ?? 0) - (levels[i + 1] ?? 0)) : 0,
        );
        const grown = (levels.at(-1) ?? 0) - (levels[0] ?? 0) + sum(Float64Array.from(taken));
        expect(sum(bytesOf(one, growth))).toBeCloseTo(grown, 3);
      }),
    );
  });
});

test("P99 of each second is that of all pauses that began in it or in the nine before it", () => {
  const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 40 })), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(gaps, (list) => {
      let startMs = 0;
      const pauses = list.map(([gap, durationMs]): PauseSpec => {
        startMs += gap;
        return { kind: "scavenge", startMs, durationMs };
      });
      const one = { ...isolate("-"), endMs: startMs + 100, pauses: pauseColumns(pauses) };
      const { p99Ms, isSlow } = secondsIn(one);
      for (const [i, p99] of p99Ms.entries()) {
        const recent = pauses.filter(({ startMs: at }) => at >= (i - 9) * 1000 && at < (i + 1) * 1000);
        const durations = recent.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
        const brute = durations[Math.ceil(0.99 * durations.length) - 1] ?? Number.NaN;
        expect(p99).toBe(brute);
        expect(isSlow[i]).toBe(brute >= 10 ? 1 : 0);
      }
    }),
  );
});

describe("a burst", () => {
  test("holds what the rule of its cause sees at every second's end", () => {
    const sizes = fc.array(fc.nat(60), { minLength: 50, maxLength: 400 });
    fc.assert(
      fc.property(sizes, (steps) => {
        let size = 10;
        const one = sampled(steps.map((step) => (size += step)));
        const { allocation, peakAllocation, usualAllocation, isBurst: bursts } = secondsIn(one);
        const history = new GcHistory(one);
        for (let i = 0; (i + 1) * 1000 <= one.endMs; i++) {
          const rate = rateBefore(history, one.startMs, (i + 1) * 1000);
          const usual = usualAllocation[i] ?? Number.NaN;
          if (Number.isNaN(usual)) expect(rate).toBeNull();
          else expect(rate?.usual).toBe(usual);
          // The rule looks at the last quarter of the second, and at all of it.
          expect(peakAllocation[i]).toBeGreaterThanOrEqual(Math.max(allocation[i] ?? 0, rate?.now ?? 0));
          if (rate !== null && isBurst(rate)) expect(bursts[i]).toBe(1);
        }
      }),
    );
  });

  test("is a second of at least 20 MiB and four times the usual", () => {
    // 2 MiB a second, then 30 MiB in one second, then 2 MiB a second again.
    const rates = [...Array.from({ length: 5 }, () => 2), 30, 2, 2, 2];
    let size = 10;
    const sizes = rates.flatMap((rate) => Array.from({ length: 10 }, () => (size += rate / 10)));
    const { allocation, usualAllocation, isBurst: bursts } = secondsIn(sampled([10, ...sizes]));
    expect([...bursts].map((mark, i) => (mark ? i : -1)).filter((i) => i >= 0)).toEqual([5]);
    expect((allocation[5] ?? 0) / MIB).toBeCloseTo(30, 6);
    expect((usualAllocation[5] ?? 0) / MIB).toBeCloseTo(2, 6);
    expect(Number.isNaN(usualAllocation[2])).toBe(true);
  });
});

/** Marked seconds of a program that allocates so many MiB a second in each tenth of one. */
function burstsOf(rates: readonly number[]): readonly number[] {
  let size = 10;
  const { isBurst: bursts } = secondsIn(sampled([10, ...rates.map((rate) => (size += rate / 10))]));
  return [...bursts.keys()].filter((second) => bursts[second] === 1);
}

test("a burst that comes again every two seconds does not become usual", () => {
  const rates = Array.from({ length: 200 }, (_, tenth) => (tenth % 20 < 7 ? 60 : 2));
  expect(burstsOf(rates)).toEqual([4, 6, 8, 10, 12, 14, 16, 18]);
});

test("what goes on is usual after five seconds", () => {
  const rates = Array.from({ length: 300 }, (_, tenth) => (tenth < 100 ? 2 : 60));
  expect(burstsOf(rates)).toEqual([10, 11, 12, 13, 14]);
});

test("a burst of a quarter of a second is one, however calm the rest of its second is", () => {
  const rates = Array.from({ length: 100 }, (_, tenth) => (tenth >= 62 && tenth < 66 ? 25 : 2));
  let size = 10;
  const {
    allocation,
    peakAllocation,
    isBurst: bursts,
  } = secondsIn(sampled([10, ...rates.map((rate) => (size += rate / 10))]));
  expect((allocation[6] ?? 0) / MIB).toBeCloseTo(11.2, 6);
  expect((peakAllocation[6] ?? 0) / MIB).toBeCloseTo(25, 6);
  expect([...bursts].map((mark, i) => (mark ? i : -1)).filter((i) => i >= 0)).toEqual([6]);
});

describe("growth", () => {
  test("is what collections leave, not the garbage between them", () => {
    const pauses = [1, 2, 3].map((second) => collection("scavenge", second * 1000 - 2, 40, 20));
    const { growth } = secondsIn(
      sampled(
        Array.from({ length: 40 }, (_, i) => 20 + 2 * (i % 10)),
        pauses,
      ),
    );
    for (const rate of growth.subarray(0, 3)) expect(rate).toBeCloseTo(0, 6);
  });

  test("goes on through a full collection that takes away all of it", () => {
    const pauses = Array.from({ length: 40 }, (_, i) =>
      i % 10 === 9
        ? collection("mark-compact", (i + 1) * 100 - 2, 110, 20)
        : collection("scavenge", (i + 1) * 100 - 2, 30 + (i % 10) * 10, 30 + (i % 10) * 10),
    );
    const { growth, isGrowing } = secondsIn(sampled(Array(40).fill(20), pauses));
    for (const rate of growth) expect(rate / MIB).toBeCloseTo(90, 6);
    expect([...isGrowing]).toEqual([1, 1, 1, 1]);
  });

  test("is not known behind the last collection", () => {
    const { growth } = secondsIn(sampled(Array(40).fill(20), [collection("mark-compact", 1500, 30, 25)]));
    expect([...growth].map(Number.isNaN)).toEqual([false, false, true, true]);
  });

  test("is that of the samples where nothing was collected", () => {
    const sizes = Array.from({ length: 31 }, (_, i) => 10 + i * 6);
    const { growth, isGrowing } = secondsIn(sampled(sizes));
    expect([...growth.subarray(0, 3)].map((rate) => Math.round(rate / MIB))).toEqual([60, 60, 60]);
    expect([...isGrowing]).toEqual([1, 1, 1, 0]);
  });

  test("is marked above a threshold that can be set", () => {
    const one = sampled(Array.from({ length: 31 }, (_, i) => 10 + i * 6));
    expect(secondsOf(one, { ...THRESHOLDS, growthBytes: 61 * MIB }).isGrowing).toEqual(new Uint8Array(4));
  });
});

test("seconds are counted, the rest of one too", () => {
  expect(countSeconds(secondsIn(isolate("-----------.M")))).toEqual({ all: 2, bursts: 0, growing: 0, slow: 1 });
  expect(countSeconds(secondsIn(isolate("")))).toEqual({ all: 0, bursts: 0, growing: 0, slow: 0 });
});

test("where heap sizes were not recorded only P99 is known", () => {
  const { allocation, growth, p99Ms } = secondsIn(
    isolate("--s----------s-", { collector: "perf_hooks", phases: false }),
  );
  const bare = secondsIn({
    ...isolate("--s----------s-", { collector: "perf_hooks" }),
    heap: { ...isolate("").heap, count: 0 },
  });
  expect([...bare.allocation, ...bare.growth].every(Number.isNaN)).toBe(true);
  expect([...bare.p99Ms]).toEqual([2, 2]);
  expect([allocation.length, growth.length, p99Ms.length]).toEqual([2, 2, 2]);
});

test("a million pauses take no quadratic time", () => {
  const count = 1_000_000;
  const one = isolate("-");
  const column = (value: (i: number) => number) => Float64Array.from({ length: count }, (_, i) => value(i));
  const pauses = {
    ...pauseColumns([]),
    count,
    startMs: column((i) => i * 0.1),
    durationMs: column((i) => (i * 7919) % 1009),
    kind: new Uint8Array(count),
    usedAfter: column((i) => (i % 100) * MIB),
    usedBefore: column((i) => (i % 100) * MIB),
  };
  const { p99Ms } = secondsIn({ ...one, endMs: 100_000, pauses });
  expect(p99Ms.length).toBe(100);
  expect(p99Ms.every((ms) => ms >= 990 && ms <= 1009)).toBe(true);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import type { SpikeTag } from "../../../src/analysis/report-types.ts";
import { score, tagRate, tagsBefore } from "../../../src/analysis/tags.ts";
import type { IsolateData } from "../../../src/recording/model.ts";
import { isolate, recording, type TagSpec, tagColumns } from "../../support/timeline.ts";

/** A minute of a program with these tags. */
function minute(tags: readonly TagSpec[]): IsolateData {
  return isolate("-".repeat(600), { tags: tagColumns(tags) });
}

const every = (stepMs: number, fromMs = 0, toMs = 60_000): readonly number[] =>
  Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, i) => fromMs + i * stepMs);
const namesOf = (tags: readonly SpikeTag[]): readonly string[] => tags.map(({ name }) => name);

describe("the tags before a spike", () => {
  test("come by over-representation, not by frequency", () => {
    const program = minute([
      { name: "GET /health", at: every(10) },
      { name: "GET /report", at: [1000, 9000, 17_000, ...every(250, 27_000, 30_000)] },
    ]);
    const [report, health] = tagsBefore(program, 30_000);
    // 12 in 3 s against 3 in 57 s.
    expect(report).toEqual({ name: "GET /report", count: 12, lift: expect.closeTo(76, 6), lastBeforeMs: 250 });
    expect(health).toMatchObject({ name: "GET /health", count: 300, lift: expect.closeTo(1, 6) });
  });

  test("a tag that was seen once is behind one that came often, however rare it is", () => {
    const program = minute([
      { name: "once", at: [29_000] },
      { name: "often", at: [...every(1000), ...every(300, 27_000, 30_000)] },
    ]);
    expect(namesOf(tagsBefore(program, 30_000))).toEqual(["often", "once"]);
    expect(tagsBefore(program, 30_000)[1]).toEqual({ name: "once", count: 1, lift: null, lastBeforeMs: 1000 });
  });

  test("what goes on counts, whenever it began; what ended, or is not known to have ended, does not", () => {
    const program = minute([
      { name: "export", at: [10_000], durationMs: 25_000 },
      { name: "ended", at: [10_000], durationMs: 19_999 },
      { name: "given up", at: [10_000], durationMs: Number.NaN },
      { name: "later", at: [30_000] },
    ]);
    expect(tagsBefore(program, 30_000)).toEqual([{ name: "export", count: 1, lift: null, lastBeforeMs: 20_000 }]);
  });

  test("a job that always goes on has its usual rate", () => {
    const program = minute([{ name: "job", at: every(6000), durationMs: 6000 }]);
    const [job] = tagsBefore(program, 33_000);
    // One began in the window and goes on: two windows of 3 s in a job's 6.
    expect(job?.count).toBe(1);
    expect(job?.lift).toBeGreaterThan(0.8);
    expect(job?.lift).toBeLessThan(1.3);
  });

  test("at most ten; none without tags, and none before the program began", () => {
    const names = Array.from({ length: 20 }, (_, i) => ({ name: `${i}`, at: [29_000 + i] }));
    expect(tagsBefore(minute(names), 30_000)).toHaveLength(10);
    expect(tagsBefore(isolate("-"), 100)).toEqual([]);
    expect(tagsBefore(minute(names), 0)).toEqual([]);
  });

  test("there is no usual rate in a run that is hardly longer than the window", () => {
    const short = isolate("-".repeat(40), { tags: tagColumns([{ name: "a", at: every(100, 0, 4000) }]) });
    expect(tagsBefore(short, 3500)).toEqual([{ name: "a", count: 30, lift: null, lastBeforeMs: 100 }]);
  });

  test("stand in the report's spikes", () => {
    const tags = tagColumns([{ name: "GET /report", at: [250, 280] }]);
    const { spikes } = analyse(recording([isolate("---M-", { tags })]));
    expect(spikes.map((spike) => spike.tags)).toEqual([
      [{ name: "GET /report", count: 2, lift: null, lastBeforeMs: 20 }],
    ]);
  });

  const arbitraryTags = fc.array(
    fc.record({
      name: fc.constantFrom("a", "b", "c"),
      at: fc.array(fc.nat(60_000), { maxLength: 20 }),
      durationMs: fc.constantFrom(0, 5, 2999, 3001, 10_000, Number.NaN),
      weight: fc.integer({ min: 1, max: 50 }),
    }),
    { maxLength: 8 },
  );

  test("are those that a search of all tags finds", () => {
    fc.assert(
      fc.property(arbitraryTags, fc.nat(60_000), (specs, spikeMs) => {
        const found = tagsBefore(minute(specs), spikeMs);
        const fromMs = Math.max(0, spikeMs - 3000);
        const all = specs.flatMap((spec) => spec.at.map((at) => ({ ...spec, at })));
        const near = all.filter(
          ({ at, durationMs }) => at < spikeMs && (at >= fromMs || (durationMs > 3000 && at + durationMs > spikeMs)),
        );
        expect(namesOf(found).toSorted()).toEqual([...new Set(near.map(({ name }) => name))].toSorted());
        for (const tag of found) {
          const own = near.filter(({ name }) => name === tag.name);
          expect(tag.count).toBe(own.reduce((sum, { weight }) => sum + weight, 0));
          expect(tag.lastBeforeMs).toBe(spikeMs - Math.max(...own.map(({ at }) => at)));
        }
      }),
    );
  });

  test("a tag's rate over the run adds up to its tags", () => {
    fc.assert(
      fc.property(arbitraryTags, fc.constantFrom(100, 1000, 7000), (specs, bucketMs) => {
        const rate = tagRate(minute(specs), "a", bucketMs);
        expect(rate).toHaveLength(Math.ceil(60_000 / bucketMs));
        const own = specs.filter(({ name }) => name === "a").map(({ at, weight }) => at.length * weight);
        const total = rate.reduce((sum, perSecond) => sum + (perSecond * bucketMs) / 1000, 0);
        expect(total).toBeCloseTo(
          own.reduce((sum, n) => sum + n, 0),
          6,
        );
      }),
    );
    expect(tagRate(minute([{ name: "a", at: [1500, 1600], weight: 3 }]), "a").slice(0, 3)).toEqual(
      Float64Array.of(0, 6, 0),
    );
  });
});

describe("the score of a count", () => {
  const share = fc.double({ min: 1e-6, max: 0.5, noNaN: true });

  test("of one is nothing, and of the usual rate nothing", () => {
    fc.assert(
      fc.property(fc.nat(1000), share, (elsewhere, part) => {
        expect(score(1, elsewhere, part)).toBeLessThan(1e-9);
      }),
    );
    expect(score(50, 950, 0.05)).toBeCloseTo(0, 9);
  });

  test("rises with the count and falls with what is elsewhere", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(5000), share, (count, elsewhere, part) => {
        expect(score(count + 1, elsewhere, part)).toBeGreaterThanOrEqual(score(count, elsewhere, part) - 1e-9);
        expect(score(count, elsewhere + 1, part)).toBeLessThanOrEqual(score(count, elsewhere, part) + 1e-9);
      }),
    );
  });

  test("bounds the binomial tail, given one at least", () => {
    const tail = (count: number, all: number, part: number): number => {
      let sum = 0;
      let term = (1 - part) ** all;
      for (let k = 0; k <= all; k++) {
        if (k >= count) sum += term;
        term *= ((all - k) / (k + 1)) * (part / (1 - part));
      }
      return sum / (1 - (1 - part) ** all);
    };
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }),
        fc.nat(40),
        fc.double({ min: 0.01, max: 0.2, noNaN: true }),
        (count, elsewhere, part) => {
          fc.pre(count / (count + elsewhere) > part);
          expect(Math.exp(-score(count, elsewhere, part))).toBeGreaterThanOrEqual(
            tail(count, count + elsewhere, part) * (1 - 1e-9),
          );
        },
      ),
    );
  });
});

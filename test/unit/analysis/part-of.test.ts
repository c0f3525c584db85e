import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import { partOf } from "../../../src/analysis/part-of.ts";
import { measuredPart, runOf } from "../../../src/analysis/run.ts";
import type { Recording } from "../../../src/recording/model.ts";
import { comparisonOf, workload } from "../../support/comparison.ts";
import { isolate, recording, tagColumns } from "../../support/timeline.ts";

const timeline = fc.array(fc.constantFrom(".", "s", "M", "=", "i", "w"), { minLength: 1, maxLength: 80 });
const pausesOf = (of: Recording) => analyse(of).summary.pauses;

describe("a part of a recording", () => {
  test("the whole is the whole", () => {
    fc.assert(
      fc.property(timeline, (marks) => {
        const whole = recording(marks.join(""));
        expect(analyse(partOf(whole, 0, whole.durationMs + 1)).summary.pauses).toEqual(pausesOf(whole));
      }),
    );
  });

  test("cut anywhere, every pause is in one of two parts, as long as it was", () => {
    fc.assert(
      fc.property(timeline, fc.double({ min: 0, max: 1, noNaN: true }), (marks, at) => {
        const whole = recording(marks.join(""));
        const cut = whole.durationMs * at;
        const [a, b] = [partOf(whole, 0, cut), partOf(whole, cut, whole.durationMs + 1)];
        expect(pausesOf(a).count + pausesOf(b).count).toBe(pausesOf(whole).count);
        expect(pausesOf(a).totalMs + pausesOf(b).totalMs).toBeCloseTo(pausesOf(whole).totalMs, 6);
        for (const part of [a, b]) {
          for (const { pauses, heap } of part.isolates) {
            expect(pauses.startMs.every((start) => start >= 0)).toBe(true);
            expect(pauses.spaces.usedAfter.length).toBe(pauses.count * pauses.spaces.names.length);
            expect(heap.timeMs.length).toBe(heap.used.length);
          }
        }
      }),
    );
  });

  test("cut anywhere, every tag is in one of two parts, as long as it was", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(999), { minLength: 1 }), fc.nat(1000), (times, cut) => {
        const tags = tagColumns(
          times.map((at) => ({ name: `n${at % 3}`, at: [at], durationMs: at * 2, weight: at + 1 })),
        );
        const whole = recording([isolate("-".repeat(10), { tags })]);
        const spans = (part: Recording, fromMs: number) =>
          part.isolates.flatMap(({ tags: cutTags }) =>
            Array.from({ length: cutTags?.count ?? 0 }, (_, i) => [
              (cutTags?.timeMs[i] ?? Number.NaN) + fromMs,
              cutTags?.names[cutTags.name[i] ?? -1],
              cutTags?.durationMs[i],
              cutTags?.weight[i],
              cutTags?.source[i],
            ]),
          );
        const parts = [...spans(partOf(whole, 0, cut), 0), ...spans(partOf(whole, cut, 1001), cut)];
        expect(parts).toEqual(spans(whole, 0));
      }),
    );
  });

  test("isolates that did not live then are not in it", () => {
    const early = isolate(".s.", { id: "1-0" });
    const late = isolate(".M.", { id: "1-1", startMs: 500 });
    const part = partOf(recording([early, late]), 400, 600);
    expect(part.isolates.map(({ id, startMs }) => [id, startMs])).toEqual([["1-1", 100]]);
    expect(part.durationMs).toBe(200);
  });
});

/** Two pauses under load, one before and one behind it. */
function loaded(fromMs: number, toMs: number): Recording {
  const whole = recording(".M.s.s.M");
  return { ...whole, workload: { ...workload({ tps: 5 }, {}), measured: { fromMs, toMs } } };
}

describe("what a workload measures", () => {
  test("is all that is compared, and that is said", () => {
    const run = runOf(loaded(45, 72));
    expect(run.metrics.find(({ metric }) => metric === "pause.count")?.value).toBe(2);
    expect(run.metrics.find(({ metric }) => metric === "pause.max")?.value).toBe(2);
    expect(run.durationMs).toBe(27);
    const { warnings } = comparisonOf({ a: [loaded(45, 72)], b: [recording(".s")] }).comparison;
    expect(warnings.find(({ code }) => code === "measured-part")?.message).toMatch(/of a, are left out/);
  });

  test("is the recording where it has no length, or lies outside", () => {
    for (const [from, to] of [
      [50, 50],
      [60, 50],
      [1e6, 2e6],
    ] as const) {
      const whole = loaded(from, to);
      expect(measuredPart(whole)).toBe(whole);
    }
  });
});

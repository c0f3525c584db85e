import fc from "fast-check";
import { expect, test } from "vitest";
import { IntervalBuilder, type Intervals, totalMs } from "../../../src/analysis/intervals.ts";
import { outsidePauses } from "../../../src/analysis/outside-pauses.ts";
import { phaseColumns } from "../../support/timeline.ts";

function pauses(...list: readonly (readonly [number, number])[]): Intervals {
  const builder = new IntervalBuilder();
  for (const [start, end] of list) builder.add(start, end);
  return builder.finish();
}

const span = (name: string, startMs: number, endMs: number, depth = 0) => ({
  name,
  startMs,
  durationMs: endMs - startMs,
  depth,
});

test("steps between pauses count, spans inside pauses do not", () => {
  const outside = outsidePauses(
    pauses([10, 20], [40, 50]),
    phaseColumns([
      span("V8.GC_SCAVENGER_SCAVENGE", 11, 19),
      span("V8.GC_MC_INCREMENTAL", 25, 28),
      span("V8.GC_MC_SWEEP", 30, 31),
      span("V8.GC_MC_COMPLETE_SWEEPING", 60, 62),
    ]),
  );
  expect(totalMs(outside)).toBe(6);
  expect([...outside.startMs]).toEqual([25, 30, 60]);
});

test("nested spans count once", () => {
  const outside = outsidePauses(
    pauses(),
    phaseColumns([
      span("V8.GC_MC_INCREMENTAL", 0, 10),
      span("V8.GC_MC_INCREMENTAL_EMBEDDER_TRACING", 2, 5, 1),
      span("V8.GC_MC_INCREMENTAL_EMBEDDER_PROLOGUE", 3, 4, 2),
    ]),
  );
  expect(totalMs(outside)).toBe(10);
});

test.each(["MajorGC", "MinorGC", "V8.GC_MARK_COMPACTOR", "V8.GC_MC_INCREMENTAL_START", "V8.GC_HEAP_EXTERNAL_PROLOGUE"])(
  "the margin of a pause's own bracket %s belongs to the pause",
  (name) => {
    const columns = phaseColumns([span(name, 9.5, 20.5), span("V8.GC_MC_INCREMENTAL", 21, 22)]);
    expect(totalMs(outsidePauses(pauses([10, 20]), columns))).toBe(1);
  },
);

test("a step that runs into a pause counts up to it, and so does what is nested in it", () => {
  const columns = phaseColumns([
    span("V8.GC_MC_INCREMENTAL", 5, 11),
    span("V8.GC_MC_INCREMENTAL_EMBEDDER_TRACING", 6, 11, 1),
  ]);
  expect(totalMs(outsidePauses(pauses([10, 20]), columns))).toBe(5);
});

test("V8's wrappers around its own spans and foreign spans are left out", () => {
  const columns = phaseColumns([
    span("V8.GCIncrementalMarking", 0, 30),
    span("V8.GC_MC_INCREMENTAL", 10, 12, 1),
    span("V8.DeoptimizeCode", 40, 50),
  ]);
  expect(totalMs(outsidePauses(pauses(), columns))).toBe(2);
});

test("a bracket that touches no pause is work that no collector saw as a pause", () => {
  expect(totalMs(outsidePauses(pauses([10, 20]), phaseColumns([span("MajorGC", 30, 34)])))).toBe(4);
});

const LENGTH = 60;
const NAMES = [
  "V8.GC_MC_INCREMENTAL",
  "V8.GC_MC_SWEEP",
  "MajorGC",
  "V8.GCIncrementalMarking",
  "V8.GC_MC_INCREMENTAL_START",
];

test("it is what any counted span covers, less pauses and their brackets", () => {
  const pair = fc.tuple(fc.nat(LENGTH - 10), fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(
      fc.array(pair, { maxLength: 5 }),
      fc.array(fc.tuple(pair, fc.nat(NAMES.length - 1)), { maxLength: 12 }),
      (stops, raw) => {
        const pauseList = pauses(
          ...stops.toSorted((a, b) => a[0] - b[0]).map(([start, length]) => [start, start + length] as const),
        );
        const spans = raw.map(([[start, length], name]) => span(NAMES[name] ?? "", start, start + length));
        const cells = Array.from({ length: LENGTH }, () => false);
        for (const { name, startMs, durationMs } of spans) {
          if (name.startsWith("V8.GC_") || name === "MajorGC") cells.fill(true, startMs, startMs + durationMs);
        }
        for (let i = 0; i < pauseList.count; i++) {
          const from = pauseList.startMs[i] ?? 0;
          const to = pauseList.endMs[i] ?? 0;
          cells.fill(false, from, to);
          for (const { name, startMs, durationMs } of spans) {
            const isStep = name === "V8.GC_MC_INCREMENTAL" || name === "V8.GCIncrementalMarking";
            const overlaps = startMs < to && startMs + durationMs > from;
            if (!isStep && overlaps) cells.fill(false, startMs, startMs + durationMs);
          }
        }
        expect(totalMs(outsidePauses(pauseList, phaseColumns(spans)))).toBe(cells.filter(Boolean).length);
      },
    ),
    { numRuns: 1000 },
  );
});

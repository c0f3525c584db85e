import { expect, test } from "vitest";
import { spikeFacts } from "../../../src/analysis/causes/facts.ts";
import { GcHistory } from "../../../src/analysis/gc-history.ts";
import { spacedIsolate } from "../../support/spaced-isolate.ts";

const MIB = 1024 ** 2;

test("a run of steps that goes on into the next marking is about what led to its first collection", () => {
  const one = spacedIsolate([
    ["mark-compact", [0, 40, 0, 20]],
    ["scavenge", [16, 60, 4, 70]],
    ["mark-compact", [2, 90, 0, 25]],
    ["mark-compact", [2, 30, 0, 25]],
  ]);
  const steps = (fromMs: number, toMs: number) => {
    const intervals = { count: 1, startMs: Float64Array.of(fromMs), endMs: Float64Array.of(toMs) };
    const stop = {
      kind: "incremental-steps" as const,
      pause: -1,
      intervals,
      startMs: fromMs,
      durationMs: toMs - fromMs,
    };
    const facts = spikeFacts({ isolate: one, history: new GcHistory(one), others: [], process: null }, stop, {
      spikeMs: 10,
      pageFaultNs: null,
    });
    return [facts.collections, (facts.since?.old ?? 0) / MIB, (facts.before?.old ?? 0) / MIB];
  };
  expect(steps(110, 150)).toEqual([1, 20, 70]);
  expect(steps(150, 250)).toEqual([2, 20, 90]);
  expect(steps(150, 350)).toEqual([3, 20, 90]);
});

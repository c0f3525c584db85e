import fc from "fast-check";
import { expect, test } from "vitest";
import { tagLanes } from "../../../src/analysis/tag-lanes.ts";
import { isolate, type TagSpec, tagColumns } from "../../support/timeline.ts";

const minute = (tags: readonly TagSpec[]) => isolate("-".repeat(600), { tags: tagColumns(tags) });
const every = (stepMs: number, fromMs = 0, toMs = 60_000): readonly number[] =>
  Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, i) => fromMs + i * stepMs);

test("tags that come before spikes stand first, those that come always do not stand there", () => {
  const program = minute([
    { name: "GET /health", at: every(100) },
    { name: "GET /report", at: [5000, ...every(500, 17_000, 20_000), ...every(500, 47_000, 50_000)] },
    { name: "export", at: [3000, 19_000, 49_000] },
    { name: "elsewhere", at: every(100, 30_000, 40_000) },
  ]);
  expect(tagLanes(program, [50_000, 20_000]).map(({ name }) => name)).toEqual(["GET /report", "export"]);
});

test("a lane is the rate over the last 5 s, as far as there are as many", () => {
  const [lane] = tagLanes(minute([{ name: "a", at: [500, 18_000, 18_100, 18_200, 19_000], weight: 2 }]), [20_000]);
  expect(lane?.usual).toBeCloseTo(10 / 60, 9);
  expect(lane?.rate.length).toBe(60);
  expect([...(lane?.rate.subarray(0, 6) ?? [])]).toEqual([2, 1, 2 / 3, 0.5, 0.4, 0]);
  expect([...(lane?.rate.subarray(17, 25) ?? [])]).toEqual([0, 1.2, 1.6, 1.6, 1.6, 1.6, 0.4, 0]);
});

test("at most five, none without tags or without a spike", () => {
  const names = Array.from({ length: 9 }, (_, i) => ({ name: `tag ${i}`, at: [1000, ...every(100, 18_000, 20_000)] }));
  expect(tagLanes(minute(names), [20_000]).map(({ name }) => name)).toEqual([0, 1, 2, 3, 4].map((i) => `tag ${i}`));
  expect(tagLanes(minute(names), [])).toEqual([]);
  expect(tagLanes(isolate("---"), [100])).toEqual([]);
});

test("every tag counts once however many spikes follow it: the lanes do not change with a spike told twice", () => {
  const specs = fc.array(
    fc.record({
      name: fc.constantFrom("a", "b", "c"),
      at: fc.array(fc.nat(59_999), { minLength: 1, maxLength: 20 }),
      weight: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(specs, fc.array(fc.nat(59_999), { minLength: 1, maxLength: 10 }), (tags, spikes) => {
      const once = tagLanes(minute(tags), spikes);
      expect(tagLanes(minute(tags), [...spikes, ...spikes].reverse())).toEqual(once);
    }),
  );
});

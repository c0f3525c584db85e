import { expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import { countSeconds } from "../../../src/analysis/seconds.ts";
import type { Recording } from "../../../src/recording/model.ts";
import { buildView } from "../../../src/report/view.ts";
import type { IsolateView, ReportView } from "../../../src/report/view-model.ts";
import { allocations, isolate, pauseColumns, recording, tagColumns } from "../../support/timeline.ts";

const SPIKE = { spikeMs: 10 };
const viewOf = (one: Recording): ReportView => buildView(one, analyse(one, SPIKE));

function only(view: ReportView): IsolateView {
  const [first] = view.isolates;
  if (first === undefined) throw new Error("the view has no isolate");
  return first;
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

test("GC work in buckets adds up to pauses and steps", () => {
  const view = viewOf(recording("-s.i.===.M--"));
  const { gcWork } = only(view);
  expect(gcWork.insideMs.length).toBe(Math.ceil(view.report.recording.durationMs / gcWork.bucketMs));
  expect(sum(gcWork.insideMs)).toBeCloseTo(33, 6);
  expect(sum(gcWork.outsideMs ?? [])).toBeCloseTo(9, 6);
  expect(Math.max(...gcWork.insideMs)).toBeLessThanOrEqual(gcWork.bucketMs);
});

test("a long recording has at most 2,000 buckets, one without phases none for work outside pauses", () => {
  const { gcWork } = only(viewOf(recording([isolate(`${"-".repeat(1000)}s`, { phases: false })])));
  expect(gcWork.insideMs.length).toBeLessThanOrEqual(2000);
  expect(gcWork.outsideMs).toBeNull();
});

test("the heap has a point before and after every pause among its samples, in order", () => {
  const { heapUsed } = only(viewOf(recording("-s-M-")));
  const MIB = 1024 ** 2;
  expect([...heapUsed.timeMs]).toEqual([0, 100, 102, 200, 202, 232, 300]);
  expect([...heapUsed.value].map((bytes) => Math.round(bytes / MIB))).toEqual([10, 20, 15, 25, 25, 10, 17]);
});

test("the percentile curve rises from the shortest pause to the worst", () => {
  const pauses = pauseColumns(
    Array.from({ length: 1000 }, (_, i) => ({ kind: "scavenge", startMs: i * 10, durationMs: (i + 1) / 1000 })),
  );
  const { percentiles } = only(viewOf(recording([{ ...isolate("."), pauses }])));
  expect(percentiles[0]).toEqual({ q: 0, ms: 0.001 });
  expect(percentiles.at(-1)).toEqual({ q: 1, ms: 1 });
  for (const q of [0.9, 0.99]) {
    expect(percentiles.find((point) => Math.abs(point.q - q) < 1e-9)?.ms).toBe(q);
  }
  const values = percentiles.map(({ ms }) => ms);
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(percentiles.length).toBeLessThan(300);
});

test("the histogram counts every pause once, in the bucket that holds its length, by kind", () => {
  const { histogram } = only(viewOf(recording([isolate("s.s.M.w.", { durationMs: { 1: 0 } })])));
  expect(histogram.flatMap(({ countByKind }) => sum(countByKind)).reduce((a, b) => a + b)).toBe(4);
  const of = (kind: number, ms: number) =>
    histogram.some(({ fromMs, toMs, countByKind }) => fromMs <= ms && ms < toMs && (countByKind[kind] ?? 0) > 0);
  expect([of(0, 2), of(2, 30), of(4, 0.5)]).toEqual([true, true, true]);
  expect(histogram[0]?.countByKind).toEqual([1, 0, 0, 0, 0]);
});

test("allocation stacks stand root first, and the sites are those of all isolates", () => {
  const first = allocations([{ stack: "(root) > main@src/a.js:1 > parse@src/b.js:20", bytes: [300] }]);
  const second = allocations([
    { stack: "(root) > parse@src/b.js:20", bytes: [500] },
    { stack: "(root) > draw@src/c.js:7", bytes: [200] },
  ]);
  const view = viewOf(
    recording([isolate("-s", { allocations: first }), isolate("-s", { threadId: 1, allocations: second })]),
  );
  const shown = only(view).allocations;
  expect(shown?.stacks[0]?.map((index) => shown.frames[index]?.name)).toEqual(["(root)", "main", "parse"]);
  expect(shown?.frames.map(({ location }) => location).toSorted()).toEqual(["", "src/a.js:1", "src/b.js:20"]);
  expect(shown?.windows[0]).toMatchObject({ bytes: 300, stacks: [{ stack: 0, bytes: 300 }] });
  expect(view.sites.map(({ function: name, bytes, share }) => [name, bytes, share])).toEqual([
    ["parse", 800, 0.8],
    ["draw", 200, 0.2],
  ]);
});

test("the title is the folder's name", () => {
  expect(viewOf(recording("-", { path: "/tmp/runs/orders.gcspike/" })).title).toBe("orders.gcspike");
});

test("a recording without pauses or samples has empty series", () => {
  const view = only(viewOf(recording("")));
  expect([view.percentiles, view.histogram, [...view.heapUsed.timeMs]]).toEqual([[], [], []]);
});

test("seconds are marked by the thresholds, and tags before an isolate's own spikes have lanes", () => {
  const tags = tagColumns([{ name: "GET /report", at: [28_000, 28_500, 29_500] }]);
  const told = recording([
    isolate(`${"-".repeat(300)}M${"-".repeat(100)}`, { tags }),
    isolate("-".repeat(400), { threadId: 1, tags }),
  ]);
  const growthBytes = 20 * 1024 ** 2;
  const view = buildView(told, analyse(told, { ...SPIKE, growthBytes, p99Ms: 31 }));
  expect(view.report.thresholds).toEqual({ ...SPIKE, growthBytes, p99Ms: 31 });
  // By default a P99 is marked that is as long as a spike.
  expect(viewOf(told).report.isolates[0]?.seconds.slow).toBe(10);
  expect(view.report.isolates[0]?.seconds.slow).toBe(0);
  expect(view.isolates.map(({ tagLanes }) => tagLanes.map(({ name }) => name))).toEqual([["GET /report"], []]);
  for (const [i, { seconds }] of view.isolates.entries()) {
    expect(countSeconds(seconds)).toEqual(view.report.isolates[i]?.seconds);
  }
  expect(view.report.isolates[1]?.seconds).toEqual({ all: 40, bursts: 0, growing: 40, slow: 0 });
});

import { describe, expect, test } from "vitest";
import { heapSeries } from "../../../src/analysis/heap-series.ts";
import { exportFirefox } from "../../../src/export/firefox.ts";
import { EXPORT_STORIES, exportInput, pauseTotals } from "../../support/exported.ts";

type Table = { readonly length: number } & Readonly<Record<string, readonly unknown[]>>;

const decode = (story: string) =>
  JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(exportFirefox(exportInput(story))));

/** The columns that version 48 of the processed profile format has, by table. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  samples: ["stack", "time"],
  markers: ["category", "data", "endTime", "name", "phase", "startTime"],
  stackTable: ["category", "frame", "prefix", "subcategory"],
  frameTable: [
    "address",
    "category",
    "column",
    "func",
    "implementation",
    "inlineDepth",
    "innerWindowID",
    "line",
    "nativeSymbol",
    "subcategory",
  ],
  funcTable: ["columnNumber", "fileName", "isJS", "lineNumber", "name", "relevantForJS", "resource"],
  resourceTable: ["host", "lib", "name", "type"],
  nativeSymbols: ["address", "functionSize", "libIndex", "name"],
};

describe.each(Object.keys(EXPORT_STORIES))("the story %s", (story) => {
  const profile = decode(story);

  test("tables have their columns, equally long, and indices that are there", () => {
    expect(profile.meta.preprocessedProfileVersion).toBe(48);
    for (const thread of profile.threads) {
      for (const [name, columns] of Object.entries(COLUMNS)) {
        const table: Table = thread[name];
        const lists = Object.entries(table).filter(([, value]) => Array.isArray(value));
        expect(lists.map(([column]) => column).sort(), name).toEqual(columns);
        for (const [column, list] of lists) expect(list, `${name}.${column}`).toHaveLength(table.length);
      }
      const within = (list: readonly (number | null)[], length: number) =>
        list.every((index) => index === null || (index >= -1 && index < length));
      const { stackTable, frameTable, funcTable, stringArray, markers, nativeAllocations } = thread;
      expect(within(stackTable.frame, frameTable.length)).toBe(true);
      expect(within(stackTable.prefix, stackTable.length)).toBe(true);
      expect(within(frameTable.func, funcTable.length)).toBe(true);
      expect(within(funcTable.name, stringArray.length)).toBe(true);
      expect(within(funcTable.fileName, stringArray.length)).toBe(true);
      expect(within(markers.name, stringArray.length)).toBe(true);
      if (nativeAllocations !== undefined) expect(within(nativeAllocations.stack, stackTable.length)).toBe(true);
      expect([...markers.startTime].sort((a, b) => a - b)).toEqual(markers.startTime);
    }
  });

  test("pauses are markers, add up to the report, and their data is described", () => {
    const schemas = new Map(
      profile.meta.markerSchema.map(({ name, data }: { name: string; data: readonly { key: string }[] }) => [
        name,
        data.map(({ key }) => key),
      ]),
    );
    let count = 0;
    let totalMs = 0;
    for (const { markers } of profile.threads) {
      for (const [i, { type, ...data }] of markers.data.entries()) {
        expect(schemas.get(type)).toEqual(expect.arrayContaining(Object.keys(data)));
        // The profiler takes these for a backtrace and a thread.
        for (const taken of ["cause", "stack", "category", "threadId"]) expect(data).not.toHaveProperty(taken);
        if (type !== "gcspike-pause") continue;
        count++;
        totalMs += markers.endTime[i] - markers.startTime[i];
      }
    }
    expect(count).toBe(pauseTotals(exportInput(story)).count);
    expect(totalMs).toBeCloseTo(pauseTotals(exportInput(story)).totalMs, 6);
  });
});

test("what objects add and give back leaves what is alive", () => {
  const { threads, counters } = decode("everything");
  const { weight, memoryAddress, time } = threads[0].nativeAllocations;
  const alive = new Map<number, number>();
  for (const [i, address] of memoryAddress.entries()) alive.set(address, (alive.get(address) ?? 0) + weight[i]);
  const bytes = [...alive.values()].reduce((sum, one) => sum + one, 0);
  const [isolate] = exportInput("everything").recording.isolates;
  const heap = isolate?.samples?.heap;
  const expected = heap?.bytes.reduce(
    (sum, one, i) => sum + (heap.diedMs[i] === Number.POSITIVE_INFINITY ? Math.round(one) : 0),
    0,
  );
  expect(bytes).toBe(expected);
  expect([...time].sort((a: number, b: number) => a - b)).toEqual(time);
  expect(counters.map(({ name }: { name: string }) => name)).toContain("used heap of main");
  const used = counters.find(({ name }: { name: string }) => name === "used heap of main");
  const last = isolate === undefined ? Number.NaN : heapSeries(isolate, "used").value.at(-1);
  expect(used.samples.count.reduce((sum: number, one: number) => sum + one, 0)).toBeCloseTo(last ?? Number.NaN, 0);
});

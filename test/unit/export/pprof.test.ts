import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { describe, expect, test } from "vitest";
import { exportPprof } from "../../../src/export/pprof.ts";
import { allocatedBytes, EXPORT_STORIES, exportInput, pauseTotals } from "../../support/exported.ts";

function decode(bytes: Uint8Array) {
  const profile = Profile.decode(gunzipSync(bytes));
  const text = (index: number | bigint) => profile.stringTable.strings[Number(index)] ?? "";
  const types = profile.sampleType.map(({ type }) => text(type));
  const names = new Map(profile.function.map(({ id, name }) => [Number(id), text(name)]));
  const locations = new Map(
    profile.location.map(({ id, line }) => [Number(id), names.get(Number(line[0]?.functionId))]),
  );
  const rows = profile.sample.map(({ locationId, value, label }) => ({
    stack: locationId.map((id) => locations.get(Number(id))),
    value: value.map(Number),
    label: Object.fromEntries(
      label.map(({ key, str, num }) => [text(key), Number(str) === 0 ? Number(num) : text(str)]),
    ),
  }));
  const sum = (type: string) =>
    rows.reduce((total, { value }) => total + (value[types.indexOf(type)] ?? Number.NaN), 0);
  return { profile, types, rows, sum, defaultType: text(profile.defaultSampleType) };
}

describe.each(Object.keys(EXPORT_STORIES))("the story %s", (story) => {
  const input = exportInput(story);

  test("allocations add up to those of the recording", () => {
    const { sum, defaultType } = decode(exportPprof(input, "heap"));
    expect(Math.abs(sum("alloc_space") - allocatedBytes(input))).toBeLessThanOrEqual(1);
    expect(defaultType).toBe("alloc_space");
  });

  test("pauses add up to those of the report, to the nanosecond", () => {
    const { sum } = decode(exportPprof(input, "pauses"));
    const { count, totalMs } = pauseTotals(input);
    expect(sum("pauses")).toBe(count);
    expect(Math.abs(sum("pause_time") - totalMs * 1e6)).toBeLessThanOrEqual(1);
  });

  test("is the same each time", () => {
    for (const profile of ["heap", "pauses"] as const) {
      expect(Buffer.compare(exportPprof(input, profile), exportPprof(exportInput(story), profile))).toBe(0);
    }
  });
});

describe("objects", () => {
  const { types, rows, sum } = decode(exportPprof(exportInput("everything"), "heap"));

  test("what no collection found dead is in use, and Buffers stand apart", () => {
    expect(types).toEqual([
      "alloc_objects",
      "alloc_space",
      "inuse_objects",
      "inuse_space",
      "buffer_space",
      "buffer_inuse_space",
    ]);
    const [isolate] = exportInput("everything").recording.isolates;
    const total = (which: "heap" | "buffers", isChosen: (diedMs: number) => boolean) => {
      const columns = isolate?.samples?.[which];
      return columns?.bytes.reduce((of, bytes, i) => of + (isChosen(columns.diedMs[i] ?? 0) ? bytes : 0), 0) ?? 0;
    };
    const isAlive = (diedMs: number) => diedMs === Number.POSITIVE_INFINITY;
    expect(Math.abs(sum("inuse_space") - total("heap", isAlive))).toBeLessThanOrEqual(1);
    expect(sum("inuse_space")).toBeLessThan(sum("alloc_space") / 2);
    expect(sum("buffer_space")).toBe(total("buffers", () => true));
    expect(sum("buffer_inuse_space")).toBe(0);
  });

  test("each is of a window, and of an isolate", () => {
    for (const { label } of rows) {
      expect(label).toMatchObject({ isolate: "main" });
      expect(Number(label.window_start_ms) % 1000).toBe(0);
    }
    expect(rows[0]?.stack).toEqual(["parse", "handle", "listen", "(root)"]);
  });

  test("where deaths are not known nothing is said to be in use", () => {
    expect(decode(exportPprof(exportInput("server"), "heap")).types).toEqual(["alloc_objects", "alloc_space"]);
  });
});

describe("pauses", () => {
  const { rows } = decode(exportPprof(exportInput("everything"), "pauses"));

  test("a spike's time goes to the stacks that its verdict is about, and says its cause", () => {
    const input = exportInput("everything");
    const spike = input.report.spikes.find(({ sites }) => sites.length > 1);
    const own = rows.filter(({ label }) => label.spike === spike?.id);
    expect(own[0]?.label).toMatchObject({ cause: spike?.cause, kind: spike?.kind, isolate: "main" });
    const total = own.reduce((sum, { value }) => sum + (value[1] ?? 0), 0);
    expect(Math.abs(total - (spike?.durationMs ?? 0) * 1e6)).toBeLessThan(10);
    for (const site of spike?.sites ?? []) {
      const of = own.filter(({ stack }) => stack.find((name) => name === site.function));
      expect(of.reduce((sum, { value }) => sum + (value[1] ?? 0), 0) / total).toBeGreaterThan(site.share - 0.01);
    }
  });

  test("of which nothing is known stands there all the same", () => {
    const child = rows.filter(({ label }) => label.isolate === "child.js");
    expect(child.map(({ stack, value }) => [stack, value])).toEqual([[["(not known)"], [1, 2e6]]]);
  });
});

test("names are printable, whatever the program called them", () => {
  const { profile } = decode(exportPprof(exportInput("hostile"), "heap"));
  for (const text of profile.stringTable.strings) expect(text).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u);
});

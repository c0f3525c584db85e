import { describe, expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import type { SpikeFacts } from "../../../src/analysis/causes/facts.ts";
import { GcHistory } from "../../../src/analysis/gc-history.ts";
import { rankSites, siteOfStack, tallySites } from "../../../src/analysis/sites.ts";
import { SpikeSites } from "../../../src/analysis/spike-sites.ts";
import { bytesByStack, type Selection, selectWindows, widened } from "../../../src/analysis/stack-bytes.ts";
import { allocations, isolate, recording, type SampleSpec, samples } from "../../support/timeline.ts";

const MIB = 1024 ** 2;
const from = (name: string): string => `main@src/main.js:1 > ${name}@src/${name}.js:7`;
const HEAP = { measure: "allocated", of: "heap", aliveMs: null, leastBytes: 0 } as const;

/** So many of the kind that one by one, they are no chance; a tenth of a millisecond between them. */
const MANY = 25;
const many = (spec: SampleSpec): readonly SampleSpec[] =>
  Array.from({ length: MANY }, (_, i) => ({ ...spec, bornMs: spec.bornMs + i / 10, bytes: spec.bytes / MANY }));

describe("what became of sampled objects", () => {
  const sitesOf = (sampled: ReturnType<typeof samples>, selection: Selection, scavengeMs: Float64Array) => {
    const bytes = bytesByStack(sampled, widened(sampled, selection, scavengeMs), scavengeMs);
    const tally = tallySites(bytes, siteOfStack(sampled.allocations));
    return rankSites(tally, selection.measure, true).map((site) => site.function);
  };

  test("where there are few of them, those of the time before count too", () => {
    const rare = samples([
      ...many({ stack: from("usual"), bornMs: 5000, bytes: 50 * MIB }),
      ...many({ stack: from("waste"), bornMs: 5000, diedMs: 5010, bytes: 50 * MIB }),
      { stack: from("chance"), bornMs: 5050, bytes: 2 * MIB },
    ]);
    const selection: Selection = { ...HEAP, measure: "survived", fromMs: 5045, toMs: 5060, aliveMs: 5060 };
    expect(sitesOf(rare, selection, Float64Array.of(5010, 5060))).toEqual(["usual", "chance"]);
    expect(widened(rare, { ...selection, fromMs: 4999 }, new Float64Array()).fromMs).toBe(4999);
  });

  test("what passed through the old generation lived through the first young collection that it met", () => {
    const passing = samples([
      ...many({ stack: from("session"), bornMs: 5, diedMs: 90, bytes: 30 * MIB }),
      ...many({ stack: from("waste"), bornMs: 5, diedMs: 20, bytes: 60 * MIB }),
      ...many({ stack: from("new"), bornMs: 85, diedMs: 90, bytes: 10 * MIB }),
    ]);
    const selection: Selection = { ...HEAP, measure: "survived", fromMs: 0, toMs: 90, aliveMs: "young" };
    expect(sitesOf(passing, selection, Float64Array.of(20, 80))).toEqual(["session"]);
  });
});

describe("sites by sampled objects", () => {
  const sampled = samples([
    { stack: from("waste"), bornMs: 10, diedMs: 20, bytes: 70 * MIB, objects: 1000 },
    { stack: from("keep"), bornMs: 11, bytes: 20 * MIB, objects: 500 },
    { stack: from("late"), bornMs: 30, bytes: 50 * MIB },
    { stack: from("early"), bornMs: 1, bytes: 90 * MIB, objects: 9000 },
  ]);
  const sites = (selection: Selection) =>
    rankSites(
      tallySites(bytesByStack(sampled, selection), siteOfStack(sampled.allocations)),
      selection.measure,
      true,
    ).map((site) => [site.function, site.share]);

  test("what survived is what was born in the time and did not die by then", () => {
    expect(sites({ ...HEAP, fromMs: 5, toMs: 20, aliveMs: 20, measure: "survived" })).toEqual([["keep", 1]]);
    expect(sites({ ...HEAP, fromMs: 5, toMs: 20 })).toEqual([
      ["waste", 70 / 90],
      ["keep", 20 / 90],
    ]);
  });

  test("large objects are told from many small ones", () => {
    expect(sites({ ...HEAP, fromMs: 0, toMs: 40, leastBytes: MIB })).toEqual([["late", 1]]);
  });

  test("there are none of what was not sampled", () => {
    expect(sites({ ...HEAP, fromMs: 100, toMs: 200 })).toEqual([]);
    expect(sites({ ...HEAP, fromMs: 0, toMs: 200, of: "buffers", measure: "external" })).toEqual([]);
  });
});

describe("windows", () => {
  const windows = allocations([{ stack: from("make"), bytes: [1, 10, 100, 1000] }]);

  test("are those that end at or after a moment and begin before another, whole", () => {
    const selection = selectWindows(windows, 1000, 2001);
    expect(selection).toEqual({ ...HEAP, of: "windows", fromMs: 0, toMs: 3000 });
    if (selection === null) throw new Error("no windows");
    expect([...bytesByStack({ allocations: windows, samples: null }, selection).values()]).toEqual([111]);
  });

  test("are none behind the last one, and before the first", () => {
    expect(selectWindows(windows, 4001, 5000)).toBeNull();
    expect(selectWindows(windows, -10, 0)).toBeNull();
    expect(selectWindows(allocations([]), 0, 1000)).toBeNull();
  });
});

test.each([
  ["from the beginning on", 0],
  ["before the beginning, in a flight recorder's dump", -2000],
])("who keeps is blamed for a full collection, not who allocates: %s", (_, keptFromMs) => {
  const sampled = samples([
    ...Array.from({ length: 90 }, (_, i) => ({ stack: from("parse"), bornMs: i * 10, diedMs: i * 10 + 5, bytes: MIB })),
    ...Array.from({ length: 10 }, (_, i) => ({ stack: from("remember"), bornMs: keptFromMs + i * 100, bytes: MIB })),
  ]);
  const one = isolate(`${"-".repeat(10)}M`, { samples: sampled });
  const names = ["old_space"];
  const spaces = {
    names,
    usedBefore: Uint32Array.of((60 * MIB) / 8),
    usedAfter: Uint32Array.of((50 * MIB) / 8),
    committedAfter: new Uint32Array(1),
  };
  const phases = null;
  const [spike] = analyse(recording([{ ...one, phases, pauses: { ...one.pauses, spaces } }]), { spikeMs: 10 }).spikes;
  expect(spike?.cause).toBe("old-growth");
  expect(spike?.sites.map((site) => [site.function, site.measure, site.exact, site.share])).toEqual([
    ["remember", "retained", true, 1],
  ]);
});

test("bytes are those of the time that fed the spike, also where their shares are those of a longer one", () => {
  // A scavenge in 100 ms, and 2 MiB that survive each: too few to go by.
  const sampled = samples(
    Array.from({ length: 30 }, (_, i) => ({ stack: from("remember"), bornMs: i * 51 + 10, bytes: MIB })),
  );
  const one = isolate("-s".repeat(15), { samples: sampled });
  const startMs = one.pauses.startMs[14] ?? Number.NaN;
  const spike = { kind: "scavenge", startMs, endMs: startMs + 20 } as SpikeFacts;
  const sites = new SpikeSites(one, new GcHistory(one));
  const { fromMs } = sites.behind("survivor-copy", spike) ?? expect.fail("nothing");
  expect(startMs - fromMs).toBeGreaterThan(900);
  const [site = expect.fail("no site")] = sites.of("survivor-copy", spike);
  expect(site).toMatchObject({ function: "remember", share: 1, survivedBytes: site.bytes });
  // What was new at two scavenges.
  expect((site.bytes ?? 0) / MIB).toBeCloseTo(4, 0);
});

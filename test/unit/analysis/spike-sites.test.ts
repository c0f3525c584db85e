import { describe, expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import { SampleSites } from "../../../src/analysis/sample-sites.ts";
import { isolate, recording, samples } from "../../support/timeline.ts";

const MIB = 1024 ** 2;
const from = (name: string): string => `main@src/main.js:1 > ${name}@src/${name}.js:7`;

describe("sites by sampled objects", () => {
  const sites = new SampleSites(
    samples([
      { stack: from("waste"), bornMs: 10, diedMs: 20, bytes: 70 * MIB, objects: 1000 },
      { stack: from("keep"), bornMs: 11, bytes: 20 * MIB, objects: 500 },
      { stack: from("late"), bornMs: 30, bytes: 50 * MIB },
      { stack: from("early"), bornMs: 1, bytes: 90 * MIB, objects: 9000 },
    ]),
  );
  const names = (list: ReturnType<SampleSites["ofHeap"]>) => list?.map((site) => [site.function, site.share]);

  test("what survived is what was born in the time and did not die by then", () => {
    expect(names(sites.ofHeap({ fromMs: 5, toMs: 20, aliveMs: 20 }, "survived"))).toEqual([["keep", 1]]);
    expect(names(sites.ofHeap({ fromMs: 5, toMs: 20, aliveMs: null }, "allocated"))).toEqual([
      ["waste", 70 / 90],
      ["keep", 20 / 90],
    ]);
  });

  test("large objects are told from many small ones", () => {
    const large = sites.ofHeap({ fromMs: 0, toMs: 40, aliveMs: null, leastBytes: MIB }, "allocated");
    expect(names(large)).toEqual([["late", 1]]);
  });

  test("there are none of what was not sampled", () => {
    expect(sites.ofHeap({ fromMs: 100, toMs: 200, aliveMs: null }, "allocated")).toBeNull();
    expect(sites.ofBuffers({ fromMs: 0, toMs: 200, aliveMs: null })).toBeNull();
  });
});

test("who keeps is blamed for a full collection, not who allocates", () => {
  const sampled = samples([
    ...Array.from({ length: 90 }, (_, i) => ({ stack: from("parse"), bornMs: i * 10, diedMs: i * 10 + 5, bytes: MIB })),
    ...Array.from({ length: 10 }, (_, i) => ({ stack: from("remember"), bornMs: i * 100, bytes: MIB })),
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

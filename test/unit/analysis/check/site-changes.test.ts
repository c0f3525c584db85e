import fc from "fast-check";
import { expect, test } from "vitest";
import type { SiteBytes } from "../../../../src/analysis/check/site-bytes.ts";
import { type RunSites, siteChanges } from "../../../../src/analysis/check/site-changes.ts";
import { normal, seeded } from "../../../support/random.ts";

const site = (name: string, bytes: number, line = 1): SiteBytes => ({
  function: name,
  file: "src/a.js",
  line,
  allocated: bytes,
  survived: bytes / 2,
  kept: 0,
});

const run = (...sites: SiteBytes[]): RunSites => ({ sites, scavenges: 100 });

test("who makes V8 collect more often is before those of whom each collection copies what it always did", () => {
  const before = [100, 102].map((scavenges) => ({ scavenges, sites: [site("holds", scavenges * 2e7)] }));
  const after = [120, 122].map((scavenges) => ({
    scavenges,
    sites: [site("holds", scavenges * 2e7), site("culprit", scavenges * 1e6)],
  }));
  const changes = siteChanges(before, after, "survived");
  expect(changes.map(({ function: name }) => name)).toEqual(["culprit"]);
  expect(changes[0]).toMatchObject({ baselineBytes: 0, candidateBytes: (121 * 1e6) / 2, share: 1 });
  // Of bytes that were allocated, and where nobody counted, all count as they are.
  expect(siteChanges(before, after, "allocated")[0]?.function).toBe("holds");
  const uncounted = after.map(({ sites }) => ({ sites, scavenges: 0 }));
  expect(siteChanges(before, uncounted, "survived")[0]?.function).toBe("holds");
});

test("a site is its file and function: code that moved is the same", () => {
  const [change] = siteChanges([run(site("f", 100, 10))], [run(site("f", 300, 14))], "allocated");
  expect(change).toEqual({
    function: "f",
    file: "src/a.js",
    line: 14,
    baselineBytes: 100,
    candidateBytes: 300,
    share: 1,
  });
});

test("what grew beyond chance comes before a large site that varies", () => {
  const random = seeded(1);
  for (let i = 0; i < 100; i++) {
    const runs = (culprit: number) =>
      Array.from({ length: 8 }, () =>
        run(site("large", 1e9 * (1 + 0.03 * normal(random))), site("culprit", culprit * (1 + 0.05 * normal(random)))),
      );
    expect(siteChanges(runs(2e7), runs(1.2e8), "allocated")[0]?.function).toBe("culprit");
  }
});

test("shares are of all that was added, and only what has more is listed", () => {
  const bytes = fc.nat(1000);
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, bytes), { maxLength: 15 }), (pairs) => {
      const side = (which: 0 | 1) => [run(...pairs.map((pair, n) => site(`f${n}`, pair[which])))];
      const changes = siteChanges(side(0), side(1), "allocated");
      expect(changes.length).toBe(pairs.filter(([before, after]) => after > before).length);
      for (const { baselineBytes, candidateBytes } of changes) expect(candidateBytes).toBeGreaterThan(baselineBytes);
      if (changes.length > 0) expect(changes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    }),
  );
});

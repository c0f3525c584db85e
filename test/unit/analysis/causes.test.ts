import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../../src/analysis/causes/decide.ts";
import { type MachineTime, type SpikeFacts, waitedShare, workShare } from "../../../src/analysis/causes/facts.ts";
import { RULES } from "../../../src/analysis/causes/rules.ts";
import type { HeapParts } from "../../../src/analysis/gc-history.ts";
import { GcFlag } from "../../../src/recording/spec.ts";
import { isolate } from "../../support/timeline.ts";

const MIB = 1024 ** 2;

const machine = (wallMs: number, part: Partial<MachineTime> = {}): MachineTime => ({
  wallMs,
  cpuMs: wallMs * 0.6,
  queuedMs: 0,
  stalledMs: 0,
  switches: 1,
  minorFaults: 10,
  majorFaults: 0,
  faultMs: 0.01,
  ...part,
});

const heap = (part: Partial<HeapParts> = {}): HeapParts => ({
  timeMs: 0,
  young: 0,
  youngLarge: 0,
  old: 40 * MIB,
  large: 2 * MIB,
  external: 3 * MIB,
  ...part,
});

const facts = (part: Partial<SpikeFacts>): SpikeFacts => ({
  isolate: isolate("-"),
  pause: 0,
  kind: "mark-compact",
  startMs: 20_000,
  endMs: 20_030,
  durationMs: 30,
  spikeMs: 10,
  reasons: ["finalize incremental marking via task"],
  flags: 0,
  machine: machine(30),
  phases: new Map([["V8.GC_MC_MARK", 25]]),
  before: heap(),
  after: heap(),
  usedBefore: 45 * MIB,
  usedAfter: 44 * MIB,
  heapLimit: 4096 * MIB,
  promoted: Number.NaN,
  since: heap({ timeMs: 15_000 }),
  rate: { now: 10 * MIB, usual: 9 * MIB },
  recentFulls: [],
  ...part,
});

const scavenge = (part: Partial<SpikeFacts> = {}): SpikeFacts =>
  facts({
    kind: "scavenge",
    reasons: ["task"],
    phases: new Map([["V8.GC_SCAVENGER_SCAVENGE_PARALLEL", 28]]),
    before: heap({ young: 15 * MIB }),
    after: heap({ young: 6 * MIB }),
    promoted: 5 * MIB,
    ...part,
  });

const grown = (part: Partial<HeapParts>): Partial<SpikeFacts> => ({ before: heap(part) });

describe("a cause is told by what it is about", () => {
  test.each<[string, SpikeFacts]>([
    ["survivor-copy", scavenge()],
    ["old-growth", facts(grown({ old: 90 * MIB }))],
    ["old-growth", facts({ ...grown({ old: 90 * MIB }), kind: "incremental-steps", after: null })],
    ["large-objects", facts(grown({ large: 90 * MIB }))],
    [
      "large-objects",
      scavenge({ before: heap({ young: MIB, youngLarge: 14 * MIB }), promoted: 14 * MIB, after: heap() }),
    ],
    ["external-memory", facts(grown({ external: 90 * MIB }))],
    ["external-memory", facts({ flags: GcFlag.allExternalMemory })],
    ["external-memory", facts({ reasons: ["external memory pressure"] })],
    ["explicit", facts({ flags: GcFlag.forced })],
    ["explicit", facts({ reasons: ["heap profiler"] })],
    ["explicit", scavenge({ reasons: ["testing"] })],
    [
      "heap-limit",
      facts({
        ...grown({ old: 60 * MIB }),
        usedAfter: 3800 * MIB,
        usedBefore: 3900 * MIB,
        recentFulls: [0.1, 0.05, 0.02],
      }),
    ],
    [
      "weak-processing",
      facts({ ...grown({ old: 60 * MIB }), phases: new Map([["V8.GC_MC_CLEAR_WEAK_COLLECTIONS", 22]]) }),
    ],
    [
      "weak-processing",
      scavenge({ phases: new Map([["V8.GC_SCAVENGER_SCAVENGE", 20]]), promoted: MIB, after: heap() }),
    ],
    ["compaction", facts({ ...grown({ old: 60 * MIB }), phases: new Map([["V8.GC_MC_EVACUATE_COPY", 25]]) })],
    ["allocation-burst", scavenge({ rate: { now: 200 * MIB, usual: 10 * MIB } })],
    ["descheduled", scavenge({ machine: machine(30, { cpuMs: 4, queuedMs: 25 }) })],
    ["descheduled", scavenge({ machine: machine(90, { cpuMs: 2, stalledMs: 85 }) })],
    ["page-faults", facts({ machine: machine(30, { minorFaults: 30_000, faultMs: 21 }) })],
    ["page-faults", facts({ machine: machine(30, { majorFaults: 20, stalledMs: 24, cpuMs: 3 }), since: null })],
  ])("%s", (cause, spike) => {
    const verdict = decide(spike);
    expect(verdict.cause).toBe(cause);
    expect(verdict.confidence).toBeGreaterThan(0.5);
    expect(verdict.primary?.evidence.length).toBeGreaterThan(0);
    expect(verdict.primary?.advice.length).toBeGreaterThan(0);
  });

  test("nothing is said where no signal was recorded", () => {
    const nothing = facts({
      reasons: [""],
      machine: machine(30, { cpuMs: Number.NaN, queuedMs: Number.NaN, minorFaults: Number.NaN, stalledMs: 0 }),
      phases: null,
      before: null,
      after: null,
      since: null,
      usedBefore: Number.NaN,
      usedAfter: Number.NaN,
      rate: null,
    });
    expect(decide(nothing)).toMatchObject({ cause: "unknown", confidence: 0, contributing: [] });
  });
});

describe("the machine and the code", () => {
  test("a stop that would have been a spike without waiting is the code's, and the machine contributes", () => {
    const verdict = decide(scavenge({ machine: machine(40, { cpuMs: 18, queuedMs: 20 }), durationMs: 40 }));
    expect(verdict.cause).toBe("survivor-copy");
    expect(verdict.contributing).toContain("descheduled");
  });

  test("a helper thread that works is no wait", () => {
    const verdict = decide(scavenge({ machine: machine(30, { cpuMs: 9, queuedMs: 0, stalledMs: 0 }) }));
    expect(verdict.cause).toBe("survivor-copy");
    expect(verdict.contributing).not.toContain("descheduled");
  });

  test("phases count less the more of the stop was waiting", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 100, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (wall, part) => {
          const quiet = machine(wall);
          const busy = machine(wall, { queuedMs: wall * part });
          expect(workShare(wall / 2, busy)).toBeLessThanOrEqual(workShare(wall / 2, quiet) + 1e-9);
          expect(waitedShare(busy)).toBeCloseTo(part, 9);
        },
      ),
    );
  });
});

test("contributing causes are those that also count, best first, never the primary one", () => {
  const verdict = decide(facts({ ...grown({ old: 70 * MIB, large: 30 * MIB }) }));
  expect(verdict.cause).toBe("old-growth");
  expect(verdict.contributing).toEqual(["large-objects"]);
  expect(verdict.judgements).toHaveLength(2);
});

test("doubt shows in the confidence", () => {
  const clear = decide(facts(grown({ old: 90 * MIB })));
  const close = decide(facts(grown({ old: 70 * MIB, large: 28 * MIB })));
  expect(close.confidence).toBeLessThan(clear.confidence);
});

test("whatever the numbers, scores and confidences are shares and texts have no NaN", () => {
  const size = fc.oneof(fc.constant(Number.NaN), fc.double({ min: 0, max: 2 ** 40, noNaN: true }));
  const parts = fc.option(
    fc.record({ timeMs: fc.nat(1e6), young: size, youngLarge: size, old: size, large: size, external: size }),
  );
  const any = fc.record({
    kind: fc.constantFrom(
      "scavenge" as const,
      "mark-compact" as const,
      "incremental-steps" as const,
      "weak-callbacks" as const,
    ),
    flags: fc.nat(127),
    before: parts,
    after: parts,
    since: parts,
    promoted: size,
    usedBefore: size,
    usedAfter: size,
    heapLimit: size,
    rate: fc.option(
      fc.record({
        now: fc.double({ min: 0, max: 1e12, noNaN: true }),
        usual: fc.double({ min: 0, max: 1e12, noNaN: true }),
      }),
    ),
    recentFulls: fc.array(size, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(any, (part) => {
      for (const { judge } of RULES) {
        const judgement = judge(facts(part));
        if (judgement === null) continue;
        expect(judgement.score).toBeGreaterThanOrEqual(0);
        expect(judgement.score).toBeLessThanOrEqual(1);
        expect(judgement.certainty).toBeLessThanOrEqual(1);
        const texts = [
          judgement.why,
          ...judgement.evidence.map(({ text }) => text),
          ...judgement.advice.map(({ text }) => text),
        ];
        expect(texts.join(" ")).not.toMatch(/NaN|Infinity|undefined/);
      }
      const { confidence } = decide(facts(part));
      expect(confidence).toBeGreaterThanOrEqual(0);
      expect(confidence).toBeLessThanOrEqual(1);
    }),
    { numRuns: 2000 },
  );
});

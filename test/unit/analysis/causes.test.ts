import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../../src/analysis/causes/decide.ts";
import { isMemoryReducer, type SpikeFacts } from "../../../src/analysis/causes/facts.ts";
import {
  faultShare,
  type MachineTime,
  machineTime,
  waitedShare,
  workShare,
} from "../../../src/analysis/causes/machine-time.ts";
import { RULES } from "../../../src/analysis/causes/rules.ts";
import type { HeapParts } from "../../../src/analysis/gc-history.ts";
import type { IsolateData, ProcessColumns } from "../../../src/recording/model.ts";
import { GcFlag } from "../../../src/recording/spec.ts";
import { isolate, type PauseSpec, pauseColumns } from "../../support/timeline.ts";

const MIB = 1024 ** 2;

const machine = (wallMs: number, part: Partial<MachineTime> = {}): MachineTime => ({
  wallMs,
  cpuMs: wallMs * 0.6,
  queuedMs: 0,
  helpersMs: wallMs,
  keptMs: part.queuedMs ?? 0,
  guessedMs: 0,
  safepointMs: 0,
  diskMs: 0,
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
  kind: "mark-compact",
  startMs: 20_000,
  endMs: 20_030,
  ageMs: 20_000,
  durationMs: 30,
  spikeMs: 10,
  reasons: ["finalize incremental marking via task"],
  flags: 0,
  machine: machine(30),
  phases: new Map([["V8.GC_MC_MARK", 25]]),
  collections: 1,
  before: heap(),
  after: heap(),
  usedBefore: 45 * MIB,
  usedAfter: 44 * MIB,
  heapLimit: 4096 * MIB,
  freed: 1 / 45,
  promoted: Number.NaN,
  youngAlive: 0,
  diedOld: 0.1,
  survivedAgain: null,
  since: heap({ timeMs: 15_000 }),
  rate: { now: 10 * MIB, usual: 9 * MIB },
  recentFulls: [],
  semiSpaceBytes: 16 * MIB,
  trigger: null,
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

/** V8's flags where external memory grew past its limit. */
const PRESSURE = GcFlag.allExternalMemory | GcFlag.synchronousPhantomCallbacks;

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
    ["external-memory", facts({ flags: PRESSURE })],
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
      scavenge({
        phases: new Map([["V8.GC_SCAVENGER_SCAVENGE", 20]]),
        machine: machine(30, { cpuMs: 29 }),
        promoted: MIB,
        after: heap(),
      }),
    ],
    ["compaction", facts({ ...grown({ old: 60 * MIB }), phases: new Map([["V8.GC_MC_EVACUATE_COPY", 25]]) })],
    ["allocation-burst", scavenge({ rate: { now: 200 * MIB, usual: 10 * MIB } })],
    ["allocation-burst", facts({ ...grown({ old: 90 * MIB }), rate: { now: 200 * MIB, usual: 10 * MIB } })],
    ["descheduled", scavenge({ machine: machine(30, { cpuMs: 4, queuedMs: 25 }) })],
    ["descheduled", scavenge({ machine: machine(90, { cpuMs: 2, keptMs: 85 }) })],
    ["page-faults", facts({ machine: machine(30, { minorFaults: 30_000, faultMs: 21 }) })],
    ["page-faults", facts({ machine: machine(30, { majorFaults: 20, diskMs: 24, cpuMs: 3 }), since: null })],
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
      machine: machine(30, { cpuMs: Number.NaN, queuedMs: Number.NaN, minorFaults: Number.NaN, keptMs: 0 }),
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

describe("pages of large objects", () => {
  const long = { durationMs: 30, rate: null };

  test("that are given back in a scavenge make it long, however few were new", () => {
    const phases = new Map([["V8.GC_HEAP_PROLOGUE", 26]]);
    const verdict = decide(
      scavenge({ ...long, phases, before: heap({ young: 10 * MIB }), promoted: 0, after: heap() }),
    );
    expect(verdict).toMatchObject({ cause: "large-objects", contributing: [] });
    expect(verdict.primary?.why).toMatch(/^giving back the pages/);
  });

  test("are what the end of a full collection is about as far as what it freed was large", () => {
    const phases = new Map([["V8.GC_MC_FINISH", 26]]);
    const freed = (large: number) => {
      const part = { before: heap({ large }), after: heap({ large: 0 }), usedBefore: 100 * MIB, usedAfter: 40 * MIB };
      return decide(facts({ ...long, ...part, phases, since: heap({ large }) })).cause;
    };
    expect(freed(60 * MIB)).toBe("large-objects");
    expect(freed(6 * MIB)).toBe("unknown");
  });
});

describe("what fills the old generation", () => {
  const filled = (diedOld: number) => decide(facts({ ...grown({ old: 90 * MIB }), diedOld }));

  test("and stays there is growth; what survived young collections and died soon after is about surviving", () => {
    expect(filled(0.1)).toMatchObject({ cause: "old-growth", contributing: [] });
    expect(filled(1)).toMatchObject({ cause: "survivor-copy", contributing: ["old-growth"] });
    expect(filled(Number.NaN).cause).toBe("old-growth");
  });

  test("beside a leak may be much that a small young generation promotes and that dies soon", () => {
    expect(filled(0.8)).toMatchObject({ cause: "old-growth" });
  });
});

describe("a cause is not told by what has nothing to do with it", () => {
  const causesOf = (spike: SpikeFacts) => {
    const { cause, contributing } = decide(spike);
    return [cause, ...contributing];
  };

  test("V8 collects a calm program in order to give memory back: neither growth nor external memory made it", () => {
    const calm = facts({ ...grown({ old: 60 * MIB, external: 20 * MIB }), flags: GcFlag.allExternalMemory });
    expect(isMemoryReducer(calm)).toBe(true);
    expect(causesOf(calm)).toEqual(["unknown"]);
    expect(isMemoryReducer(facts({ flags: PRESSURE }))).toBe(false);
    expect(isMemoryReducer(scavenge({ flags: GcFlag.allExternalMemory }))).toBe(false);
  });

  test("V8 does not collect for a MiB of growth", () => {
    expect(causesOf(facts(grown({ old: 40.8 * MIB })))).toEqual(["unknown"]);
  });

  test("a small heap is not what makes a collection long", () => {
    const small = { usedBefore: 7 * MIB, usedAfter: 5 * MIB, since: heap({ old: 0, large: 0, external: 0 }) };
    const long = facts({ ...small, before: heap({ old: 6 * MIB }), machine: machine(120), durationMs: 120 });
    expect(causesOf(long)).toEqual(["unknown"]);
    expect(causesOf({ ...long, machine: machine(12), durationMs: 12 })[0]).toBe("old-growth");
  });

  test("a burst of garbage does not make a young collection long", () => {
    const rate = { now: 200 * MIB, usual: MIB };
    const verdict = decide(scavenge({ rate, promoted: 0, after: heap({ young: 0.2 * MIB }) }));
    expect(verdict.cause).toBe("unknown");
  });

  test("what is young and alive is moved, fragmented or not", () => {
    const phases = new Map([["V8.GC_MC_EVACUATE_COPY", 16]]);
    const grew = { ...grown({ old: 60 * MIB }), phases };
    expect(causesOf(facts(grew))[0]).toBe("compaction");
    expect(causesOf(facts({ ...grew, youngAlive: 8 * MIB }))).toEqual(["old-growth"]);
  });

  test("strings and maps that are cleared are no weak references", () => {
    const phases = new Map([
      ["V8.GC_MC_CLEAR_STRING_TABLE", 12],
      ["V8.GC_MC_CLEAR_MAPS", 12],
    ]);
    expect(causesOf(facts({ ...grown({ old: 60 * MIB }), phases }))).toEqual(["old-growth"]);
  });

  test("a phase of weak references that may have been waiting for a helper is none", () => {
    const phases = new Map([
      ["V8.GC_SCAVENGER_SCAVENGE", 16],
      ["V8.GC_SCAVENGER_SCAVENGE_PARALLEL", 13],
    ]);
    const waited = scavenge({ phases, machine: machine(30, { cpuMs: 14 }), promoted: MIB, after: heap() });
    // Sixteen of thirty waited, nine of them in that phase.
    expect(causesOf(waited).at(0)).not.toBe("weak-processing");
    expect(causesOf({ ...waited, machine: machine(30, { cpuMs: 5 }) })).not.toContain("weak-processing");
    expect(causesOf({ ...waited, machine: machine(30, { cpuMs: 30 }) })[0]).toBe("weak-processing");
  });

  test("pages of large objects that died young are given back in the phase in which ephemerons are gone through", () => {
    const phases = new Map([["V8.GC_SCAVENGER_SCAVENGE", 11]]);
    const young = { before: heap({ young: MIB, youngLarge: 90 * MIB }), after: heap(), promoted: 0 };
    const causes = causesOf(scavenge({ ...young, phases, durationMs: 12, machine: machine(12, { cpuMs: 12 }) }));
    expect(causes).toEqual(["large-objects"]);
  });

  test("callbacks that V8 runs at once because memory outside the heap grew are not about weak references", () => {
    const phases = new Map([["V8.GC_HEAP_EXTERNAL_WEAK_GLOBAL_HANDLES", 25]]);
    expect(causesOf(facts({ phases }))[0]).toBe("weak-processing");
    expect(causesOf(facts({ phases, flags: PRESSURE }))).toEqual(["external-memory"]);
  });

  test("copying is what the phases that copy took, as far as so many bytes can take so long", () => {
    const took = (phases: ReadonlyMap<string, number>, mib: number) =>
      decide(scavenge({ phases, promoted: mib * MIB, after: heap(), rate: null })).cause;
    const copied = new Map([["V8.GC_SCAVENGER_SCAVENGE_PARALLEL", 28]]);
    expect(took(copied, 8)).toBe("survivor-copy");
    expect(took(copied, 0.5)).toBe("unknown");
    expect(took(new Map([["V8.GC_HEAP_EPILOGUE", 28]]), 14)).toBe("unknown");
  });

  test("the young generation's room does not hide that the old one is full", () => {
    const full = { usedBefore: 62 * MIB, usedAfter: 58 * MIB, recentFulls: [0.1, 0.06], heapLimit: 112 * MIB };
    expect(causesOf(facts({ ...grown({ old: 55 * MIB }), ...full }))[0]).toBe("heap-limit");
  });
});

describe("the machine and the code", () => {
  test("a stop that would have been a spike without waiting is the code's, and the machine contributes", () => {
    const verdict = decide(scavenge({ machine: machine(40, { cpuMs: 18, queuedMs: 20 }), durationMs: 40 }));
    expect(verdict.cause).toBe("survivor-copy");
    expect(verdict.contributing).toContain("descheduled");
  });

  test("a helper thread that works is no wait", () => {
    const verdict = decide(scavenge({ machine: machine(30, { cpuMs: 9, queuedMs: 0 }) }));
    expect(verdict.cause).toBe("survivor-copy");
    expect(verdict.contributing).not.toContain("descheduled");
  });

  test("who asked is not in doubt because the machine made it longer", () => {
    const asked = facts({ flags: GcFlag.forced, reasons: ["testing"] });
    const busy = { ...asked, machine: machine(30, { cpuMs: 4, queuedMs: 26 }) };
    expect(decide(busy)).toMatchObject({ cause: "explicit", contributing: ["descheduled"] });
    expect(decide(busy).confidence).toBe(decide(asked).confidence);
  });

  test.each([
    ["a young collection", scavenge()],
    ["a full one", facts(grown({ old: 90 * MIB }))],
    ["one near the limit", facts({ usedAfter: 3800 * MIB, usedBefore: 3900 * MIB, recentFulls: [0.1, 0.05] })],
    ["one of weak references", facts({ phases: new Map([["V8.GC_MC_CLEAR_WEAK_COLLECTIONS", 100]]) })],
  ])(
    "%s that was mostly waiting is the machine's, although what it did would have been a spike as well",
    (_, spike) => {
      const machineWaited = machine(133, { cpuMs: 12, queuedMs: 120, switches: 30 });
      const verdict = decide({ ...spike, durationMs: 133, machine: machineWaited });
      expect(verdict).toMatchObject({ cause: "descheduled", contributing: [] });
      expect(verdict.confidence).toBeGreaterThan(0.7);
    },
  );

  test("where waiting and work are nearly equal, neither is said with confidence", () => {
    for (const keptMs of [14, 15, 16]) {
      const half = machine(30, { cpuMs: 30 - keptMs, keptMs });
      expect(decide(scavenge({ machine: half })).confidence).toBeLessThan(0.7);
      expect(decide(facts({ ...grown({ old: 90 * MIB }), machine: half })).confidence).toBeLessThan(0.7);
    }
  });

  test("waiting on a run queue is told less surely where nobody knows what helpers did", () => {
    const queued = machine(30, { cpuMs: 3, queuedMs: 26, helpersMs: Number.NaN });
    expect(decide(scavenge({ machine: queued }))).toMatchObject({ cause: "descheduled", confidence: 0.7 });
  });

  test("a stop that is a spike by little, and by little waiting, is still the code's", () => {
    const verdict = decide(scavenge({ machine: machine(12, { queuedMs: 3 }), durationMs: 12 }));
    expect(verdict.cause).toBe("survivor-copy");
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

describe("where the time went", () => {
  const FAULT_NS = 1000;
  const pauseOf = (
    spec: Partial<PauseSpec>,
    columns: Readonly<Record<string, number>>,
    others: readonly IsolateData[] = [],
    phases: ReadonlyMap<string, number> | null = null,
    mostHelpersMs = Number.NaN,
  ) => {
    const one = isolate("-");
    const pauses = pauseColumns([{ kind: "scavenge", startMs: 0, durationMs: 40, ...spec }]);
    const measured = Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, Float64Array.of(value)]));
    const stop = {
      kind: "scavenge" as const,
      pause: 0,
      startMs: 0,
      durationMs: 40,
      intervals: { count: 1, startMs: Float64Array.of(0), endMs: Float64Array.of(40) },
    };
    return machineTime({ ...one, pauses: { ...pauses, ...measured } }, stop, {
      others,
      process: null,
      phases,
      mostHelpersMs,
      faultNs: FAULT_NS,
    });
  };
  const quiet = {
    kernelMs: Number.NaN,
    processKernelMs: Number.NaN,
    cpuMs: 10,
    runQueueMs: 0,
    minorFaults: 0,
    processMinorFaults: 0,
    majorFaults: 0,
    processMajorFaults: 0,
  };

  test("what helpers ran the thread was not kept from running, however long it waited for them", () => {
    const time = pauseOf({}, { ...quiet, processCpuMs: 45 });
    expect(time).toMatchObject({ helpersMs: 35, keptMs: 0 });
    expect(waitedShare(time)).toBe(0);
  });

  test("what nobody ran in is the machine's", () => {
    const time = pauseOf({}, { ...quiet, processCpuMs: 16 });
    expect(time).toMatchObject({ helpersMs: 6, keptMs: 24 });
    expect(waitedShare(time)).toBeCloseTo(0.6);
  });

  test("a thread that queues behind its own helpers is not kept from its work", () => {
    expect(pauseOf({}, { ...quiet, runQueueMs: 28, processCpuMs: 60 })).toMatchObject({ keptMs: 0 });
    expect(pauseOf({}, { ...quiet, runQueueMs: 28, processCpuMs: 12 })).toMatchObject({ keptMs: 28 });
  });

  test("other isolates of the process are no helpers", () => {
    const busy = isolate("-".repeat(10), { threadId: 1 });
    const worker = { ...busy, loop: { ...busy.loop, cpuShare: new Float64Array(busy.loop.count).fill(0.9) } };
    const queued = { ...quiet, runQueueMs: 30, processCpuMs: 82 };
    expect(pauseOf({}, queued)).toMatchObject({ helpersMs: 72, keptMs: 0 });
    expect(pauseOf({}, queued, [worker, worker])).toMatchObject({ helpersMs: 0, keptMs: 30 });
  });

  test("who queues in a process whose other isolates run queues behind them, whatever the helpers did", () => {
    const worker = isolate("-".repeat(10), { threadId: 1 });
    const busy = { ...worker, loop: { ...worker.loop, cpuShare: new Float64Array(worker.loop.count).fill(0.9) } };
    // Of 60 ms that others ran, 36 were the worker's: of 30 ms on the queue that share.
    const time = pauseOf({}, { ...quiet, runQueueMs: 30, processCpuMs: 70 }, [busy]);
    expect(time).toMatchObject({ helpersMs: 24, keptMs: 18 });
  });

  test("in a process with other isolates helpers did no more than so little work can need", () => {
    const started = [isolate("-".repeat(10), { threadId: 1 })];
    const none = { ...quiet, cpuMs: 1, processCpuMs: 80 };
    expect(pauseOf({}, none, started, null, 3)).toMatchObject({ helpersMs: 3, keptMs: 36 });
    expect(pauseOf({}, none, [], null, 3)).toMatchObject({ helpersMs: 79, keptMs: 0 });
  });

  test("who queues while others of the process run longer than helpers would is kept from its work: a guess", () => {
    const pool = { ...quiet, cpuMs: 2, runQueueMs: 36, processCpuMs: 82 };
    expect(pauseOf({}, pool)).toMatchObject({ keptMs: 0, guessedMs: 0 });
    const time = pauseOf({}, pool, [], null, 4);
    expect(time.keptMs).toBeCloseTo(36 * (76 / 80));
    expect(time.guessedMs).toBe(time.keptMs);
    // Without the kernel's word that it queued, it may have waited for them.
    expect(pauseOf({}, { ...pool, runQueueMs: 0 }, [], null, 4)).toMatchObject({ keptMs: 0, guessedMs: 0 });
  });

  test("no helper collects while the thread waits for a safepoint, whatever other threads ran", () => {
    const phases = new Map([
      ["V8.GC_TIME_TO_SAFEPOINT", 20],
      ["V8.GC_HEAP_EPILOGUE_SAFEPOINT", 5],
      ["V8.GC_SCAVENGER_SCAVENGE_PARALLEL", 10],
    ]);
    const time = pauseOf({}, { ...quiet, processCpuMs: 90 }, [], phases);
    expect(time).toMatchObject({ helpersMs: 80, safepointMs: 25, keptMs: 25 });
    // A thread that ran for all of it did not wait.
    expect(pauseOf({}, { ...quiet, cpuMs: 40, processCpuMs: 90 }, [], phases)).toMatchObject({ keptMs: 0 });
  });

  test("steps had of the processor what the thread had while it was busy, and not in pauses", () => {
    const one = isolate("-".repeat(10));
    const loop = {
      ...one.loop,
      cpuShare: new Float64Array(one.loop.count).fill(0.6),
      utilization: new Float64Array(one.loop.count).fill(0.8),
    };
    const intervals = { count: 1, startMs: Float64Array.of(210), endMs: Float64Array.of(290) };
    const stop = { kind: "incremental-steps" as const, pause: -1, startMs: 210, durationMs: 80, intervals };
    const keptMs = (pauses: readonly PauseSpec[], process: ProcessColumns | null = null) =>
      machineTime({ ...one, loop, pauses: pauseColumns(pauses) }, stop, {
        others: [],
        process,
        phases: null,
        mostHelpersMs: Number.NaN,
        faultNs: FAULT_NS,
      }).keptMs;
    expect(keptMs([])).toBeCloseTo(80 * (1 - 0.6 / 0.8), 6);
    // A quarter of a pause of 60 ms was waiting for helpers.
    expect(keptMs([{ kind: "scavenge", startMs: 220, durationMs: 60 }])).toBeCloseTo(80 * (1 - 60 / 65), 6);
    expect(keptMs([{ kind: "scavenge", startMs: 420, durationMs: 60 }])).toBeCloseTo(20, 6);
    // Helpers had 12 of the 20 ms of this tenth in which it was busy and did not run: it may have queued behind them.
    const column = new Float64Array(one.loop.count);
    const process = {
      ...{ pid: 1, count: column.length, timeMs: one.loop.timeMs, cpuShare: column.slice().fill(0.72) },
      ...{ rss: column, majorFaults: column, involuntarySwitches: column },
    };
    expect(keptMs([], process)).toBeCloseTo(80 * (8 / 80), 6);
  });

  test("one page from a disk does not hold a thread up for long", () => {
    const time = pauseOf({ durationMs: 40 }, { ...quiet, cpuMs: 1, processCpuMs: 1, processMajorFaults: 1 });
    expect(time).toMatchObject({ diskMs: 2, keptMs: 37 });
  });

  test("without the process's time a wait of three times the thread's own is the helpers'", () => {
    expect(pauseOf({}, { ...quiet, processCpuMs: Number.NaN })).toMatchObject({ keptMs: 0 });
    expect(pauseOf({}, { ...quiet, cpuMs: 2, processCpuMs: Number.NaN })).toMatchObject({ keptMs: 32 });
  });

  test("faults of helpers stretch a pause by their share of what the helpers did", () => {
    // The helpers ran for 40 ms, 20 of them faulting; the thread waited 30 ms for them.
    const faults = { minorFaults: 1000, processMinorFaults: 21_000 };
    const time = pauseOf({}, { ...quiet, ...faults, processCpuMs: 50 });
    expect(time.faultMs).toBeCloseTo(1 + 15, 6);
    expect(faultShare(time)).toBeCloseTo(16 / 40, 6);
    const { cause, contributing } = decide(scavenge({ machine: time, durationMs: 40 }));
    expect([cause, ...contributing].sort()).toEqual(["page-faults", "survivor-copy"]);
  });

  test("the longer it was, the more the kernel's clock tells what faults took", () => {
    const took = (faults: number, kernelMs: number, cpuMs: number) => {
      const process = { processCpuMs: cpuMs, processMinorFaults: faults, processKernelMs: kernelMs };
      return pauseOf({}, { ...quiet, ...process, cpuMs, kernelMs, minorFaults: faults }).faultMs;
    };
    expect(took(5000, 36, 40)).toBeCloseTo(36, 6);
    expect(took(5000, 0, 40)).toBeCloseTo(0, 6);
    expect(took(5000, 8, 10)).toBeCloseTo(5, 6);
    // A hundred faults do not take that long, whatever the kernel did.
    expect(took(100, 36, 40)).toBeLessThan(3);
  });

  test("where only the thread's own faults are known, its helpers are taken to have faulted as much", () => {
    const time = pauseOf({}, { ...quiet, minorFaults: 5000, processCpuMs: Number.NaN, processMinorFaults: Number.NaN });
    expect(faultShare(time)).toBeCloseTo(0.5, 6);
  });
});

test("contributing causes are those that also count, best first, never the primary one", () => {
  const verdict = decide(facts({ ...grown({ old: 70 * MIB, large: 30 * MIB }) }));
  expect(verdict.cause).toBe("old-growth");
  expect(verdict.contributing).toEqual(["large-objects"]);
  expect(verdict.judgements).toHaveLength(2);
});

test("without a signal that would have told another cause nothing is sure, but who asked", () => {
  const unseen = { phases: null };
  const unmeasured = { machine: machine(30, { cpuMs: Number.NaN, helpersMs: Number.NaN }) };
  for (const missing of [unseen, unmeasured, { ...unseen, ...unmeasured }]) {
    for (const part of [{ old: 90 * MIB }, { large: 90 * MIB }, { external: 190 * MIB }])
      expect(decide(facts({ ...grown(part), ...missing })).confidence).toBeLessThan(0.7);
    expect(decide(facts({ flags: GcFlag.forced, ...missing })).confidence).toBeGreaterThanOrEqual(0.9);
  }
  expect(decide(scavenge(unmeasured)).confidence).toBeLessThan(0.7);
});

test("while a program starts nobody can say that it goes on like that", () => {
  const starting = { ageMs: 150, startMs: 150, endMs: 180, rate: null };
  for (const spike of [scavenge(), facts(grown({ old: 90 * MIB }))]) {
    const verdict = decide({ ...spike, ...starting });
    expect(verdict.cause).toBe(decide(spike).cause);
    expect(verdict.confidence).toBeLessThan(0.7);
  }
  expect(decide(facts({ flags: GcFlag.forced, ...starting })).confidence).toBeGreaterThanOrEqual(0.9);
});

test("a cause that explains little is not told with confidence, although no other one explains any", () => {
  const verdict = decide(
    facts({ ...grown({ old: 90 * MIB }), usedBefore: 8 * MIB, machine: machine(50), durationMs: 50 }),
  );
  expect(verdict.cause).toBe("old-growth");
  expect(verdict.confidence).toBeLessThan(0.65);
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
    survivedAgain: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    freed: fc.double({ max: 1, noDefaultInfinity: true }),
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
          ...judgement.advice.map(({ text, flag }) => `${flag ?? ""} ${text}`),
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

describe("what to try", () => {
  const advice = (spike: SpikeFacts) => decide(spike).primary?.advice ?? [];
  const flags = (spike: SpikeFacts) => advice(spike).map(({ flag }) => flag ?? "");
  const LARGER_YOUNG = "--min-semi-space-size=32 --max-semi-space-size=32";
  const WAIT = "--initial-old-space-size=256";
  const full = (part: Partial<SpikeFacts>) => facts({ ...grown({ old: 90 * MIB }), usedBefore: 100 * MIB, ...part });

  test("a larger young generation first, where what is copied dies soon after", () => {
    const spike = scavenge({ survivedAgain: 0.27 });
    expect(flags(spike)).toEqual([LARGER_YOUNG, ""]);
    expect(advice(spike)[0]?.text).toMatch(/more time to die: .*27 % survived the next/);
  });

  test("where what is copied stays, its size trades the length of pauses for their number", () => {
    const spike = scavenge({ survivedAgain: 0.88 });
    expect(flags(spike)).toEqual(["", "--max-semi-space-size=8", LARGER_YOUNG]);
    expect(advice(spike)[1]?.text).toMatch(/^Shorter pauses, more of them.*88 % survived the next/);
    expect(advice(spike)[2]?.text).toMatch(/less time in all, in longer pauses/);
  });

  test("a larger young generation with no share, where none was measured", () => {
    expect(advice(scavenge())[0]?.text).not.toMatch(/%|survived/);
  });

  test.each<[string, Partial<SpikeFacts>]>([
    ["a full collection", {}],
    ["the marking before it", { kind: "incremental-steps", after: null, usedAfter: Number.NaN }],
  ])("of %s: what is kept is not called kept where most of it was freed", (_, part) => {
    const text = (freed: number) => advice(full({ ...part, freed })).map((one) => one.text);
    expect(text(0.05)[0]).toMatch(/^What the sites here keep is really kept/);
    expect(text(Number.NaN)[0]).toMatch(/^If the sites here keep it for good/);
    expect(text(0.8).join()).not.toMatch(/kept|keep/);
  });

  test("full collections begin later for what has to be kept, and for what neither stays nor dies young", () => {
    expect(flags(full({ freed: 0.05, survivedAgain: 0.88 }))).toEqual(["", WAIT, ""]);
    expect(flags(full({ freed: 0.8, survivedAgain: 0.88 }))).toEqual([WAIT]);
    expect(flags(full({ freed: 0.8, survivedAgain: 0.27 }))).toEqual([LARGER_YOUNG, WAIT]);
  });
});

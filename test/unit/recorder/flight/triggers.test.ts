/** What fires, and when its dump is written. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GcspikeError } from "../../../../src/lib/errors.ts";
import { foremost } from "../../../../src/lib/triggers.ts";
import { deathOf } from "../../../../src/recorder/flight/death.ts";
import { Evaluator, type Fired } from "../../../../src/recorder/flight/evaluate.ts";
import type { FlightEvent } from "../../../../src/recorder/flight/events.ts";
import { planFlight } from "../../../../src/recorder/flight/flight-options.ts";
import { surplus } from "../../../../src/recorder/flight/keep-dumps.ts";
import { MOST_TOLD, Schedule } from "../../../../src/recorder/flight/schedule.ts";
import { parseTrigger } from "../../../../src/recorder/flight/trigger-words.ts";

const MIB = 1024 ** 2;

describe("words", () => {
  test.each([
    ["pause>50ms", "pause", 50],
    [" pause > 50ms ", "pause", 50],
    ["pause>=1s", "pause", 1000],
    ["gc.share>10%", "gc.share", 0.1],
    ["gc.outside>30ms", "gc.outside", 30],
    ["heap>800MiB", "heap", 800 * MIB],
    ["loop.delay>200ms", "loop.delay", 200],
  ])("%s", (text, on, limit) => expect(parseTrigger(text)).toMatchObject({ on, limit }));

  test.each(["heap.limit", "death"])("%s needs no limit", (text) =>
    expect(parseTrigger(text)).toEqual({ text, on: text }),
  );

  test.each(["pause", "pause.p99>5ms", "paus>5ms", "heap>", "toString>5ms", "death>1", ""])("%j is none", (text) => {
    expect(() => parseTrigger(text)).toThrow(GcspikeError);
    expect(() => parseTrigger(text)).toThrow(/--trigger cannot be/);
  });

  test.each(["pause>50", "heap>800", "gc.share>10"])("%s has no unit", (text) =>
    expect(() => parseTrigger(text)).toThrow(/--trigger .* cannot be/),
  );

  test("less is no trigger", () => expect(() => parseTrigger("pause<5ms")).toThrow(/never on less/));

  test("options that cannot be", () => {
    const of = (options: object) => () => planFlight({ triggers: ["death"], ...options });
    expect(of({})()).toMatchObject({ keepMs: 60_000, afterMs: 5000, maxDumps: 10, maxDiskBytes: 1024 * MIB });
    for (const wrong of [{ triggers: [] }, { keepMs: 0 }, { keepMs: 9e9 }, { maxDumps: 0 }, { maxDiskBytes: 5 }]) {
      expect(of(wrong)).toThrow(GcspikeError);
    }
  });
});

const ISOLATE = "1-0";
const pause = (startMs: number, durationMs: number, fields: object = {}): FlightEvent => ({
  type: "pause",
  isolate: ISOLATE,
  startMs,
  endMs: startMs + durationMs,
  kind: "scavenge",
  usedBeforeBytes: 0,
  ofLimit: null,
  ...fields,
});
const step = (startMs: number, endMs: number, isStep = true): FlightEvent => ({
  type: "work",
  isolate: ISOLATE,
  startMs,
  endMs,
  isStep,
});
const heap = (atMs: number, usedBytes: number): FlightEvent => ({ type: "heap", isolate: ISOLATE, atMs, usedBytes });
const loop = (atMs: number, delayMs: number): FlightEvent => ({ type: "loop", isolate: ISOLATE, atMs, delayMs });

/** What fires where the events come in these batches. */
function firedBy(triggers: readonly string[], ...batches: readonly (readonly FlightEvent[])[]): readonly Fired[] {
  const evaluator = new Evaluator(triggers.map(parseTrigger), () => "");
  return batches.flatMap((events) => evaluator.see(events));
}

describe("what fires", () => {
  test("a pause over the limit, each time", () => {
    const fired = firedBy(["pause>50ms"], [pause(0, 50), pause(100, 51)], [pause(300, 62, { kind: "mark-compact" })]);
    expect(fired).toEqual([
      { trigger: "pause>50ms", atMs: 100, what: "a scavenge of 51 ms" },
      { trigger: "pause>50ms", atMs: 300, what: "a mark-compact of 62 ms" },
    ]);
  });

  test("a heap that grows over the limit, and again when it was clearly below", () => {
    const sizes = [700, 810, 820, 790, 805, 700, 801];
    const fired = firedBy(["heap>800MiB"], ...sizes.map((mib, i) => [heap(i, mib * MIB)]));
    expect(fired.map(({ atMs }) => atMs)).toEqual([1, 6]);
    expect(fired[0]?.what).toBe("810 MiB of heap in use");
  });

  test("an event loop that does not turn, once for the whole time", () => {
    const fired = firedBy(
      ["loop.delay>200ms"],
      [loop(0, 20), loop(100, 210)],
      [loop(200, 310), loop(300, 5), loop(400, 250)],
    );
    expect(fired.map(({ atMs }) => atMs)).toEqual([100, 400]);
  });

  test("full collections that leave the heap near its limit", () => {
    const full = (ms: number, ofLimit: number) => pause(ms, 1, { kind: "mark-compact", ofLimit });
    const fired = firedBy(["heap.limit"], [full(0, 0.8), full(10, 0.9)], [full(20, 0.95)]);
    expect(fired.map(({ atMs }) => atMs)).toEqual([11]);
  });

  test("the share of the last ten seconds, pauses and work outside them", () => {
    const second = (n: number): FlightEvent[] => [pause(n * 1000, 60), step(n * 1000 + 100, n * 1000 + 160)];
    const fired = firedBy(["gc.share>10%"], ...Array.from({ length: 30 }, (_, n) => second(n)));
    // 120 ms a second: over a tenth of ten seconds in the ninth.
    expect(fired).toHaveLength(1);
    expect(fired[0]?.atMs).toBe(8160);
    expect(firedBy(["gc.share>13%"], ...Array.from({ length: 30 }, (_, n) => second(n)))).toEqual([]);
  });

  test("steps that come close together", () => {
    const steps = [step(0, 10), step(100, 110), step(112, 122), step(124, 136), step(400, 410)];
    const fired = firedBy(["gc.outside>30ms"], ...steps.map((one) => [one]));
    expect(fired).toEqual([
      { trigger: "gc.outside>30ms", atMs: 100, what: "32 ms of collector work outside pauses within 50 ms" },
    ]);
  });

  test("each burst once, however long it goes on, also where several are seen at once", () => {
    const long = Array.from({ length: 20 }, (_, i) => step(i * 45, i * 45 + 40));
    const later = step(2000, 2040);
    expect(firedBy(["gc.outside>30ms"], [...long, later]).map(({ atMs }) => atMs)).toEqual([0, 2000]);
    expect(firedBy(["gc.outside>30ms"], ...[...long, later].map((one) => [one])).map(({ atMs }) => atMs)).toEqual([
      0, 2000,
    ]);
  });

  test("not what belongs to a pause, whichever is known first", () => {
    const inPause = [step(95, 145, false), step(100, 140, false)];
    expect(firedBy(["gc.outside>30ms"], [...inPause, pause(99, 42)])).toEqual([]);
    // One that goes on is told of when it is over.
    const open: FlightEvent = { type: "open", isolate: ISOLATE, atMs: 99 };
    expect(firedBy(["gc.outside>30ms"], [...inPause, open], [pause(99, 400)])).toEqual([]);
    // Work is held against pauses as soon as they are known.
    expect(firedBy(["gc.outside>60ms"], inPause, [pause(99, 42)], [step(150, 170)])).toEqual([]);
    // A step that a pause cuts counts for the rest.
    expect(firedBy(["gc.outside>30ms"], [step(60, 100), pause(95, 20)])).toHaveLength(1);
    expect(firedBy(["gc.outside>36ms"], [step(60, 100), pause(95, 20)])).toEqual([]);
  });

  test("the same, however events are cut into batches", () => {
    const events = fc.array(
      fc
        .tuple(fc.constantFrom("pause", "heap", "loop"), fc.nat(100), fc.nat(40))
        .map(([type, gap, size]) => ({ type, gap, size })),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(events, fc.array(fc.nat(10), { maxLength: 40 }), (drawn, sizes) => {
        let ms = 0;
        const all = drawn.map(({ type, gap, size }): FlightEvent => {
          ms += gap + 41;
          return type === "pause" ? pause(ms, size) : type === "heap" ? heap(ms, size * MIB) : loop(ms, size);
        });
        const rest = [...all];
        const batches = [...sizes.map((size) => rest.splice(0, size)), rest];
        const triggers = ["pause>20ms", "heap>25MiB", "loop.delay>30ms"];
        const one = (trigger: string) => firedBy([trigger], ...all.map((event) => [event]));
        const byTime = (a: Fired, b: Fired): number => a.atMs - b.atMs || a.trigger.localeCompare(b.trigger);
        expect([...firedBy(triggers, ...batches)].sort(byTime)).toEqual(triggers.flatMap(one).sort(byTime));
      }),
    );
  });
});

const fired = (atMs: number): Fired => ({ trigger: "pause>1ms", atMs, what: "" });

describe("the schedule", () => {
  test("a dump some time after its trigger, and one more for all that fire while no other may come", () => {
    const schedule = new Schedule(60_000, 5000);
    schedule.add([fired(1000)], 1000);
    expect(schedule.take(5999)).toBeNull();
    expect(schedule.take(6000)?.fired).toEqual([fired(1000)]);
    schedule.add([fired(7000)], 7000);
    schedule.add([fired(50_000)], 50_000);
    expect(schedule.take(65_999)).toBeNull();
    expect(schedule.take(66_000)?.fired.map(({ atMs }) => atMs)).toEqual([7000, 50_000]);
    expect(schedule.take(200_000)).toBeNull();
  });

  test("the program's death is told of whatever else fired, and all in order of time", () => {
    const schedule = new Schedule(60_000, 5000);
    schedule.add(
      Array.from({ length: 200 }, (_, i) => fired(200 - i)),
      1000,
    );
    schedule.add([{ trigger: "death", atMs: 150.5, what: "" }], 1001);
    const due = schedule.take(1001, true) ?? expect.fail("nothing is due");
    expect(due.fired).toHaveLength(MOST_TOLD);
    expect(due.untold).toBe(101);
    expect(foremost(due.fired)?.trigger).toBe("death");
    expect(due.fired.map(({ atMs }) => atMs)).toEqual(due.fired.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
  });

  test("at the end what is due is written at once", () => {
    const schedule = new Schedule(60_000, 5000);
    schedule.add([fired(1000)], 1000);
    expect(schedule.take(1001, true)?.fired).toEqual([fired(1000)]);
    expect(schedule.take(1002, true)).toBeNull();
  });

  test("a storm: one dump in the time, each trigger in one, and a bounded number told of", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { minLength: 1, maxLength: 300 }), (gaps) => {
        const schedule = new Schedule(10_000, 1000);
        const dumps: { readonly atMs: number; readonly count: number }[] = [];
        let ms = 0;
        const look = (isLast: boolean): void => {
          const due = schedule.take(ms, isLast);
          if (due === null) return;
          expect(due.fired.length).toBeLessThanOrEqual(MOST_TOLD);
          // Nothing is older than what the dump goes back.
          expect(ms - (due.fired[0]?.atMs ?? 0)).toBeLessThanOrEqual(10_000 + 3000);
          dumps.push({ atMs: ms, count: due.fired.length + due.untold });
        };
        for (const gap of gaps) {
          ms += gap;
          look(false);
          schedule.add([fired(ms)], ms);
        }
        look(true);
        expect(dumps.reduce((sum, { count }) => sum + count, 0)).toBe(gaps.length);
        for (const [i, { atMs }] of dumps.slice(0, -1).entries()) {
          if (i > 0) expect(atMs - (dumps[i - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(10_000);
        }
      }),
    );
  });
});

test("the oldest dumps go first, and the newest stays", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(100), { minLength: 1 }),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(500),
      (sizes, dumps, bytes) => {
        const all = sizes.map((size, index) => ({ index, bytes: size }));
        const gone = surplus(all, { dumps, bytes });
        const rest = all.slice(gone.length);
        expect(gone).toEqual(all.slice(0, gone.length));
        const sum = (list: typeof all): number => list.reduce((total, dump) => total + dump.bytes, 0);
        expect(rest.length >= 1 && rest.length <= dumps && (sum(rest) <= bytes || rest.length === 1)).toBe(true);
        // No more than has to.
        const last = gone.at(-1);
        if (last !== undefined) expect(rest.length + 1 > dumps || sum([last, ...rest]) > bytes).toBe(true);
      },
    ),
  );
});

test.each([
  [{ code: 0, signal: null }, false, null, null],
  [{ code: 3, signal: null }, false, null, "the program ended with exit code 3"],
  [{ code: null, signal: "SIGKILL" }, false, 0.99, "the program ended by SIGKILL"],
  [
    { code: null, signal: "SIGABRT" },
    false,
    0.97,
    "the program ended by SIGABRT, with 97 % of the heap's limit in use: out of memory",
  ],
  [
    { code: 134, signal: null },
    false,
    0.97,
    "the program ended with exit code 134, with 97 % of the heap's limit in use: out of memory",
  ],
  [{ code: null, signal: "SIGABRT" }, false, 0.2, "the program ended by SIGABRT"],
  [{ code: null, signal: "SIGTERM" }, true, null, null],
  [{ code: 130, signal: null }, true, null, null],
  [{ code: null, signal: "SIGTERM" }, false, null, "the program ended by SIGTERM"],
  [{ code: null, signal: "SIGSEGV" }, true, null, "the program ended by SIGSEGV"],
  [null, false, 0.2, "the program ended and did not say how: a signal or an abort"],
])("an end: %j", (exit, wasAsked, ofLimit, expected) => expect(deathOf({ exit, wasAsked, ofLimit })).toBe(expected));

/** From bpftrace's lines to pauses, steps and allocations. */
import { describe, expect, test } from "vitest";
import { EventOrder, type ReadFrame, type Stack } from "../../../../src/recorder/ebpf/event-order.ts";
import { type FrameLine, type Line, parseLine, type TraceEvent } from "../../../../src/recorder/ebpf/events.ts";
import type { SeenFrame } from "../../../../src/recorder/ebpf/stack-reader.ts";
import {
  type OpenPause,
  ThreadHistory,
  type TracedAllocation,
  type TracedPause,
  type TracedStep,
} from "../../../../src/recorder/ebpf/thread-history.ts";
import { TraceClock } from "../../../../src/recorder/ebpf/trace-clock.ts";
import { seeded } from "../../../support/random.ts";

const MS = 1e6;

describe("a line", () => {
  test.each<[string, Line]>([
    ["T 12345", { type: "tick", atNs: 12345 }],
    ["C 100 7 21", { type: "collect", atNs: 100, thread: 7, reason: 21 }],
    ["M 100 7 2", { type: "marking", atNs: 100, thread: 7, reason: 2 }],
    ["S 100 7 40", { type: "step", atNs: 100, thread: 7, startNs: 40 }],
    ["B 100 7 65536 0", { type: "allocation", of: "buffer", atNs: 100, thread: 7, bytes: 65536, leftOutBytes: 0 }],
    [
      "L 100 7 400016 32768",
      { type: "allocation", of: "large", atNs: 100, thread: 7, bytes: 400016, leftOutBytes: 32768 },
    ],
    [
      "F 100 7 7fd6c1e3d901 398e8d0d91f9",
      { type: "frame", atNs: 100, thread: 7, pc: 0x7fd6c1e3d901, shared: 0x398e8d0d91f9 },
    ],
    ["Lost 12 events", { type: "lost", count: 12 }],
  ])("%s", (text, line) => {
    expect(parseLine(text)).toEqual(line);
  });

  test("of a pause has what the kernel counts of its thread", () => {
    expect(parseLine("P 1000 7 4 32 500 900 1 20 3 4 5 6")).toEqual({
      type: "prologue",
      atNs: 1000,
      thread: 7,
      gcType: 4,
      flags: 32,
      times: {
        cpuNs: 500,
        updatedNs: 900,
        processor: 1,
        runQueueNs: 20,
        voluntarySwitches: 3,
        involuntarySwitches: 4,
        minorFaults: 5,
        majorFaults: 6,
      },
    });
  });

  test.each([
    "",
    "Attaching 11 probes...",
    "@left[123]: 4096",
    "T",
    "T 1 2",
    "T -1",
    "T 1e9",
    "T 123456789012345678901",
    "C 100 7",
    "C 100 7 21 9",
    "C 100 7 0x15",
    "S 40 7 100",
    "P 1000 7 4 32 500",
    "F 100 7 7fd6c1e3d901",
    "F 100 7 7fd6c1e3d901 398e8d0d91f9 1",
    "F 100 7 ffff7fd6c1e3d901 398e8d0d91f9",
    "Z 1 2 3",
    "Lost many events",
    "__proto__ 1 2 3",
    "constructor 1",
  ])("%j is none", (text) => {
    expect(parseLine(text)).toBeNull();
  });

  test("cut anywhere, or with any bytes in it, is none or another one, and never an error", () => {
    const random = seeded(1);
    const whole = ["P 1000 7 4 32 500 900 1 20 3 4 5 6", "F 100 7 7fd6c1e3d901 398e8d0d91f9", "L 100 7 400016 32768"];
    for (let i = 0; i < 5000; i++) {
      const text = whole[Math.floor(random() * whole.length)] ?? "";
      const at = Math.floor(random() * text.length);
      const noise = String.fromCharCode(Math.floor(random() * 256));
      for (const line of [parseLine(text.slice(0, at)), parseLine(text.slice(0, at) + noise + text.slice(at + 1))]) {
        if (line !== null) for (const value of Object.values(line)) expect(Number.isNaN(value)).toBe(false);
      }
    }
  });
});

const load = { function: { name: "load", script: "/app/load.js", position: 3 }, isInlined: false };
const main = { function: { name: "main", script: "/app/main.js", position: 0 }, isInlined: false };

/** Runs lines through the order; frames are read `lateNs` after their event, from what stands at their address then. */
function ordered(lines: readonly Line[], read: ReadFrame = () => []) {
  const events: { event: TraceEvent; stack: Stack }[] = [];
  let lost = 0;
  const order = new EventOrder(read, {
    event: (event, stack) => events.push({ event, stack }),
    lost: (count) => (lost += count),
  });
  for (const line of lines) order.add(line);
  return { events, lost: () => lost, end: () => order.end(), order };
}

function lines(...texts: readonly string[]): readonly Line[] {
  return texts.map((text) => {
    const line = parseLine(text);
    if (line === null) throw new Error(`no line: ${text}`);
    return line;
  });
}

const TIMES = "0 0 0 0 0 0 0 0";

describe("the order of events", () => {
  test("is that of time, half a second behind the last tick", () => {
    const { events, end } = ordered(
      lines("C 300 7 1", "C 100 7 2", "C 200 8 3", `T ${500 * MS + 250}`, "C 400 7 4", "C 150 7 5"),
    );
    expect(events.map(({ event }) => event.atNs)).toEqual([100, 200]);
    end();
    expect(events.map(({ event }) => event.atNs)).toEqual([100, 200, 150, 300, 400]);
  });

  test("gives each event its frames, however lines of processors are mixed", () => {
    const read = ({ shared, atNs }: FrameLine): readonly SeenFrame[] => [
      { ...(shared === 0x1001 ? load : main), beforeNs: null, afterNs: atNs },
    ];
    const { events, end } = ordered(
      lines(
        "B 200 7 65536 0",
        "F 200 7 aaaaaaaa 1001",
        "B 100 7 65536 0",
        "F 100 7 aaaaaaaa 1005",
        "F 200 7 aaaaaaaa 1005",
        "B 200 8 65536 0",
      ),
      read,
    );
    end();
    expect(events.map(({ stack }) => stack)).toMatchObject([[main], [load, main], []]);
  });

  type Seen = Pick<SeenFrame, "beforeNs" | "afterNs">;

  /** An allocation at 1,000 ms on the thread 7, with one function on its stack, and a full collection. */
  function certain(seen: Seen, fullMs: number, thread = 7): Stack | undefined {
    const at = 1000 * MS;
    const { events, end } = ordered(
      lines(
        `B ${at} 7 65536 0`,
        `F ${at} 7 aaaaaaaa 1001`,
        `P ${fullMs * MS} ${thread} 4 0 ${TIMES}`,
        `T ${3000 * MS}`,
      ),
      () => [{ ...seen, ...load }],
    );
    end();
    return events.find(({ event }) => event.type === "allocation")?.stack;
  }

  test.each<[string, Seen, number, Stack]>([
    ["is read before the next full collection: certain", { beforeNs: null, afterNs: 1010 * MS }, 1020, [load]],
    ["is read behind it: unknown", { beforeNs: null, afterNs: 1010 * MS }, 1005, null],
    ["was seen before, with none in between: certain", { beforeNs: 990 * MS, afterNs: 1010 * MS }, 1005, [load]],
    ["is read late, with none in between: certain", { beforeNs: null, afterNs: 2600 * MS }, 2700, [load]],
  ])("a function that %s", (_name, seen, fullMs, stack) => {
    expect(certain(seen, fullMs)?.map((frame) => frame.function) ?? null).toEqual(
      stack?.map((frame) => frame.function) ?? null,
    );
  });

  test("an event whose names were read late waits until it is known what came in between", () => {
    const { events, order } = ordered(
      lines(`B ${1000 * MS} 7 65536 0`, `F ${1000 * MS} 7 aaaaaaaa 1001`, `C ${1100 * MS} 7 1`, `T ${3000 * MS}`),
      () => [{ ...load, beforeNs: null, afterNs: 2600 * MS }],
    );
    expect(events).toEqual([]);
    for (const line of lines(`P ${2550 * MS} 7 4 0 ${TIMES}`, `T ${3200 * MS}`)) order.add(line);
    expect(events.map(({ event, stack }) => [event.type, stack])).toEqual([
      ["allocation", null],
      ["collect", []],
      ["prologue", []],
    ]);
  });

  test("collections of other threads move nothing of this one's", () => {
    expect(certain({ beforeNs: null, afterNs: 1010 * MS }, 1005, 8)).toMatchObject([load]);
  });

  test("one function that is not known makes the stack unknown: another would be blamed", () => {
    const answers = [[], null, [{ ...main, beforeNs: null, afterNs: 100 }]];
    let next = 0;
    const { events, end } = ordered(
      lines("B 100 7 65536 0", "F 100 7 a 1001", "F 100 7 a 1001", "F 100 7 a 1001"),
      () => answers[next++] ?? null,
    );
    end();
    expect(events[0]?.stack).toBeNull();
  });

  test("lost events are told where they are missing", () => {
    const { events, lost } = ordered(lines("C 100 7 1", "Lost 5 events", "C 200 7 1"));
    expect(events).toHaveLength(1);
    expect(lost()).toBe(5);
  });
});

interface Happened {
  readonly pauses: TracedPause[];
  readonly steps: TracedStep[];
  readonly allocations: TracedAllocation[];
  readonly open: readonly OpenPause[];
}

function happened(...texts: readonly string[]): Happened {
  const pauses: TracedPause[] = [];
  const steps: TracedStep[] = [];
  const allocations: TracedAllocation[] = [];
  const history = new ThreadHistory({
    pause: (pause) => pauses.push(pause),
    step: (step) => steps.push(step),
    allocation: (allocation) => allocations.push(allocation),
  });
  for (const line of lines(...texts)) {
    if (line.type === "lost") history.forget();
    else if (line.type !== "tick" && line.type !== "frame") history.add(line, [main]);
  }
  return { pauses, steps, allocations, open: history.open() };
}

describe("what happened", () => {
  test("a scavenge, with its reason, flags and who triggered it", () => {
    const { pauses } = happened("C 100 7 1", `P 110 7 1 0 ${TIMES}`, `E 200 7 1 0 ${TIMES}`);
    expect(pauses).toMatchObject([
      { thread: 7, kind: 1, nestedCount: 0, flags: 0, startNs: 110, endNs: 200, reason: 1, stack: [main] },
    ]);
  });

  test("the start of marking has the reason of marking, weak callbacks have none", () => {
    const { pauses } = happened(
      "C 50 7 21",
      "M 100 7 2",
      `P 110 7 8 0 ${TIMES}`,
      `E 120 7 8 0 ${TIMES}`,
      `P 130 7 16 0 ${TIMES}`,
      `E 140 7 16 0 ${TIMES}`,
      `P 150 7 4 0 ${TIMES}`,
      `E 160 7 4 0 ${TIMES}`,
    );
    expect(pauses.map(({ kind, reason }) => [kind, reason])).toEqual([
      [8, 2],
      [16, null],
      [4, 21],
    ]);
  });

  test("a collection that callbacks of another start is part of it", () => {
    const { pauses } = happened(
      "C 100 7 2",
      `P 110 7 4 0 ${TIMES}`,
      "C 120 7 1",
      `P 130 7 1 0 ${TIMES}`,
      `E 140 7 1 0 ${TIMES}`,
      `E 200 7 4 0 ${TIMES}`,
      "C 300 7 1",
      `P 310 7 1 0 ${TIMES}`,
      `E 320 7 1 0 ${TIMES}`,
    );
    expect(pauses).toMatchObject([
      { kind: 4, nestedKinds: 1, nestedCount: 1, startNs: 110, endNs: 200, reason: 2 },
      { kind: 1, nestedKinds: 0, nestedCount: 0, reason: 1 },
    ]);
  });

  test("threads do not disturb each other", () => {
    const { pauses } = happened(
      "C 100 7 1",
      "C 101 8 21",
      `P 110 7 1 0 ${TIMES}`,
      `P 111 8 4 0 ${TIMES}`,
      `E 150 8 4 0 ${TIMES}`,
      `E 200 7 1 0 ${TIMES}`,
    );
    expect(pauses.map(({ thread, reason, endNs }) => [thread, reason, endNs])).toEqual([
      [8, 21, 150],
      [7, 1, 200],
    ]);
  });

  test("an end without a begin, and a begin that was lost", () => {
    const { pauses, open } = happened(
      `E 50 7 1 0 ${TIMES}`,
      `P 100 7 1 0 ${TIMES}`,
      "Lost 3 events",
      `E 300 7 4 0 ${TIMES}`,
      `P 400 7 1 0 ${TIMES}`,
      `E 500 7 1 0 ${TIMES}`,
      `P 600 7 4 0 ${TIMES}`,
    );
    expect(pauses.map(({ startNs }) => startNs)).toEqual([400]);
    expect(open).toEqual([{ thread: 7, kind: 4, startNs: 600 }]);
  });

  test("steps, and allocations with those left out before them", () => {
    const { steps, allocations } = happened("S 100 7 40", "B 200 7 65536 131072");
    expect(steps).toEqual([{ thread: 7, startNs: 40, endNs: 100 }]);
    expect(allocations).toMatchObject([{ thread: 7, atNs: 200, bytes: 65536, standsForBytes: 196608 }]);
  });

  // P and E: <cpu> <updated> <processor> <run queue> <voluntary> <involuntary> <minor> <major>
  test.each([
    ["that never wanted to wait: all but the time on the queue", "50 900 0 100 1 1 5 0", "60 800 1 400 1 3 9 0", 700],
    [
      "that waited, on one processor: what the kernel added, and since",
      "50 900 0 100 1 1 5 0",
      "350 1600 0 100 2 1 5 0",
      600,
    ],
    ["that waited, on two: not known", "50 900 0 100 1 1 5 0", "350 1600 1 100 2 1 5 0", null],
    ["whose counts make no sense: never more than the pause", "50 900 0 100 1 1 5 0", "99999 1600 0 100 2 1 5 0", 1000],
  ])("CPU time of a thread %s", (_name, from, to, cpuNs) => {
    const { pauses } = happened(`P 1000 7 1 0 ${from}`, `E 2000 7 1 0 ${to}`);
    expect(pauses[0]?.cpuNs).toBe(cpuNs);
  });
});

describe("the clock", () => {
  const clock = (monotonicNs: number, uptimeMs: number) =>
    new TraceClock({ monotonicNs: () => monotonicNs, uptimeMs: () => uptimeMs });

  test("of a machine that never slept is the same", () => {
    const same = clock(5000 * MS, 5000);
    same.note(4990 * MS);
    expect(same.toMonotonicNs(4000 * MS)).toBe(BigInt(4000 * MS));
    expect(same.nowNs()).toBe(5000 * MS);
    expect(same.lastNs).toBe(4990 * MS);
  });

  test("of one that slept for an hour is that much behind", () => {
    const slept = clock(5000 * MS, 3_605_000);
    slept.note(3_604_990 * MS);
    expect(slept.toMonotonicNs(3_604_000 * MS)).toBe(BigInt(4000 * MS));
    expect(slept.nowNs()).toBe(3_605_000 * MS);
  });

  test("of one that slept, with a bpftrace that does not count that, is the same", () => {
    const slept = clock(5000 * MS, 3_605_000);
    slept.note(4990 * MS);
    expect(slept.toMonotonicNs(4000 * MS)).toBe(BigInt(4000 * MS));
  });
});

/** The last seconds of a recording that grows: the same as the whole one says of them, whatever came before. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { liveFigures } from "../../../src/analysis/live-figures.ts";
import type { SampleRecordFields } from "../../../src/recording/log-writer.ts";
import type { IsolateData } from "../../../src/recording/model.ts";
import { locateFrame, RecentReader } from "../../../src/recording/read-recent.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import { GcType, HEADER, HEADER_BYTES, SampleType, STACK_INLINED } from "../../../src/recording/spec.ts";
import { temporaryFolder } from "../../support/cli.ts";
import { atMs, type IsolateFolder, makeRecordingFolder, PID, START_NS } from "../../support/recording-folder.ts";

const ID = `${PID}-0`;
let folder = "";
afterEach(() => {
  if (folder !== "") rmSync(dirname(folder), { recursive: true, force: true });
  folder = "";
});

function reader(isolates: readonly IsolateFolder[], pid = PID): RecentReader {
  folder = makeRecordingFolder({ isolates });
  return new RecentReader(folder, pid, START_NS);
}

function only(isolates: readonly IsolateData[]): IsolateData {
  const [one] = isolates;
  if (one === undefined || isolates.length !== 1) throw new Error(`${isolates.length} isolates`);
  return one;
}

const pause = (ms: number, durationMs = 2) => ({
  kind: GcType.scavenge,
  startNs: atMs(ms),
  endNs: atMs(ms + durationMs),
});

function birth(number: number, timeMs: number, stack = 1): SampleRecordFields {
  return { type: SampleType.birth, stack, timeNs: atMs(timeMs), number: BigInt(number), bytes: 64n, standsFor: 1000n };
}

function death(number: number, timeMs: number): SampleRecordFields {
  return { ...birth(number, timeMs), type: SampleType.death };
}

/** Makes a log shorter, as it was before its last records came; returns what makes it whole again. */
function withhold(suffix: string, records: number, recordBytes: number): () => void {
  const path = join(folder, `${ID}.${suffix}`);
  const whole = readFileSync(path);
  const short = Buffer.from(whole);
  const committed = whole.length - HEADER_BYTES - records * recordBytes;
  short.writeBigUInt64LE(BigInt(committed), HEADER.committedBytes);
  writeFileSync(path, short);
  return () => writeFileSync(path, whole);
}

test("pauses are kept for a minute, and what comes later is seen", () => {
  const all = [1000, 30_000, 50_000, 80_000, 100_000].map((ms) => pause(ms));
  const recent = reader([{ id: ID, gc: all }]);
  const last = withhold("gc", 1, 320);
  expect([...only(recent.read(85_000)).pauses.startMs]).toEqual([1000, 30_000, 50_000, 80_000]);
  expect([...only(recent.read(86_000)).pauses.startMs]).toEqual([30_000, 50_000, 80_000]);
  last();
  expect([...only(recent.read(101_000)).pauses.startMs]).toEqual([30_000, 50_000, 80_000, 100_000]);
  expect([...only(recent.read(102_000)).pauses.startMs]).toEqual([50_000, 80_000, 100_000]);
});

test("a collection that goes on", () => {
  const recent = reader([{ id: ID, gc: [pause(1000)], openPause: { ...pause(90_000), endNs: 0n } }]);
  recent.read(90_500);
  expect(only(recent.read(90_500))).toMatchObject({ openPause: { startMs: 90_000 }, endMs: 90_000 });
});

describe("objects", () => {
  const FUNCTIONS = ["leaf", "caller"].map((name, i) => ({ name, script: "/app/a.js", position: i * 10 }));
  const STACKS = [[1, STACK_INLINED + 2], [2]];

  test("a death finds its object after the beginning was left out; objects that were left out are no matter", () => {
    const samples = [
      birth(1, 0),
      birth(2, 1000),
      birth(3, 60_000),
      death(1, 61_000),
      birth(4, 62_000, 2),
      death(3, 63_000),
    ];
    const recent = reader([{ id: ID, gc: [], functions: FUNCTIONS, stacks: STACKS, samples }]);
    const first = only(recent.read(64_000)).samples?.heap;
    expect([...(first?.diedMs ?? [])]).toEqual([61_000, Number.POSITIVE_INFINITY, 63_000, Number.POSITIVE_INFINITY]);
    const { heap } = only(recent.read(64_000)).samples ?? expect.fail("no samples");
    expect([...heap.bornMs]).toEqual([60_000, 62_000]);
    expect([...heap.diedMs]).toEqual([63_000, Number.POSITIVE_INFINITY]);
    expect([...heap.stack]).toEqual([0, 1]);
  });

  test("stacks and functions are read once each, as they come", () => {
    const recent = reader([
      { id: ID, gc: [], functions: FUNCTIONS, stacks: STACKS, samples: [birth(1, 10), birth(2, 20, 9)] },
    ]);
    for (let look = 0; look < 3; look++) {
      const { allocations, samples } = only(recent.read(1000));
      expect(allocations?.frames.map((frame) => frame.function)).toEqual(["leaf", "caller"]);
      // The last one is for objects without a stack.
      expect(allocations?.stacks).toEqual([[0, 1], [1], []]);
      expect([...(samples?.heap.stack ?? [])]).toEqual([0, 2]);
    }
  });

  test("where a function stands is looked up for the few that are shown", () => {
    const sources = temporaryFolder();
    try {
      const script = join(sources.path, "a.js");
      writeFileSync(script, "function first(){}\nfunction second(){}\n");
      const functions = [
        { name: "second", script, position: 27 },
        { name: "evaluated", script: "", position: 0 },
      ];
      const recent = reader([{ id: ID, gc: [], functions, stacks: STACKS, samples: [birth(1, 1)] }]);
      const [inFile, evaluated] = only(recent.read(1000)).allocations?.frames ?? [];
      expect(inFile).toMatchObject({ function: "second", file: script, line: 0, column: 28, origin: "user" });
      expect(evaluated).toMatchObject({ function: "evaluated", file: "", origin: "user" });
      const located = locateFrame(inFile ?? expect.fail("no frame"));
      expect(located).toMatchObject({ function: "second", file: script, line: 2, column: 9, origin: "user" });
    } finally {
      sources.remove();
    }
  });
});

function around(usedBefore: number, usedAfter: number) {
  const committed = { committedBefore: 0, committedAfter: 0, externalBefore: 0, externalAfter: 0 };
  return { usedBefore, usedAfter, ...committed, mallocedBefore: 0, mallocedAfter: 0, heapLimit: 2 ** 31 };
}

test("looked at every second for a hundred, its figures are those of the whole recording", async () => {
  const END = 100_000;
  const every = (ms: number): readonly number[] => Array.from({ length: END / ms }, (_, i) => i * ms);
  const pauses = every(700).map((ms, i) => ({
    ...pause(ms, 1 + ((i * 7) % 23)),
    kind: i % 9 === 0 ? GcType.markCompact : GcType.scavenge,
  }));
  const used = (ms: number): number => 8 * ((1 + ((ms * 37) % 1000)) * 1024);
  const gc = pauses.map((one, i) => ({ ...one, heap: around(used(i * 700), used(i * 700 + 13)) }));
  const size = { committed: 0n, limit: 1n << 31n, external: 0n, malloced: 0n, arrayBuffers: 0n, spaces: [] };
  const heap = every(100).map((ms) => ({ timeNs: atMs(ms + 50), used: BigInt(used(ms)), ...size }));
  const loop = every(100).map((ms) => ({
    timeNs: atMs(ms),
    idleNs: 0n,
    maxBusyNs: BigInt(((ms * 31) % 977) * 1e5),
    cpuNs: 0n,
  }));
  const span = { name: 0, reason: null, depth: 0, usedAfter: 0n };
  const phases = every(300).map((ms) => ({ ...span, startNs: atMs(ms + 150), durationNs: BigInt(2e6) }));
  const births = every(50).map((ms, i) => ({ ...birth(i + 1, ms, 1 + (i % 2)), standsFor: BigInt(1000 + i) }));
  const deaths = births.flatMap(({ number }, i) =>
    i % 3 === 0 ? [death(Number(number), 700 * Math.ceil((i * 50) / 700 + (i % 2)))] : [],
  );
  const samples = [...births, ...deaths].sort((a, b) => Number(a.timeNs - b.timeNs) || a.type - b.type);
  const functions = ["a", "b"].map((name, i) => ({ name, script: "/app/a.js", position: i * 10 }));
  const recent = reader([
    {
      id: ID,
      gc,
      heap,
      loop,
      phaseNames: ["V8.GC_MC_INCREMENTAL"],
      phases,
      functions,
      stacks: [[1], [2]],
      samples,
      buffers: samples,
    },
  ]);
  for (let nowMs = 1000; nowMs < END; nowMs += 1000) recent.read(nowMs);
  const figures = (isolates: readonly IsolateData[]) => {
    const { sites, ...rest } = liveFigures(isolates, END);
    return { ...rest, sites: sites.map(({ frame, share }) => [frame.function, share]) };
  };
  const found = figures(recent.read(END));
  expect(found).toEqual(figures((await readRecording(folder)).isolates));
  expect(found).toMatchObject({
    pauses: 13,
    sites: [
      ["b", expect.any(Number)],
      ["a", expect.any(Number)],
    ],
  });
  for (const value of Object.values(found)) if (typeof value === "number") expect(value).toBeGreaterThan(0);
});

test("only the isolates of one process, and of those no worker that ended a minute ago", () => {
  const loop = (ms: number) => [{ timeNs: atMs(ms), idleNs: 0n, maxBusyNs: 0n, cpuNs: 0n }];
  const recent = reader([
    { id: ID, gc: [], loop: loop(1000) },
    { id: `${PID}-1`, gc: [], loop: loop(1000) },
    { id: `${PID}-2`, gc: [], loop: loop(99_000) },
    { id: `${PID}1-0`, gc: [], loop: loop(99_000) },
  ]);
  const ids = (): readonly string[] => recent.read(100_000).map(({ id }) => id);
  expect(ids()).toEqual([ID, `${PID}-1`, `${PID}-2`]);
  expect(ids()).toEqual([ID, `${PID}-2`]);
});

test("an isolate whose pauses cannot be read is left out: it may have had some", () => {
  const recent = reader([{ id: ID, gc: [pause(1000)] }]);
  writeFileSync(join(folder, `${ID}.gc`), Buffer.alloc(9000, 0xff));
  expect(recent.read(2000)).toEqual([]);
});

test("nonsense, and a folder that goes away, are left out", () => {
  const recent = reader([{ id: ID, gc: [pause(1000)] }]);
  for (const suffix of ["heap", "phases", "samples", "stacks"])
    writeFileSync(join(folder, `${ID}.${suffix}`), Buffer.alloc(9000, 0xff));
  writeFileSync(join(folder, `${ID}.json`), "{");
  expect(only(recent.read(2000))).toMatchObject({ pauses: { count: 1 }, phases: null, samples: null });
  rmSync(folder, { recursive: true });
  expect(recent.read(3000)).toEqual([]);
});

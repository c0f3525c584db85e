/** Sampled objects: the .stacks, .samples and .buffers logs, and the windows made from them. */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { partOf } from "../../../src/analysis/part-of.ts";
import { convertAllocations } from "../../../src/recording/convert-allocations.ts";
import type { SampleRecordFields } from "../../../src/recording/log-writer.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import { SampleType, STACK_INLINED } from "../../../src/recording/spec.ts";
import { atMs, type IsolateFolder, makeRecordingFolder } from "../../support/recording-folder.ts";
import { isolate, recording, samples } from "../../support/timeline.ts";

const ID = "4121-0";
const FUNCTIONS = ["leaf", "caller", "main"].map((name) => ({ name, script: "/app/a.js", position: null }));
const STACKS = [
  [1, 2, 3],
  [2, 3],
];

let folder = "";
afterEach(() => {
  if (folder !== "") rmSync(dirname(folder), { recursive: true, force: true });
  folder = "";
});

async function read(fields: Partial<IsolateFolder>) {
  folder = makeRecordingFolder({ isolates: [{ id: ID, gc: [], functions: FUNCTIONS, stacks: STACKS, ...fields }] });
  const [found] = (await readRecording(folder)).isolates;
  if (found === undefined) throw new Error("no isolate");
  return found;
}

function birth(number: number, timeMs: number, fields: Partial<SampleRecordFields> = {}): SampleRecordFields {
  const size = { bytes: 64n, standsFor: 524_320n };
  return { type: SampleType.birth, stack: 1, timeNs: atMs(timeMs), number: BigInt(number), ...size, ...fields };
}

function death(number: number, timeMs: number): SampleRecordFields {
  return birth(number, timeMs, { type: SampleType.death });
}

test("objects have a stack, a birth and a death", async () => {
  const records = [birth(1, 10), birth(2, 20, { stack: 2 }), death(2, 30), birth(3, 40), death(1, 50)];
  const found = await read({ samples: records, descriptor: { sampler: "exact" } });
  const { heap, isExact } = found.samples ?? expect.fail("no samples");
  const { stacks, frames } = found.allocations ?? expect.fail("no allocations");
  expect(isExact).toBe(true);
  expect([...heap.bornMs]).toEqual([10, 20, 40]);
  expect([...heap.diedMs]).toEqual([50, 30, Number.POSITIVE_INFINITY]);
  expect([...heap.bytes]).toEqual([524_320, 524_320, 524_320]);
  const names = (index: number) => stacks[index]?.map((frame) => frames[frame]?.function);
  expect([...heap.stack].map(names)).toEqual([
    ["leaf", "caller", "main"],
    ["caller", "main"],
    ["leaf", "caller", "main"],
  ]);
  expect(found.warnings).toEqual([]);
});

test("an object without a stack, or with one that is not there, was allocated at the root", async () => {
  const found = await read({ samples: [birth(1, 10, { stack: 0 }), birth(2, 20, { stack: 9 })] });
  const { heap } = found.samples ?? expect.fail("no samples");
  const { stacks, frames } = found.allocations ?? expect.fail("no allocations");
  const leaves = [...heap.stack].map((index) => frames[stacks[index]?.[0] ?? -1]);
  expect(leaves.map((frame) => [frame?.function, frame?.origin])).toEqual([
    ["(root)", "native"],
    ["(root)", "native"],
  ]);
});

test("a call that was inlined has a frame of its own, equal to that of its function", async () => {
  const inlined = (number: number): number => number + STACK_INLINED;
  const found = await read({
    stacks: [
      [inlined(1), inlined(2), 3],
      [inlined(2), 1, inlined(9), inlined(0)],
    ],
    samples: [birth(1, 10)],
  });
  const { stacks, frames } = found.allocations ?? expect.fail("no allocations");
  const told = stacks.map((stack) =>
    stack.map((frame) => `${frames[frame]?.isInlined ? "inlined " : ""}${frames[frame]?.function}`),
  );
  expect(told).toEqual([["inlined leaf", "inlined caller", "main"], ["inlined caller", "leaf"], ["(root)"]]);
  expect(frames.length).toBe(FUNCTIONS.length + 1 + 2);
});

test("the windows of allocations are made from the samples", async () => {
  const records = [
    birth(1, 100),
    birth(2, 900, { standsFor: 600_000n, bytes: 600_000n }),
    birth(3, 2500, { stack: 2 }),
  ];
  const found = await read({ samples: records });
  expect(found.allocations?.windows).toEqual([
    {
      startMs: 0,
      endMs: 1000,
      truncated: false,
      samples: [{ stack: 0, objects: Math.round(524_320 / 64 + 1), bytes: 1_124_320 }],
    },
    { startMs: 1000, endMs: 2000, truncated: false, samples: [] },
    { startMs: 2000, endMs: 2500, truncated: false, samples: [{ stack: 1, objects: 8193, bytes: 524_320 }] },
  ]);
});

test("from the time on when the program takes V8's sampler, allocations are unknown", async () => {
  const found = await read({
    samples: [birth(1, 100), birth(1, 400, { type: SampleType.yielded }), death(1, 1500)],
  });
  expect(found.allocations?.windows.map(({ endMs }) => endMs)).toEqual([400]);
  expect([...(found.samples?.heap.diedMs ?? [])]).toEqual([1500]);
  expect(found.warnings.map(({ code }) => code)).toEqual(["sampler-yielded"]);
});

test("records that make no sense are left out and counted", async () => {
  const records = [birth(1, 100), birth(3, 200), death(2, 300), birth(2, 50), death(1, 20), birth(2, 400)];
  const found = await read({ samples: records });
  expect([...(found.samples?.heap.bornMs ?? [])]).toEqual([100, 400]);
  expect(found.warnings.map(({ message }) => message)).toEqual([expect.stringContaining("4 records are damaged")]);
});

test("pprof is written beside the samples and not read instead of them", async () => {
  const before = await read({ samples: [birth(1, 100), death(1, 200)] });
  await convertAllocations(folder, ID);
  const after = await readRecording(folder);
  expect(after.isolates[0]?.samples).toEqual(before.samples);
  expect(after.isolates[0]?.allocations).toEqual(before.allocations);
  for (const suffix of ["samples", "stacks"]) rmSync(join(folder, `${ID}.${suffix}`));
  const pprof = await readRecording(folder);
  expect(pprof.isolates[0]?.samples).toBeNull();
  expect(pprof.isolates[0]?.allocations?.windows[0]?.samples).toEqual([{ stack: 0, objects: 8193, bytes: 524_320 }]);
});

test("what was born before the recording began is retained from before, and not allocated in it", async () => {
  const records = [birth(1, -500), birth(2, -20, { stack: 2 }), birth(3, 30), death(2, 40)];
  const found = await read({ samples: records, descriptor: { sampler: "exact", startNs: String(atMs(-1000)) } });
  expect(found.warnings).toEqual([]);
  expect(found.startMs).toBe(0);
  expect([...(found.samples?.heap.bornMs ?? [])]).toEqual([-500, -20, 30]);
  expect([...(found.samples?.heap.diedMs ?? [])]).toEqual([Number.POSITIVE_INFINITY, 40, Number.POSITIVE_INFINITY]);
  const windows = found.allocations?.windows ?? [];
  expect(windows.map(({ startMs, samples }) => [startMs, samples])).toEqual([
    [0, [{ stack: 0, objects: 8193, bytes: 524_320 }]],
  ]);
});

test("a part of a recording has what was born in it, alive at its end unless it died before", () => {
  const lives = fc.array(fc.record({ bornMs: fc.nat(5000), ageMs: fc.option(fc.nat(5000)) }), { maxLength: 30 });
  fc.assert(
    fc.property(lives, fc.nat(4000), fc.integer({ min: 1, max: 3000 }), (objects, fromMs, lengthMs) => {
      const toMs = fromMs + lengthMs;
      const specs = objects.map(({ bornMs, ageMs }) => ({
        stack: "main@a.js:1 > leaf@a.js:2",
        bytes: 64,
        bornMs,
        diedMs: ageMs === null ? Number.POSITIVE_INFINITY : bornMs + ageMs,
      }));
      const whole = recording([isolate("-".repeat(100), { samples: samples(specs, { buffers: specs }) })]);
      const part = partOf(whole, fromMs, toMs).isolates[0]?.samples ?? expect.fail("no samples");
      const born = specs.filter(({ bornMs }) => bornMs >= fromMs && bornMs < toMs).sort((a, b) => a.bornMs - b.bornMs);
      for (const columns of [part.heap, part.buffers ?? expect.fail("no buffers")]) {
        expect(columns.count).toBe(born.length);
        expect([...columns.bornMs]).toEqual(born.map(({ bornMs }) => bornMs - fromMs));
        expect([...columns.diedMs]).toEqual(
          born.map(({ diedMs }) => (diedMs < toMs ? diedMs - fromMs : Number.POSITIVE_INFINITY)),
        );
      }
    }),
  );
});

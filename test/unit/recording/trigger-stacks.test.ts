import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CodeRecordFields } from "../../../src/recording/log-writer.ts";
import type { IsolateData } from "../../../src/recording/model.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import { atMs, PID, writeRecordingFolder } from "../../support/recording-folder.ts";

const ID = `${PID}-0`;
const BASE = 0x7f12_3456_0000n;
let folder: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "gcspike-test-")), "test.gcspike");
  mkdirSync(folder);
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

function code(ms: number, offset: number, size: number, name: string, script = "/app/server.js"): CodeRecordFields {
  return { timeNs: atMs(ms), address: BASE + BigInt(offset), size, name, script, line: 3, column: 7, type: 4 };
}

/** One scavenge at each time, with a stack of offsets. */
async function read(pieces: readonly CodeRecordFields[], stacks: readonly [ms: number, offsets: number[]][]) {
  const gc = stacks.map(([ms, offsets]) => ({
    kind: 1,
    startNs: atMs(ms),
    endNs: atMs(ms + 1),
    stack: offsets.map((offset) => BASE + BigInt(offset)),
  }));
  writeRecordingFolder(folder, { isolates: [{ id: ID, gc, code: pieces }] });
  const [isolate] = (await readRecording(folder)).isolates;
  if (isolate === undefined) throw new Error("no isolate");
  return isolate;
}

function functionsAt({ pauses, triggerStacks }: IsolateData, pause: number): readonly string[] | undefined {
  return triggerStacks[pauses.triggerStack[pause] ?? -1]?.map((frame) => frame.function);
}

describe("the stack that triggered a pause", () => {
  test("has the function whose code the address is in, the end excluded", async () => {
    const isolate = await read(
      [code(0, 0, 100, "serve"), code(0, 100, 50, "hydrate")],
      [
        [5, [0]],
        [10, [99, 100]],
        [15, [149]],
        [20, [150]],
      ],
    );
    expect(functionsAt(isolate, 0)).toEqual(["serve"]);
    expect(functionsAt(isolate, 1)).toEqual(["serve", "hydrate"]);
    expect(functionsAt(isolate, 2)).toEqual(["hydrate"]);
    expect(isolate.pauses.triggerStack[3]).toBe(-1);
  });

  test("has the newest code that stood there at the time", async () => {
    const isolate = await read(
      [code(0, 0, 100, "first"), code(12, 40, 20, "second"), code(22, 0, 200, "third")],
      [
        [5, [50]],
        [10, [50]],
        [15, [50]],
        [16, [10]],
        [25, [50]],
        [26, [10]],
      ],
    );
    expect([0, 1, 2, 3, 4, 5].map((pause) => functionsAt(isolate, pause))).toEqual([
      ["first"],
      ["first"],
      ["second"],
      ["first"],
      ["third"],
      ["third"],
    ]);
  });

  test("knows nothing of code that came later", async () => {
    const isolate = await read([code(20, 0, 100, "late")], [[5, [50]]]);
    expect(isolate.pauses.triggerStack[0]).toBe(-1);
  });

  test("stands once, however many pauses have it", async () => {
    const stack: [number, number[]][] = Array.from({ length: 50 }, (_, i) => [i * 2, [i % 2, 120]]);
    const isolate = await read([code(0, 0, 100, "serve"), code(0, 100, 50, "main")], stack);
    expect(isolate.triggerStacks).toHaveLength(1);
    expect([...isolate.pauses.triggerStack].every((number) => number === 0)).toBe(true);
  });

  test("tells whose code a frame is", async () => {
    const pieces = [
      code(0, 0, 10, "serve", "file:///app/my%20server.mjs"),
      code(0, 10, 10, "emit", "node:events"),
      { ...code(0, 20, 10, "ArrayMap", ""), line: 0, column: 0 },
      code(0, 30, 10, "collect", "/opt/gcspike/dist/agent/preload.cjs"),
      code(0, 40, 10, "", ""),
    ];
    const isolate = await read(pieces, [[5, [5, 15, 25, 35, 45]]]);
    expect(isolate.triggerStacks[0]?.map((frame) => [frame.function, frame.file, frame.origin])).toEqual([
      ["serve", "/app/my server.mjs", "user"],
      ["emit", "node:events", "node"],
      ["ArrayMap", "", "native"],
      ["collect", "/opt/gcspike/dist/agent/preload.cjs", "gcspike"],
      ["(anonymous)", "", "user"],
    ]);
  });

  test("agrees with a plain replay of all events, for overlapping code", async () => {
    const random = sequence(7);
    const pieces = Array.from({ length: 300 }, (_, i) => code(i, random(4000), 1 + random(300), `f${i}`));
    const stacks = Array.from({ length: 200 }, (_, i): [number, number[]] => [i * 1.5 + 0.25, [random(4300)]]);
    const gc = await read(
      pieces,
      stacks.map(([ms, offsets]) => [ms * 2, offsets]),
    );
    stacks.forEach(([ms, [offset = 0]], pause) => {
      const newest = pieces.findLast(
        ({ timeNs, address, size }) =>
          timeNs <= atMs(ms * 2) && address <= BASE + BigInt(offset) && BASE + BigInt(offset) < address + BigInt(size),
      );
      expect(functionsAt(gc, pause)?.[0]).toBe(newest?.name);
    });
  });
});

/** The same numbers every time. */
function sequence(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
}

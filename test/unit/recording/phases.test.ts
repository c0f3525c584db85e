import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PhaseRecordFields } from "../../../src/recording/log-writer.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import { atMs, PID, writeRecordingFolder } from "../../support/recording-folder.ts";

const ID = `${PID}-0`;
const NAMES = ["MinorGC", "MajorGC", "V8.GC_MC_INCREMENTAL", "task", "allocation limit"];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function pause(kind: number, ms: number, lengthMs: number) {
  return { kind, startNs: atMs(ms), endNs: atMs(ms + lengthMs) };
}

function span(name: number, reason: number | null, ms: number, lengthMs: number, depth = 0): PhaseRecordFields {
  return { startNs: atMs(ms), durationNs: BigInt(lengthMs * 1e6), name, reason, depth, usedAfter: 0n };
}

async function read(gc: readonly ReturnType<typeof pause>[], phases: readonly PhaseRecordFields[]) {
  writeRecordingFolder(folder, { isolates: [{ id: ID, gc, phaseNames: NAMES, phases }] });
  const [isolate] = (await readRecording(folder)).isolates;
  if (isolate === undefined) throw new Error("no isolate");
  return isolate;
}

describe("V8's reasons", () => {
  test("belong to the pause that they overlap, of the kind that they are for", async () => {
    const isolate = await read(
      [pause(1, 10, 2), pause(8, 15, 1), pause(4, 20, 5), pause(1, 25.5, 1), pause(4, 40, 5)],
      [span(0, 3, 9.9, 2.2), span(1, 4, 19, 7), span(0, 3, 25.4, 1.2), span(2, null, 30, 3)],
    );
    const reasons = [...isolate.pauses.reason].map((reason) => isolate.reasons[reason]);
    expect(reasons).toEqual(["task", undefined, "allocation limit", "task", undefined]);
    expect([...isolate.pauses.reason]).toEqual([0, -1, 1, 0, -1]);
  });

  test("are found for each of many pauses", async () => {
    const moments = Array.from({ length: 500 }, (_, i) => i * 10);
    const isolate = await read(
      moments.map((ms) => pause(1, ms, 3)),
      moments.map((ms, i) => span(0, i % 2 === 0 ? 3 : 4, ms + 0.1, 2.5)),
    );
    expect([...isolate.pauses.reason]).toEqual(moments.map((_, i) => i % 2));
  });
});

describe("phases", () => {
  test("with names that the table does not have are left out and counted", async () => {
    const isolate = await read([], [span(0, 3, 1, 1), span(99, null, 5, 1), span(1, 99, 7, 1)]);
    expect(isolate.phases?.count).toBe(1);
    expect(isolate.warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining("2 records are damaged and left out."),
    ]);
  });

  test("that overlap at one depth are in order of start all the same", async () => {
    const isolate = await read([], [span(0, null, 50, 1), span(1, null, 10, 90), span(2, null, 10, 5, 1)]);
    expect([...(isolate.phases?.startMs ?? [])]).toEqual([10, 10, 50]);
    expect([...(isolate.phases?.depth ?? [])]).toEqual([0, 1, 0]);
  });
});

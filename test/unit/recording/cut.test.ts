import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GcspikeError } from "../../../src/lib/errors.ts";
import { convertAllocations } from "../../../src/recording/convert-allocations.ts";
import { type GcRecordFields, gcRecordBytes } from "../../../src/recording/gc-log-writer.ts";
import type { Recording } from "../../../src/recording/model.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import {
  DropReason,
  HEADER,
  HEADER_BYTES,
  LOOP_RECORD_BYTES,
  LogKind,
  MAX_LOG_BYTES,
} from "../../../src/recording/spec.ts";
import { arbitraryIsolate, SPACES } from "../../support/arbitrary-recording.ts";
import { atMs, PID, writeRecordingFolder } from "../../support/recording-folder.ts";

const ID = `${PID}-0`;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Null where the folder holds no recording any more, which is the only thing that may be thrown. */
async function readOrRefused(): Promise<Recording | null> {
  try {
    return await readRecording(folder);
  } catch (error) {
    expect(error).toBeInstanceOf(GcspikeError);
    return null;
  }
}

function scavenge(ms: number): GcRecordFields {
  return { kind: 1, startNs: atMs(ms), endNs: atMs(ms + 1), cpuNs: 900_000n };
}

function gcMessages(recording: Recording): readonly string[] {
  return recording.isolates[0]?.warnings.map(({ message }) => message) ?? [];
}

describe("a recording that is cut", () => {
  test("a .gc log cut at any byte has all pauses before the cut, and says which record was the last", async () => {
    writeRecordingFolder(folder, { isolates: [{ id: ID, spaces: SPACES, gc: [5, 10, 15].map(scavenge) }] });
    const path = join(folder, `${ID}.gc`);
    const whole = readFileSync(path);
    const stride = gcRecordBytes(SPACES.length);
    expect(whole).toHaveLength(HEADER_BYTES + 3 * stride);
    for (let length = 0; length < whole.length; length += length < HEADER_BYTES ? 127 : 1) {
      writeFileSync(path, whole.subarray(0, length));
      const recording = await readRecording(folder);
      const left = Math.max(0, Math.floor((length - HEADER_BYTES) / stride));
      expect([...(recording.isolates[0]?.pauses.startMs ?? [])]).toEqual([5, 10, 15].slice(0, left));
      expect(recording.complete).toBe(false);
      if (length >= 128) expect(gcMessages(recording)[0]).toContain(`${ID}.gc is cut after record ${left} of 3.`);
      else expect(gcMessages(recording)[0]).toContain("cut inside its header");
    }
  });

  test("a log larger than any that the probe writes is read as far as those go", async () => {
    const loop = [1, 2].map((ms) => ({ timeNs: atMs(ms), idleNs: 0n, maxBusyNs: 0n, cpuNs: 0n }));
    writeRecordingFolder(folder, { isolates: [{ id: ID, spaces: SPACES, loop }] });
    const path = join(folder, `${ID}.loop`);
    const bytes = readFileSync(path);
    const claimed = 100_000 * MAX_LOG_BYTES[LogKind.loop];
    bytes.writeBigUInt64LE(BigInt(claimed), HEADER.committedBytes);
    writeFileSync(path, bytes);
    truncateSync(path, claimed);
    const recording = await readRecording(folder);
    expect(recording.isolates[0]?.loop.timeMs.slice(-2)).toEqual(Float64Array.of(1, 2));
    const most = Math.floor((MAX_LOG_BYTES[LogKind.loop] - HEADER_BYTES) / LOOP_RECORD_BYTES).toLocaleString("en-US");
    expect(gcMessages(recording).join()).toContain(`${ID}.loop is cut after record ${most} of `);
  });

  test("any file of any recording, cut anywhere, still reads", async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryIsolate,
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (content, n, at) => {
          for (const name of readdirSync(folder)) rmSync(join(folder, name));
          writeRecordingFolder(folder, { isolates: [content] });
          if (n % 2 === 0) await convertAllocations(folder, ID);
          const names = readdirSync(folder);
          const name = names[n % names.length] ?? "";
          truncateSync(join(folder, name), Math.floor(readFileSync(join(folder, name)).length * at));
          const recording = await readOrRefused();
          // The pauses are in their own file: no other cut costs one.
          if (!name.endsWith(".gc")) expect(recording?.isolates[0]?.pauses.count).toBe(content.gc?.length);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("any file of any recording, with bytes changed at random, still reads", async () => {
    const change = fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(arbitraryIsolate, fc.nat(), fc.array(change, { minLength: 1 }), async (content, n, changes) => {
        for (const name of readdirSync(folder)) rmSync(join(folder, name));
        writeRecordingFolder(folder, { isolates: [content] });
        if (n % 2 === 0) await convertAllocations(folder, ID);
        const names = readdirSync(folder);
        const path = join(folder, names[n % names.length] ?? "");
        const bytes = readFileSync(path);
        for (const [at, value] of changes) bytes[Math.floor(at * bytes.length)] = value;
        writeFileSync(path, bytes);
        await readOrRefused();
      }),
      { numRuns: 150 },
    );
  });

  test("bytes changed among the records of a .gc log leave out what cannot be, and count it", async () => {
    writeRecordingFolder(folder, { isolates: [{ id: ID, spaces: SPACES, gc: [5, 10, 15, 20].map(scavenge) }] });
    const path = join(folder, `${ID}.gc`);
    const bytes = readFileSync(path);
    const record = (n: number) => HEADER_BYTES + n * gcRecordBytes(SPACES.length);
    bytes.writeUInt32LE(77, record(0)); // no such kind
    bytes.writeBigUInt64LE(atMs(1), record(1) + 24); // ends before it starts
    bytes.writeUInt32LE(4_000_000_000, record(2) + 152); // four billion frames
    writeFileSync(path, bytes);
    const recording = await readRecording(folder);
    expect([...(recording.isolates[0]?.pauses.startMs ?? [])]).toEqual([15, 20]);
    expect(gcMessages(recording)).toEqual([expect.stringContaining("2 records are damaged and left out.")]);
  });

  test("a log of another version is named with both versions", async () => {
    writeRecordingFolder(folder, { isolates: [{ id: ID, gc: [scavenge(5)] }] });
    const path = join(folder, `${ID}.gc`);
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(7, 8);
    writeFileSync(path, bytes);
    const recording = await readRecording(folder);
    const warning = recording.isolates[0]?.warnings.find(({ code }) => code === "log-version");
    expect(warning?.message).toContain("has format version 7; this gcspike reads version 1.");
    expect(warning?.hint).toContain("record again");
  });

  test("a full disk is named as the reason for what is missing", async () => {
    const header = { droppedRecords: 20_417n, dropReasons: DropReason.diskFull };
    writeRecordingFolder(folder, { isolates: [{ id: ID, gc: [scavenge(5)], header }] });
    const recording = await readRecording(folder);
    expect(recording.complete).toBe(false);
    expect(gcMessages(recording)).toEqual([
      expect.stringMatching(/\.gc lacks 20,417 records that were not written: the disk was full\.$/),
    ]);
  });

  test("a process that died inside a collection leaves it open", async () => {
    const openPause = { kind: 4, startNs: atMs(42), endNs: 0n };
    writeRecordingFolder(folder, { isolates: [{ id: ID, gc: [scavenge(5)], openPause }] });
    const recording = await readRecording(folder);
    expect(recording.isolates[0]?.pauses.count).toBe(1);
    expect(recording.isolates[0]?.openPause).toEqual({ startMs: 42, kind: "mark-compact" });
    expect(recording.isolates[0]?.endMs).toBe(42);
    expect(recording.complete).toBe(false);
  });

  test("pprof that is cut keeps the windows before the cut", async () => {
    const nodes = Array.from({ length: 60 }, (_, i) => ({
      parent: null,
      function: i,
      script: 0,
      line: (i * 37) % 100,
      column: 1,
    }));
    const windows = Array.from({ length: 50 }, (_, window) => ({
      startNs: atMs(window * 1000),
      endNs: atMs(window * 1000 + 1000),
      intervalBytes: 524_288n,
      truncated: false,
      nodes,
      entries: nodes.map((_, node) => ({ node, count: (window * 7919 + node * 104_729) % 1_000_003, objectBytes: 64 })),
    }));
    const strings = nodes.map((_, i) => `function${i}`);
    writeRecordingFolder(folder, { isolates: [{ id: ID, gc: [], strings, windows }] });
    await convertAllocations(folder, ID);
    const whole = (await readRecording(folder)).isolates[0]?.allocations;
    const path = join(folder, `${ID}.alloc.pb.gz`);
    truncateSync(path, Math.floor(readFileSync(path).length * 0.7));
    const isolate = (await readRecording(folder)).isolates[0];
    const left = isolate?.allocations?.windows.length ?? 0;
    expect(left).toBeGreaterThan(25);
    expect(left).toBeLessThan(45);
    expect(isolate?.allocations?.windows.slice(0, left - 1)).toEqual(whole?.windows.slice(0, left - 1));
    expect(isolate?.allocations?.frames).toEqual(whole?.frames);
    expect(isolate?.warnings).toEqual([
      expect.objectContaining({ message: expect.stringContaining(`allocation sites after ${left} s are unknown`) }),
    ]);
  });
});

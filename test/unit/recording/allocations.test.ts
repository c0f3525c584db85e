import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { Profile } from "pprof-format";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { convertAllocations } from "../../../src/recording/convert-allocations.ts";
import type { AllocWindowFields } from "../../../src/recording/log-writer.ts";
import type { Allocations } from "../../../src/recording/model.ts";
import { decodePprof } from "../../../src/recording/pprof-decode.ts";
import { encodePprof } from "../../../src/recording/pprof-encode.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import { arbitraryIsolate } from "../../support/arbitrary-recording.ts";
import { atMs, PID, STARTED_AT, writeRecordingFolder } from "../../support/recording-folder.ts";

const ID = `${PID}-0`;
const hasGo = spawnSync("go", ["version"]).status === 0;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const STRINGS = [
  "hydrateSession",
  "/app/src/session.js",
  "handle",
  "/app/src/server.js",
  "(root)",
  "",
  "processTimers",
];
const NODES = [
  { parent: null, function: 4, script: 5, line: 0, column: 0 },
  { parent: 0, function: 6, script: 5, line: 0, column: 0 },
  { parent: 1, function: 2, script: 3, line: 12, column: 9 },
  { parent: 2, function: 0, script: 1, line: 48, column: 3 },
  { parent: 2, function: 5, script: 1, line: 50, column: 20 },
];

function window(second: number, entries: AllocWindowFields["entries"], truncated = false): AllocWindowFields {
  return {
    startNs: atMs(second * 1000),
    endNs: atMs(second * 1000 + 1000),
    intervalBytes: 524_288n,
    truncated,
    nodes: NODES,
    entries,
  };
}

async function readWindows(): Promise<Allocations> {
  const [isolate] = (await readRecording(folder)).isolates;
  if (!isolate?.allocations) throw new Error("no allocations");
  return isolate.allocations;
}

/** Frames and stacks may stand in another order: what counts is what each sample says. */
function spelledOut({ frames, stacks, windows, intervalBytes }: Allocations) {
  return {
    intervalBytes,
    windows: windows.map(({ samples, ...rest }) => ({
      ...rest,
      samples: samples
        .map(({ stack, objects, bytes }) => ({ stack: stacks[stack]?.map((frame) => frames[frame]), objects, bytes }))
        .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    })),
  };
}

describe("allocation windows", () => {
  test("are read from the raw log: stacks leaf first, sizes of one site together, the root alone only", async () => {
    const windows = [
      window(0, [
        { node: 3, count: 10, objectBytes: 64 },
        { node: 3, count: 5, objectBytes: 1000 },
        { node: 4, count: 2, objectBytes: 16 },
        { node: 0, count: 1, objectBytes: 24 },
      ]),
      window(1, [], true),
    ];
    writeRecordingFolder(folder, { isolates: [{ id: ID, gc: [], strings: STRINGS, windows }] });
    const allocations = await readWindows();
    expect(allocations.windows.map(({ startMs, endMs, truncated }) => [startMs, endMs, truncated])).toEqual([
      [0, 1000, false],
      [1000, 2000, true],
    ]);
    const names = allocations.windows[0]?.samples.map(({ stack, objects, bytes }) => [
      allocations.stacks[stack]?.map((frame) => allocations.frames[frame]?.function),
      objects,
      bytes,
    ]);
    expect(names).toEqual([
      [["hydrateSession", "handle", "processTimers"], 15, 5640],
      [["(anonymous)", "handle", "processTimers"], 2, 32],
      [["(root)"], 1, 24],
    ]);
    expect(allocations.frames.find((frame) => frame.function === "hydrateSession")).toEqual({
      function: "hydrateSession",
      file: "/app/src/session.js",
      line: 48,
      column: 3,
      origin: "user",
    });
  });

  test("say the same as pprof, for any recording", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryIsolate, async (content) => {
        writeRecordingFolder(folder, { isolates: [content] });
        rmSync(join(folder, `${ID}.alloc.pb.gz`), { force: true });
        const raw = spelledOut(await readWindows());
        expect(await convertAllocations(folder, ID)).toEqual([]);
        expect(existsSync(join(folder, `${ID}.alloc`))).toBe(false);
        expect(spelledOut(await readWindows())).toEqual(raw);
      }),
      { numRuns: 60 },
    );
  });

  test("of a process that was killed before they were converted are read as they are", async () => {
    const windows = [window(0, [{ node: 3, count: 10, objectBytes: 64 }])];
    writeRecordingFolder(folder, { manifest: null, isolates: [{ id: ID, gc: [], strings: STRINGS, windows }] });
    expect((await readWindows()).windows).toHaveLength(1);
  });

  test("survive a conversion that finds no room: the raw log stays", async () => {
    const windows = [window(0, [{ node: 3, count: 10, objectBytes: 64 }])];
    writeRecordingFolder(folder, { isolates: [{ id: ID, gc: [], strings: STRINGS, windows }] });
    // /dev/full is a disk without room; the temporary file's name leads to it.
    symlinkSync("/dev/full", join(folder, `${ID}.alloc.pb.gz.tmp`));
    await expect(convertAllocations(folder, ID)).rejects.toThrow("ENOSPC");
    expect(existsSync(join(folder, `${ID}.alloc`))).toBe(true);
    expect((await readWindows()).windows).toHaveLength(1);
  });
});

describe("pprof", () => {
  const allocations: Allocations = {
    frames: [
      { function: "hydrateSession", file: "/app/src/session.ts", line: 48, column: 3, origin: "user" },
      { function: "<b>&\u{1F600}", file: "", line: 0, column: 0, origin: "native" },
    ],
    stacks: [[0, 1], [1]],
    windows: [
      {
        startMs: 0,
        endMs: 1000,
        truncated: false,
        samples: [
          { stack: 0, objects: 7, bytes: 2 ** 40 },
          { stack: 1, objects: 1, bytes: 8 },
        ],
      },
      { startMs: 1000, endMs: 2000, truncated: true, samples: [] },
      { startMs: 2000, endMs: 3000, truncated: false, samples: [{ stack: 0, objects: 3, bytes: 3_145_728 }] },
    ],
    intervalBytes: 524_288,
  };

  test("has everything that allocations have, windows without samples included", () => {
    const decoded = decodePprof(encodePprof(allocations, new Date(STARTED_AT)));
    expect(decoded).toEqual({ allocations, cut: false });
  });

  test("is read as far as any real file goes, whatever it unpacks to", () => {
    // The smallest message of the field "sample", ten million times.
    const samples = Buffer.alloc(20_000_000, Uint8Array.of((2 << 3) | 2, 0));
    const whole = gunzipSync(encodePprof(allocations, new Date(STARTED_AT)));
    const decoded = decodePprof(gzipSync(Buffer.concat([whole, samples])));
    expect(decoded.cut).toBe(true);
    expect(decoded.allocations.windows.filter(({ endMs }) => endMs > 0)).toEqual(allocations.windows);
  });

  test("is what another decoder of the format understands", () => {
    const profile = Profile.decode(gunzipSync(encodePprof(allocations, new Date(STARTED_AT))));
    const text = (index: number | bigint) => profile.stringTable.strings[Number(index)];
    expect(profile.sampleType.map(({ type, unit }) => [text(type), text(unit)])).toEqual([
      ["alloc_objects", "count"],
      ["alloc_space", "bytes"],
    ]);
    expect(text(profile.defaultSampleType)).toBe("alloc_space");
    expect([text(profile.periodType?.type ?? 0), text(profile.periodType?.unit ?? 0)]).toEqual(["space", "bytes"]);
    expect(Number(profile.period)).toBe(524_288);
    expect(Number(profile.timeNanos)).toBe(Date.parse(STARTED_AT) * 1e6);
    expect(Number(profile.durationNanos)).toBe(3e9);
    expect(profile.function.map(({ name, filename }) => [text(name), text(filename)])).toEqual([
      ["hydrateSession", "/app/src/session.ts"],
      ["<b>&\u{1F600}", ""],
    ]);
    const [sample] = profile.sample;
    expect(sample?.value.map(Number)).toEqual([7, 2 ** 40]);
    expect(sample?.label.map(({ key, num, numUnit }) => [text(key), Number(num), text(numUnit)])).toEqual([
      ["window_start_ms", 0, "milliseconds"],
      ["window_end_ms", 1000, "milliseconds"],
    ]);
  });

  test.skipIf(!hasGo)("is what go tool pprof understands", () => {
    const path = join(folder, "alloc.pb.gz");
    writeFileSync(path, encodePprof(allocations, new Date(STARTED_AT)));
    const pprof = (...flags: string[]) =>
      execFileSync("go", ["tool", "pprof", ...flags, path], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const top = pprof("-top", "-unit=B");
    expect(top).toContain("Type: alloc_space");
    expect(top).toMatch(/1099514773504B\s+100%\s+100%\s+1099514773504B\s+100%\s+hydrateSession/);
    expect(pprof("-top", "-sample_index=alloc_objects")).toMatch(/10 90\.91% 90\.91%\s+10 90\.91%\s+hydrateSession/);
    expect(pprof("-tags")).toMatch(/window_start_ms/);
    const later = pprof("-top", "-unit=B", "-tagfocus=window_start_ms=2s:3s");
    expect(later).toMatch(/3145728B.*hydrateSession/);
  });

  test("that is no gzip is refused, and the recording reads without it", async () => {
    writeRecordingFolder(folder, { isolates: [{ id: ID, gc: [] }] });
    writeFileSync(join(folder, `${ID}.alloc.pb.gz`), "not gzip");
    const [isolate] = (await readRecording(folder)).isolates;
    expect(isolate?.allocations).toBeNull();
    expect(isolate?.warnings).toEqual([expect.objectContaining({ code: "allocations-unreadable" })]);
    expect(readFileSync(join(folder, `${ID}.alloc.pb.gz`), "utf8")).toBe("not gzip");
  });
});

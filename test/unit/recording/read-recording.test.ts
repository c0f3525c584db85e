import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GcspikeError } from "../../../src/lib/errors.ts";
import {
  encodeGcLogHeader,
  encodeGcRecord,
  gcProcessOffset,
  gcRecordBytes,
} from "../../../src/recording/gc-log-writer.ts";
import { encodeLog } from "../../../src/recording/log-writer.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import { LogKind, type Manifest } from "../../../src/recording/spec.ts";
import { trimLogs } from "../../../src/recording/trim-logs.ts";
import {
  atMs,
  type IsolateFolder,
  PID,
  START_NS,
  STARTED_AT,
  writeRecordingFolder,
} from "../../support/recording-folder.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function refusal(path: string): Promise<GcspikeError> {
  const error: unknown = await readRecording(path).catch((reason: unknown) => reason);
  if (!(error instanceof GcspikeError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

const scavenge = (ms: number) => ({ kind: 1, startNs: atMs(ms), endNs: atMs(ms + 1) });

function isolate(id: string, descriptor: IsolateFolder["descriptor"] = {}): IsolateFolder {
  return { id, descriptor, gc: [scavenge(5)] };
}

async function kinds(isolates: readonly IsolateFolder[], manifest: Partial<Manifest> = {}) {
  writeRecordingFolder(folder, { manifest, isolates });
  return (await readRecording(folder)).isolates.map(({ id, kind, name }) => [id, kind, name]);
}

describe("what is no recording", () => {
  test("is refused with exit code 4, what it is, and what to do", async () => {
    const missing = await refusal(join(folder, "gone.gcspike"));
    expect(missing.message).toBe(`There is no recording at ${join(folder, "gone.gcspike")}.`);
    expect(missing.hint).toContain("gcspike record");
    const empty = await refusal(folder);
    expect(empty.message).toBe(`${folder} holds no recording: no manifest.json and no logs.`);
    writeFileSync(join(folder, "file"), "");
    const file = await refusal(join(folder, "file"));
    expect(file.message).toContain("is a file; a recording is a folder.");
    expect([missing, empty, file].map(({ exitCode }) => exitCode)).toEqual([4, 4, 4]);
  });

  test.skipIf(process.getuid?.() === 0)("is refused where the folder must not be read", async () => {
    chmodSync(folder, 0o000);
    expect((await refusal(folder)).message).toContain("permission denied");
    chmodSync(folder, 0o700);
  });

  test("is refused where it has another format, with both versions", async () => {
    writeRecordingFolder(folder, { manifest: { formatVersion: 9 } });
    const error = await refusal(folder);
    expect(error.message).toBe(`${folder} has format version 9; this gcspike reads version 1.`);
    expect(error.hint).toContain("record again");
  });
});

describe("the manifest", () => {
  test("of a finished recording gives its length and how it ended", async () => {
    writeRecordingFolder(folder, { isolates: [isolate(`${PID}-0`)] });
    const recording = await readRecording(folder);
    expect(recording.durationMs).toBe(10_000);
    expect(recording.manifest.startedAt).toBe(STARTED_AT);
    expect(recording.warnings).toEqual([]);
    expect(recording.complete).toBe(true);
  });

  test.each([
    ["the program was killed", { exit: { code: null, signal: "SIGKILL" } }, false],
    ["the program ran out of memory", { exit: { code: null, signal: "SIGABRT" } }, false],
    ["a shell passed on that it ran out of memory", { exit: { code: 134, signal: null } }, false],
    ["the recorder did not finish", { state: "recording", endNs: null, exit: null } as const, false],
    ["somebody pressed Ctrl-C", { exit: { code: null, signal: "SIGINT" } }, true],
    ["the program failed", { exit: { code: 1, signal: null } }, true],
  ])("tells whether the recording is complete: %s", async (_, manifest, complete) => {
    writeRecordingFolder(folder, { manifest, isolates: [isolate(`${PID}-0`)] });
    expect((await readRecording(folder)).complete).toBe(complete);
  });

  test("may be missing: time then starts with the first isolate", async () => {
    const early = { startNs: String(atMs(2)) };
    const late = { startNs: String(atMs(3)), parentPid: PID };
    writeRecordingFolder(folder, {
      manifest: null,
      isolates: [isolate(`${PID}-0`, early), isolate(`${PID + 1}-0`, late)],
    });
    const recording = await readRecording(folder);
    expect(recording.isolates.map(({ startMs }) => startMs)).toEqual([2 - 2, 1]);
    expect([...(recording.isolates[0]?.pauses.startMs ?? [])]).toEqual([3]);
    expect(recording.isolates.map(({ kind }) => kind)).toEqual(["main", "child"]);
    expect(recording.durationMs).toBe(4);
    expect(recording.complete).toBe(false);
    expect(recording.warnings.map(({ code }) => code)).toEqual(["no-manifest"]);
  });

  test("of a program without Node reads, and says that nothing was recorded", async () => {
    writeRecordingFolder(folder, {});
    const recording = await readRecording(folder);
    expect(recording.isolates).toEqual([]);
    expect(recording.warnings.map(({ code }) => code)).toEqual(["no-isolates"]);
  });

  test("with nonsense in its fields reads with neutral values", async () => {
    const nonsense = {
      exit: "no",
      command: 7,
      machine: [],
      files: [null],
      warnings: [{ code: 1 }],
      endNs: "x".repeat(99),
    };
    writeRecordingFolder(folder, {
      manifest: nonsense as unknown as Partial<Manifest>,
      isolates: [isolate(`${PID}-0`)],
    });
    const { manifest } = await readRecording(folder);
    expect(manifest).toMatchObject({ exit: null, command: [], files: [], warnings: [], endNs: null });
    expect(manifest.machine.cpus).toBe(0);
  });
});

describe("an isolate", () => {
  test("is the program, a worker with its name, or a child with its script", async () => {
    const child = { parentPid: PID, script: "task.js" };
    const found = await kinds([
      isolate(`${PID}-0`),
      isolate(`${PID}-1`, { name: "parser" }),
      isolate(`${PID}-2`, { name: "" }),
      isolate(`${PID + 1}-0`, child),
    ]);
    expect(found).toEqual([
      [`${PID}-0`, "main", "main"],
      [`${PID}-1`, "worker", "parser"],
      [`${PID}-2`, "worker", "worker-2"],
      [`${PID + 1}-0`, "child", "task.js"],
    ]);
  });

  test("below a shell is the program where it is the only one there", async () => {
    const found = await kinds([isolate(`${PID + 5}-0`), isolate(`${PID + 6}-0`, { parentPid: PID + 5 })]);
    expect(found.map(([, kind]) => kind)).toEqual(["main", "child"]);
  });

  test("below a shell that started several is a child like the others", async () => {
    const found = await kinds([isolate(`${PID + 5}-0`), isolate(`${PID + 6}-0`)]);
    expect(found.map(([, kind]) => kind)).toEqual(["child", "child"]);
  });

  test("that replaced itself is the program in its last form", async () => {
    const later = { startNs: String(atMs(50)) };
    const found = await kinds([isolate(`${PID}-0`), isolate(`${PID}-0.2`, later)]);
    expect(found.map(([id, kind]) => [id, kind])).toEqual([
      [`${PID}-0`, "child"],
      [`${PID}-0.2`, "main"],
    ]);
  });

  test("without a descriptor is known by its file's name and its logs", async () => {
    writeRecordingFolder(folder, { isolates: [isolate(`${PID}-0`, null), isolate(`${PID}-3`, null)] });
    const { isolates } = await readRecording(folder);
    expect(isolates.map(({ pid, threadId, name, kind, pauses }) => [pid, threadId, name, kind, pauses.count])).toEqual([
      [PID, 0, "main", "main", 1],
      [PID, 3, "worker-3", "worker", 1],
    ]);
    expect(isolates[0]?.collectors).toEqual(["perf_hooks"]);
    expect(isolates[0]?.warnings.map(({ code }) => code)).toEqual(["isolate-unknown"]);
  });

  test("with names without end has them cut", async () => {
    const [found] = await kinds([isolate(`${PID}-1`, { name: "n".repeat(100_000) })]);
    expect(found?.[2]?.length).toBe(2000);
  });
});

describe("files", () => {
  test("that are no files are not opened", async () => {
    writeRecordingFolder(folder, { isolates: [isolate(`${PID}-0`)] });
    execFileSync("mkfifo", [join(folder, `${PID}-0.heap`)]);
    symlinkSync("/dev/zero", join(folder, `${PID}-0.loop`));
    const [found] = (await readRecording(folder)).isolates;
    expect(found?.pauses.count).toBe(1);
    expect(found?.warnings.map(({ code }) => code)).toEqual(["log-unreadable", "log-unreadable"]);
  });

  test("that a collector appends to are read to their end", async () => {
    const path = join(folder, `${PID}-0.gc`);
    const fd = openSync(path, "w");
    writeSync(fd, encodeGcLogHeader({ pid: PID, threadId: 0, startNs: START_NS }));
    const record = Buffer.alloc(gcRecordBytes(0));
    for (const ms of [3, 6]) {
      encodeGcRecord(record, scavenge(ms));
      writeSync(fd, record);
    }
    writeSync(fd, record.subarray(0, 100));
    closeSync(fd);
    const [found] = (await readRecording(folder)).isolates;
    expect([...(found?.pauses.durationMs ?? [])]).toEqual([1, 1]);
    expect(found?.warnings.find(({ code }) => code === "log-cut")?.message).toContain(
      "is cut after record 2 of an unknown number.",
    );
  });

  test("that end with the spaces, as they did before the process was measured, are read", async () => {
    const strings = ["new_space", "old_space"];
    const recordBytes = gcProcessOffset(strings.length);
    const record = Buffer.alloc(gcRecordBytes(strings.length));
    const space = { usedBefore: 800, usedAfter: 80, committedBefore: 8000, committedAfter: 8000 };
    const process = { cpuNs: 5n, minorFaults: 6, majorFaults: 7, kernelNs: 8n, threadKernelNs: 9n };
    const records = [3, 6].map((ms) => {
      encodeGcRecord(record, { ...scavenge(ms), spaces: [space, space], process });
      return Buffer.from(record.subarray(0, recordBytes));
    });
    const header = { kind: LogKind.gc, recordBytes, strings, pid: PID, threadId: 0, startNs: START_NS };
    writeFileSync(join(folder, `${PID}-0.gc`), encodeLog(header, records));
    const [found] = (await readRecording(folder)).isolates;
    expect([...(found?.pauses.durationMs ?? [])]).toEqual([1, 1]);
    expect([...(found?.pauses.spaces.usedAfter ?? [])]).toEqual([10, 10, 10, 10]);
    expect([...(found?.pauses.processCpuMs ?? [])]).toEqual([Number.NaN, Number.NaN]);
    expect(found?.warnings.filter(({ code }) => code.startsWith("log-"))).toEqual([]);
  });

  test("are trimmed to their content, with the collection that was going on", async () => {
    const open = { kind: 4, startNs: atMs(42), endNs: 0n };
    writeRecordingFolder(folder, {
      isolates: [
        { id: `${PID}-0`, gc: [scavenge(5)], openPause: open, loop: [] },
        { id: `${PID}-1`, gc: [scavenge(7)] },
      ],
    });
    const sizes = () => ["0.gc", "0.loop", "1.gc"].map((name) => statSync(join(folder, `${PID}-${name}`)).size);
    const before = await readRecording(folder);
    const trimmed = sizes();
    for (const name of ["0.gc", "0.loop", "1.gc"]) {
      const path = join(folder, `${PID}-${name}`);
      truncateSync(path, statSync(path).size + 65_536);
    }
    expect(trimLogs(folder)).toEqual([]);
    expect(sizes()).toEqual(trimmed);
    expect(await readRecording(folder)).toEqual(before);
  });
});

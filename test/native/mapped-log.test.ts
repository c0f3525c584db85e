/**
 * native/gc-probe/mapped_log.cc by itself, compiled with AddressSanitizer and UndefinedBehaviorSanitizer (and, for its two
 * threads, ThreadSanitizer): what it writes is the format of src/recording/spec.ts, and nothing takes the program down.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RingLog } from "../../src/recorder/flight/ring-log.ts";
import { gcRecordBytes } from "../../src/recording/gc-log-writer.ts";
import { openLog } from "../../src/recording/log-reader.ts";
import { DropReason, FORMAT_VERSION, HEADER, HEADER_BYTES, LogKind } from "../../src/recording/spec.ts";
import { ROOT, temporaryFolder } from "../support/cli.ts";

const RECORD_BYTES = 1024;
/** Of a process with two heap spaces. */
const GC_RECORD_BYTES = gcRecordBytes(2);
const KIB = 1024;

const folder = temporaryFolder("gcspike-log-");
const disk = join(folder.path, "disk");
mkdirSync(disk);
/** Mounting needs rights that not every machine gives: then there is nothing to fill. */
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).status === 0;
afterAll(() => {
  if (mounted) execFileSync("umount", [disk]);
  folder.remove();
});

const SANITIZERS = { address: "address,undefined", thread: "thread" } as const;

beforeAll(() => {
  const sources = [
    "native/gc-probe/mapped_log.cc",
    "native/gc-probe/high_descriptor.cc",
    "test/native/mapped-log-driver.cc",
  ].map((name) => join(ROOT, name));
  for (const [name, sanitizers] of Object.entries(SANITIZERS)) {
    const flags = ["-std=c++20", "-g", "-O1", `-fsanitize=${sanitizers}`, "-fno-sanitize-recover=all", "-pthread"];
    const include = `-I${join(ROOT, "native/gc-probe")}`;
    execFileSync("g++", [...flags, include, ...sources, "-o", join(folder.path, name)], { stdio: "inherit" });
  }
});

/** Runs the driver; what it printed, by name. A sanitizer's report or a signal fails the test. */
function drive(action: string, path: string, sanitizer: keyof typeof SANITIZERS = "address"): Record<string, number> {
  const { status, signal, stdout, stderr } = spawnSync(join(folder.path, sanitizer), [action, path], {
    encoding: "utf8",
    // What is still open at the end belongs to a process that lives on, as far as leaks go.
    env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" },
  });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  return Object.fromEntries(
    Array.from(stdout.matchAll(/^(.*) (-?\d+)$/gm), ([, name = "", value]) => [name, Number(value)]),
  );
}

const newPath = (name: string): string => join(folder.path, `${name}.gc`);

/** Committed records and the header's word on the ones that were dropped. */
function outcome(path: string): { readonly records: number; readonly dropped: number; readonly reasons: number } {
  const file = readFileSync(path);
  return {
    records: Number(file.readBigUInt64LE(HEADER.committedBytes)) / RECORD_BYTES,
    dropped: Number(file.readBigUInt64LE(HEADER.droppedRecords)),
    reasons: file.readUInt32LE(HEADER.dropReasons),
  };
}

/** The n-th committed record holds the byte n and nothing else. */
function expectRecords(path: string, count: number, byteOf: (n: number) => number): void {
  const file = readFileSync(path);
  expect(file.length).toBeGreaterThanOrEqual(HEADER_BYTES + count * RECORD_BYTES);
  for (let n = 0; n < count; n++) {
    const at = HEADER_BYTES + n * RECORD_BYTES;
    const record = file.subarray(at, at + RECORD_BYTES);
    if (!record.every((byte) => byte === byteOf(n))) throw new Error(`record ${n} is damaged`);
  }
}

describe("the file", () => {
  test("is laid out as spec.ts says, byte by byte", () => {
    const path = newPath("layout");
    const before = process.hrtime.bigint();
    const said = drive("layout", path);
    expect(said).toEqual({ new_space: 0, long: 1, "new_space again": 0, "long again": 1 });
    const file = readFileSync(path);
    const header = Buffer.alloc(HEADER_BYTES);
    header.write("GCSPIKE\0", 0, "latin1");
    header.writeUInt32LE(FORMAT_VERSION, 8);
    header.writeUInt32LE(LogKind.gc, 12);
    header.writeUInt32LE(GC_RECORD_BYTES, 16);
    header.writeUInt32LE(HEADER_BYTES, 20);
    header.writeBigUInt64LE(BigInt(3 * GC_RECORD_BYTES), 24);
    header.writeUInt32LE(2, 44);
    header.writeUInt32LE(7, 52);
    header.write("new_space", 128);
    // Cut so that a zero ends it.
    header.write("x".repeat(63), 128 + 64);
    // The two fields that differ from run to run.
    const pid = file.readUInt32LE(48);
    const startNs = file.readBigUInt64LE(56);
    expect(pid).toBeGreaterThan(0);
    expect(startNs > before && startNs < process.hrtime.bigint()).toBe(true);
    header.writeUInt32LE(pid, 48);
    header.writeBigUInt64LE(startNs, 56);
    expect(file.subarray(0, HEADER_BYTES).equals(header)).toBe(true);
    // What was begun stands behind and does not count: an open collection is found there.
    const records = [1, 2, 3, 0xee].map((byte) => Buffer.alloc(GC_RECORD_BYTES, byte));
    expect(file.subarray(HEADER_BYTES, HEADER_BYTES + 4 * GC_RECORD_BYTES).equals(Buffer.concat(records))).toBe(true);
  });

  test("is what the reader takes it for", () => {
    const path = newPath("read");
    drive("layout", path);
    const { log, warnings } = openLog(path, LogKind.gc);
    expect(warnings).toEqual([]);
    expect(log?.bytes).toBe(3 * GC_RECORD_BYTES);
    expect(log?.header).toMatchObject({
      recordBytes: GC_RECORD_BYTES,
      threadId: 7,
      strings: ["new_space", "x".repeat(63)],
      droppedRecords: 0,
    });
  });

  test("has room for 62 names, and for 254 in .phases", () => {
    const path = newPath("names");
    expect(drive("names", path)).toEqual({ ".loop": 62, ".phases": 254, "after the last": -1 });
    expect(openLog(`${path}.loop`, LogKind.loop).log?.header.strings.at(-1)).toBe("61");
    expect(openLog(`${path}.phases`, LogKind.phases).log?.header.strings.at(-1)).toBe("253");
  });
});

describe("what does not fit is dropped and counted", () => {
  test("beyond the log's limit", () => {
    const path = newPath("limit");
    const fits = (64 * KIB - HEADER_BYTES) / RECORD_BYTES;
    expect(drive("limit", path)).toEqual({ appended: fits });
    expect(outcome(path)).toMatchObject({ records: fits, reasons: DropReason.sizeLimit });
    expect(outcome(path).dropped).toBeGreaterThan(0);
    expectRecords(path, 5, (n) => n);
  });

  test("faster than room is made, and goes on when there is room again", () => {
    const path = newPath("fast");
    expect(drive("fast", path)).toEqual({ appended: 16, "appended after room was made": 16 });
    expect(outcome(path)).toEqual({ records: 32, dropped: 2, reasons: DropReason.tooFast });
    expectRecords(path, 32, (n) => n % 16);
  });

  test("where files may not grow (ulimit -f)", () => {
    const path = newPath("size");
    const { appended } = drive("size", path);
    expect(appended).toBeGreaterThan(16);
    expect(outcome(path)).toMatchObject({ records: appended, reasons: DropReason.diskFull });
  });

  test.skipIf(!mounted)(
    "on a full disk, and goes on when there is space again (needs the right to mount a tmpfs)",
    () => {
      const path = join(disk, "disk.gc");
      const said = drive("disk", path);
      // 4 MiB, of which something else takes 2 and 1 is left to the program.
      expect(said.appended).toBeGreaterThan(512);
      expect(said.appended).toBeLessThan(KIB);
      expect(said["appended after space was freed"]).toBeGreaterThan(1536);
      expect(outcome(path).reasons).toBe(DropReason.diskFull);
      expect(outcome(path).records).toBe((said.appended ?? 0) + (said["appended after space was freed"] ?? 0));
      const { bavail, bsize } = statfsSync(disk);
      expect(bavail * bsize).toBeGreaterThanOrEqual(KIB * KIB);
    },
  );
});

test("a writer that waits has room up to the limit", () => {
  const path = newPath("waiting");
  expect(drive("waiting", path)).toEqual({ appended: 3000 });
  expect(outcome(path)).toEqual({ records: 3000, dropped: 0, reasons: 0 });
  expectRecords(path, 3000, (n) => n % 256);
});

describe("a log that is not there", () => {
  test("does nothing after Close", () => {
    const path = newPath("closed");
    expect(drive("closed", path)).toEqual({ appended: 0, name: -1 });
    expect(outcome(path)).toEqual({ records: 1, dropped: 0, reasons: 0 });
    // Closed, the file is its content.
    expect(readFileSync(path).length).toBe(HEADER_BYTES + RECORD_BYTES);
  });

  test("leaves a file alone that has got its number", () => {
    const path = newPath("stolen");
    const said = drive("stolen", path);
    expect(said).toMatchObject({ high: 1, "still open": 3 });
    expect(said.appended).toBeGreaterThan(0);
    expect(readFileSync(`${path}.own`, "utf8")).toBe("own");
    expect(outcome(path).records).toBe(said.appended);
  });

  test("does nothing before Open", () => {
    expect(drive("unopened", newPath("unopened"))).toEqual({ appended: 0, name: -1 });
    expect(existsSync(newPath("unopened"))).toBe(false);
  });

  test("is not opened over a file, and not in a folder that is not there", () => {
    const path = newPath("mine");
    writeFileSync(path, "mine");
    expect(drive("never", path)).toEqual({ opened: 0 });
    expect(readFileSync(path, "utf8")).toBe("mine");
    expect(drive("never", join(folder.path, "nowhere", "x.gc"))).toEqual({ opened: 0 });
  });

  test("writes nothing in a forked child", () => {
    const path = newPath("fork");
    expect(drive("fork", path)).toEqual({ "child wrote": 0, appended: 1 });
    expect(outcome(path)).toEqual({ records: 2, dropped: 0, reasons: 0 });
    expectRecords(path, 2, (n) => n + 1);
  });
});

describe.each(["address", "thread"] as const)("two threads, with the %s sanitizer", (sanitizer) => {
  test("every record that was taken is whole", () => {
    const path = newPath(`threads-${sanitizer}`);
    const { appended = 0 } = drive("threads", path, sanitizer);
    const { records, dropped, reasons } = outcome(path);
    expect(records).toBe(appended);
    expect(appended + dropped).toBe(50_000);
    expect([0, DropReason.tooFast]).toContain(reasons);
    if (dropped === 0) expectRecords(path, 50_000, (n) => n % 251);
  });
});

/** The records of a ring that are not forgotten: the n-th ever written holds the byte n modulo 251. */
function expectRing(path: string): void {
  const log = RingLog.open(path, LogKind.gc);
  if (log === null) throw new Error("it is no log");
  log.resume(0);
  const { first } = log;
  const { committed } = log.state();
  const records = log.read(first, committed);
  expect(records.length).toBe(committed - first);
  for (let at = 0; at < records.length; at += RECORD_BYTES) {
    const byte = ((first + at) / RECORD_BYTES) % 251;
    if (!records.subarray(at, at + RECORD_BYTES).every((one) => one === byte))
      throw new Error(`${first + at} is damaged`);
  }
  log.close();
}

describe("a ring", () => {
  const RING_BYTES = 128 * KIB;

  test("goes round many times, takes no more of the disk, and holds what was not forgotten", () => {
    const path = newPath("ring");
    const { appended, disk: bytes = 0, size } = drive("ring", path);
    expect(appended).toBe(2000);
    expect(outcome(path)).toEqual({ records: 2000, dropped: 0, reasons: 0 });
    expect(size).toBeLessThanOrEqual(HEADER_BYTES + RING_BYTES);
    // 64 records, and room ahead.
    expect(bytes).toBeLessThan(RING_BYTES);
    expectRing(path);
  });

  test("is full where nobody forgets, and goes on when somebody has", () => {
    const path = newPath("full-ring");
    expect(drive("full-ring", path)).toEqual({
      appended: RING_BYTES / RECORD_BYTES,
      "appended after nonsense": 0,
      "appended after 64 were forgotten": 64,
    });
    expect(outcome(path).reasons).toBe(DropReason.sizeLimit);
  });

  test.each(["address", "thread"] as const)(
    "with two threads and the %s sanitizer, every record is whole",
    (sanitizer) => {
      const path = newPath(`ring-threads-${sanitizer}`);
      drive("ring-threads", path, sanitizer);
      expect(outcome(path).records).toBe(20_000);
      expectRing(path);
    },
  );
});

test("62 MiB of records leave less than 4 MiB in memory", () => {
  const path = newPath("resident");
  const { grown } = drive("resident", path);
  expect(outcome(path).records).toBeGreaterThan(60_000);
  expect(grown).toBeLessThan(4 * KIB * KIB);
});

import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ArrivalReader, ArrivalWriter, reportFailure } from "../../../../src/workload/txpool/arrivals.ts";
import { Batch } from "../../../../src/workload/txpool/batch.ts";
import { emptyTransaction } from "../../../../src/workload/txpool/transaction.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Written {
  readonly dueMs: number;
  readonly sender: Uint8Array;
  readonly bytes: Uint8Array;
}

function write(arrivals: readonly Written[]): void {
  const writer = new ArrivalWriter(folder);
  for (const { dueMs, sender, bytes } of arrivals) writer.add(dueMs, sender, bytes, 0, bytes.length);
  writer.end();
}

function readAll(reader: ArrivalReader): Written[] {
  const read: Written[] = [];
  for (reader.look(); !reader.done; reader.look()) {
    const dueMs = reader.dueUs / 1000;
    const { raw, start, end, sender } = reader.take(emptyTransaction());
    read.push({ dueMs, sender: Uint8Array.from(sender), bytes: Uint8Array.from(raw.subarray(start, end)) });
  }
  return read;
}

const arrivalsOf = fc.array(
  fc.record({
    dueMs: fc.nat(1e9).map((us) => us / 1000),
    sender: fc.uint8Array({ minLength: 20, maxLength: 20 }),
    bytes: fc.uint8Array({ maxLength: 400 }),
  }),
  { maxLength: 50 },
);

test("what is written is read, in its order", () => {
  fc.assert(
    fc.property(arrivalsOf, (arrivals) => {
      rmSync(folder, { recursive: true, force: true });
      write(arrivals);
      expect(readAll(new ArrivalReader(folder, false))).toEqual(arrivals);
      expect(readdirSync(folder)).toEqual(["end"]);
    }),
    { numRuns: 50 },
  );
});

test("arrivals over many files, and larger than what is read at once", () => {
  const large = Array.from({ length: 200 }, (_, i) => ({
    dueMs: i,
    sender: new Uint8Array(20).fill(i),
    bytes: new Uint8Array(131_072 + i).fill(i),
  }));
  write(large);
  expect(readdirSync(folder).length).toBe(5);
  const read = readAll(new ArrivalReader(folder, true));
  expect(read.length).toBe(200);
  for (const [i, { dueMs, sender, bytes }] of read.entries()) {
    expect([dueMs, sender[19], bytes.length, bytes[0], bytes.at(-1)]).toEqual([i, i, 131_072 + i, i, i]);
  }
  expect(readdirSync(folder).length).toBe(5);
});

test("a reader waits for a file that is not there yet", () => {
  const writer = new ArrivalWriter(folder);
  const reader = new ArrivalReader(folder, false);
  reader.look();
  expect([reader.dueUs, reader.done]).toEqual([Number.POSITIVE_INFINITY, false]);
  writer.add(7, new Uint8Array(20), Uint8Array.of(1, 2, 3), 0, 3);
  writer.end();
  reader.look();
  expect([reader.dueUs, reader.done, reader.nextBytes]).toEqual([7000, false, 3]);
});

test("where one could not be made, a reader takes what was, and then says why there is no more", () => {
  write([{ dueMs: 1, sender: new Uint8Array(20), bytes: new Uint8Array(100) }]);
  rmSync(join(folder, "end"));
  reportFailure(folder, "Error: ENOSPC");
  const reader = new ArrivalReader(folder, true);
  reader.look();
  reader.take(emptyTransaction());
  expect(() => reader.look()).toThrow("The transactions could not be made: Error: ENOSPC.");
});

test("a file that was cut is an error that names it", () => {
  write([{ dueMs: 1, sender: new Uint8Array(20), bytes: new Uint8Array(100) }]);
  truncateSync(join(folder, "00000.arrivals"), 60);
  const reader = new ArrivalReader(folder, true);
  expect(() => reader.look()).toThrow(/00000\.arrivals ends within an arrival/);
});

test("a batch holds what is due together, and no more than it has room for", () => {
  const arrival = (dueMs: number, i: number, bytes = 10): Written => ({
    dueMs,
    sender: new Uint8Array(20).fill(i),
    bytes: new Uint8Array(bytes).fill(i),
  });
  write([arrival(1, 1), arrival(1, 2), arrival(1, 3), arrival(2, 4), ...[5, 6, 7].map((i) => arrival(3, i, 400_000))]);
  const reader = new ArrivalReader(folder, true);
  const batch = Batch.ofSize(2);
  const firsts: number[][] = [];
  for (reader.look(); !reader.done; ) {
    batch.fill(reader);
    firsts.push(Array.from({ length: batch.count }, (_, i) => batch.bytes[batch.starts[i] as number] as number));
    for (let i = 0; i < batch.count; i++) {
      const sender = new Uint8Array(20);
      batch.copySender(i, sender);
      expect(sender[19]).toBe(batch.bytes[(batch.ends[i] as number) - 1]);
    }
  }
  expect(firsts).toEqual([[1, 2], [3], [4], [5, 6], [7]]);
});

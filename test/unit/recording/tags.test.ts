import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { IsolateData } from "../../../src/recording/model.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import {
  HEADER_BYTES,
  MAX_TAG_NAME_BYTES,
  MAX_TAG_NAMES,
  TAG,
  TAG_END_BYTES,
  TAG_RECORD_BYTES,
} from "../../../src/recording/spec.ts";
import { encodeTagName } from "../../../src/recording/tag-records.ts";
import { atMs, PID, type TagFields, writeRecordingFolder } from "../../support/recording-folder.ts";

const ID = `${PID}-0`;
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
  path = join(folder, `${ID}.tags`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const request = (ms: number): TagFields => ({ startNs: atMs(ms), endNs: atMs(ms + 4), name: 0, source: "http" });

function write(tags: readonly TagFields[], tagNames: readonly string[] = ["GET /orders"]): Buffer {
  writeRecordingFolder(folder, { isolates: [{ id: ID, gc: [], tagNames, tags }] });
  return readFileSync(path);
}

async function read(): Promise<IsolateData> {
  const [isolate] = (await readRecording(folder)).isolates;
  if (isolate === undefined) throw new Error("no isolate");
  return isolate;
}

describe("a log of tags", () => {
  test("that is not there is not recorded, and one without tags has none", async () => {
    writeRecordingFolder(folder, { isolates: [{ id: ID, gc: [] }] });
    expect((await read()).tags).toBeNull();
    write([]);
    expect((await read()).tags?.count).toBe(0);
  });

  test("cut at any byte has all tags before the cut; a request whose end is cut off does not end", async () => {
    const whole = write([5, 10, 15].map(request));
    const tagsAt = HEADER_BYTES + encodeTagName("GET /orders").length;
    const endsAt = tagsAt + 3 * TAG_RECORD_BYTES;
    expect(whole).toHaveLength(endsAt + 3 * TAG_END_BYTES);
    for (let length = HEADER_BYTES; length < whole.length; length += 3) {
      writeFileSync(path, whole.subarray(0, length));
      const { tags, warnings } = await read();
      const left = Math.max(0, Math.min(3, Math.floor((length - tagsAt) / TAG_RECORD_BYTES)));
      const ended = Math.max(0, Math.floor((length - endsAt) / TAG_END_BYTES));
      expect([...(tags?.timeMs ?? [])]).toEqual([5, 10, 15].slice(0, left));
      expect([...(tags?.durationMs ?? [])]).toEqual(
        [5, 10, 15].slice(0, left).map((_, i) => (i < ended ? 4 : Number.NaN)),
      );
      const isBetween = [HEADER_BYTES, tagsAt + left * TAG_RECORD_BYTES, endsAt + ended * TAG_END_BYTES].includes(
        length,
      );
      expect(warnings.map(({ code }) => code)).toEqual(isBetween ? [] : ["log-cut"]);
    }
  });

  test.each([
    [
      "a time beyond any recording",
      (bytes: Buffer, tag: number) => bytes.fill(0xff, tag + TAG.timeNs, tag + TAG.timeNs + 8),
    ],
    ["a name that does not exist", (bytes: Buffer, tag: number) => bytes.writeUInt32LE(7, tag + TAG.name)],
    ["a source that does not exist", (bytes: Buffer, tag: number) => bytes.writeUInt8(9, tag + TAG.source)],
    ["a weight of nothing", (bytes: Buffer, tag: number) => bytes.writeUInt32LE(0, tag + TAG.weight)],
  ])("with %s: it and its end are left out, the others keep theirs", async (_name, damage) => {
    const bytes = write([5, 10, 15].map(request));
    damage(bytes, HEADER_BYTES + encodeTagName("GET /orders").length + TAG_RECORD_BYTES);
    writeFileSync(path, bytes);
    const { tags, warnings } = await read();
    expect([...(tags?.timeMs ?? [])]).toEqual([5, 15]);
    expect([...(tags?.durationMs ?? [])]).toEqual([4, 4]);
    expect(warnings[0]?.message).toMatch(/\.tags: [12] records are damaged and left out\.$/);
  });

  test("with an end of no tag, or before its tag began", async () => {
    const bytes = write([request(5), request(10)]);
    const ends = bytes.length - 2 * TAG_END_BYTES;
    bytes.writeUInt32LE(77, ends + TAG.endedTag);
    bytes.writeBigUInt64LE(atMs(1), ends + TAG_END_BYTES + TAG.timeNs);
    writeFileSync(path, bytes);
    const { tags, warnings } = await read();
    expect([...(tags?.durationMs ?? [])]).toEqual([Number.NaN, Number.NaN]);
    expect(warnings[0]?.message).toContain("2 records are damaged");
  });

  test("with more names than any agent writes: those beyond are not kept", async () => {
    const names = Array.from({ length: MAX_TAG_NAMES + 5 }, (_, i) => `name ${i}`);
    write([{ startNs: atMs(5), name: MAX_TAG_NAMES + 2, source: "mark" }], names);
    const { tags, warnings } = await read();
    expect(tags?.names).toHaveLength(MAX_TAG_NAMES);
    expect(tags?.count).toBe(0);
    expect(warnings[0]?.message).toContain("6 records are damaged");
  });

  test("cuts a long name behind a whole character", async () => {
    const euros = "\u20ac".repeat(MAX_TAG_NAME_BYTES);
    write([{ startNs: atMs(5), name: 0, source: "mark" }], [euros, `x${euros}`]);
    const { tags } = await read();
    expect(tags?.names).toEqual([euros.slice(0, MAX_TAG_NAME_BYTES / 3), `x${euros}`.slice(0, MAX_TAG_NAME_BYTES / 3)]);
  });
});

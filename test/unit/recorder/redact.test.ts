import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Profile, StringTable } from "pprof-format";
import { expect, test } from "vitest";
import { redactFolder, redactFunctionLog, redactHome, redactTagLog } from "../../../src/recorder/redact.ts";
import { encodeLogHeader } from "../../../src/recording/gc-log-writer.ts";
import { FUNCTION, LogKind } from "../../../src/recording/spec.ts";
import { encodeTag, encodeTagName, tagRecord } from "../../../src/recording/tag-records.ts";

const WRITER = { pid: 1, threadId: 0, startNs: 0n };

function functionRecord(name: string, script: string): Buffer {
  const text = Buffer.from(name + script);
  const record = Buffer.alloc(Math.ceil((FUNCTION.text + text.length) / 8) * 8);
  record.writeUInt32LE(record.length, FUNCTION.bytes);
  record.writeUInt16LE(Buffer.byteLength(name), FUNCTION.nameBytes);
  record.writeUInt16LE(Buffer.byteLength(script), FUNCTION.scriptBytes);
  text.copy(record, FUNCTION.text);
  return record;
}

function functionLog(...records: readonly Buffer[]): Buffer {
  return Buffer.concat([encodeLogHeader({ ...WRITER, kind: LogKind.functions, recordBytes: 0 }), ...records]);
}

test("the home folder becomes ~ wherever it stands, and / is no home", () => {
  expect(redactHome("file:///home/ada/x.js and /home/ada", "/home/ada")).toBe("file://~/x.js and ~");
  expect(redactHome("/a/b", "/")).toBe("/a/b");
});

test("names in a .functions log are rewritten where they stand", () => {
  const log = functionLog(functionRecord("work", `${homedir()}/app.js`), functionRecord("other", "node:fs"));
  const length = log.length;
  redactFunctionLog(log);
  const expected = functionLog(functionRecord("work", "~/app.js"), functionRecord("other", "node:fs"));
  expect(log.length).toBe(length);
  expect(log.toString("latin1")).not.toContain(homedir());
  expect(log.toString("latin1")).toContain("work~/app.js");
  // The record behind it still begins where it did.
  expect(log.subarray(-32)).toEqual(expected.subarray(-32));
});

test("names in a .tags log are rewritten where they stand, and nothing else is", () => {
  const { bytes: tag, view } = tagRecord();
  encodeTag(view, 0, 1e15, null, 1, 7);
  const header = encodeLogHeader({ ...WRITER, kind: LogKind.tags, recordBytes: 0 });
  const log = Buffer.concat([header, encodeTagName(`read ${homedir()}/x`), tag, encodeTagName("plain")]);
  const length = log.length;
  redactTagLog(log);
  expect(log.length).toBe(length);
  expect(log.toString("latin1")).not.toContain(homedir());
  expect(log.toString("latin1")).toContain("read ~/x");
  expect(log.subarray(-48)).toEqual(Buffer.concat([tag, encodeTagName("plain")]));
  expect(() => redactTagLog(log.subarray(0, -3))).not.toThrow();
});

test("a damaged .functions log is left where it stops making sense", () => {
  const cut = functionLog(functionRecord("work", `${homedir()}/app.js`)).subarray(0, -3);
  expect(() => redactFunctionLog(cut)).not.toThrow();
  const endless = functionLog(functionRecord("work", "x"));
  endless.writeUInt32LE(0, 4096);
  expect(() => redactFunctionLog(endless)).not.toThrow();
});

test("descriptors and profiles lose it too; files of running processes stay", () => {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-redact-"));
  try {
    const strings = new StringTable();
    strings.dedup(`${homedir()}/app.js`);
    const profile = gzipSync(new Profile({ stringTable: strings }).encode());
    const descriptor = JSON.stringify({
      name: `${homedir()}/x`,
      execArgv: ["--title=secret"],
      processSpace: "boot pid:[1]",
      warnings: [{ message: homedir() }],
    });
    for (const pid of [1, 2]) {
      writeFileSync(join(folder, `${pid}-0.json`), descriptor);
      writeFileSync(join(folder, `${pid}-0.alloc.pb.gz`), profile);
    }
    redactFolder(folder, (pid) => pid === 2);
    expect(JSON.parse(readFileSync(join(folder, "1-0.json"), "utf8"))).toEqual({
      name: "~/x",
      execArgv: [],
      processSpace: null,
      warnings: [{ message: "~" }],
    });
    const redacted = Profile.decode(gunzipSync(readFileSync(join(folder, "1-0.alloc.pb.gz"))));
    expect(redacted.stringTable.strings).toContain("~/app.js");
    expect(readFileSync(join(folder, "2-0.json"), "utf8")).toBe(descriptor);
    expect(readFileSync(join(folder, "2-0.alloc.pb.gz")).equals(profile)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Profile, StringTable } from "pprof-format";
import { expect, test } from "vitest";
import { redactCodeLog, redactFolder, redactHome } from "../../../src/recorder/redact.ts";
import { encodeLogHeader } from "../../../src/recording/gc-log-writer.ts";
import { CODE, LogKind } from "../../../src/recording/spec.ts";

const WRITER = { pid: 1, threadId: 0, startNs: 0n };

function codeRecord(name: string, script: string): Buffer {
  const text = Buffer.from(name + script);
  const record = Buffer.alloc(Math.ceil((CODE.text + text.length) / 8) * 8);
  record.writeUInt32LE(record.length, CODE.bytes);
  record.writeUInt16LE(Buffer.byteLength(name), CODE.nameBytes);
  record.writeUInt16LE(Buffer.byteLength(script), CODE.scriptBytes);
  text.copy(record, CODE.text);
  return record;
}

function codeLog(...records: readonly Buffer[]): Buffer {
  return Buffer.concat([encodeLogHeader({ ...WRITER, kind: LogKind.code, recordBytes: 0 }), ...records]);
}

test("the home folder becomes ~ wherever it stands, and / is no home", () => {
  expect(redactHome("file:///home/ada/x.js and /home/ada", "/home/ada")).toBe("file://~/x.js and ~");
  expect(redactHome("/a/b", "/")).toBe("/a/b");
});

test("names in a .code log are rewritten where they stand", () => {
  const log = codeLog(codeRecord("work", `${homedir()}/app.js`), codeRecord("other", "node:fs"));
  const length = log.length;
  redactCodeLog(log);
  const expected = codeLog(codeRecord("work", "~/app.js"), codeRecord("other", "node:fs"));
  expect(log.length).toBe(length);
  expect(log.toString("latin1")).not.toContain(homedir());
  expect(log.toString("latin1")).toContain("work~/app.js");
  // The record behind it still begins where it did.
  expect(log.subarray(-48)).toEqual(expected.subarray(-48));
});

test("a damaged .code log is left where it stops making sense", () => {
  const cut = codeLog(codeRecord("work", `${homedir()}/app.js`)).subarray(0, -3);
  expect(() => redactCodeLog(cut)).not.toThrow();
  const endless = codeLog(codeRecord("work", "x"));
  endless.writeUInt32LE(0, 4096);
  expect(() => redactCodeLog(endless)).not.toThrow();
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

import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requireWritable, writeReportFile, writeReportFiles } from "../../../src/cli/files.ts";

const bytes = Buffer.from("new");

describe("a report's file", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "gcspike-files-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("takes the place of the one before and keeps its mode", () => {
    const path = join(root, "report.html");
    writeFileSync(path, "old", { mode: 0o600 });
    for (const name of ["report.html", "new.html"]) requireWritable(join(root, name));
    writeReportFile(path, bytes);
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(root)).toEqual(["report.html"]);
  });

  it("goes to what a symbolic link leads to", () => {
    mkdirSync(join(root, "real"));
    writeFileSync(join(root, "real", "report.html"), "old");
    symlinkSync(join("real", "report.html"), join(root, "latest.html"));
    requireWritable(join(root, "latest.html"));
    writeReportFile(join(root, "latest.html"), bytes);
    expect(lstatSync(join(root, "latest.html")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(root, "real", "report.html"), "utf8")).toBe("new");
  });

  it("may be a device", () => requireWritable("/dev/null"));

  it.each([
    ["report.html/x.html", "ENOTDIR", "Name one that you may write."],
    [".", "EISDIR", "It is a folder: name a file."],
    ["nowhere/report.html", "ENOENT", "Name a file in a folder that exists."],
  ])("cannot be %s: %s, and the error says what to do", (name, code, hint) => {
    writeFileSync(join(root, "report.html"), "old");
    const error = { message: expect.stringContaining(`: ${code}.`), hint, kept: "The recording is untouched." };
    expect(() => writeReportFile(join(root, name), bytes)).toThrow(expect.objectContaining(error));
    const before = { message: expect.stringContaining(`: ${code}. Nothing was run.`), hint, exitCode: 2 };
    expect(() => requireWritable(join(root, name))).toThrow(expect.objectContaining(before));
  });

  it("may be several, in a folder that is made for them", () => {
    writeReportFiles(join(root, "a", "b"), [{ name: "pauses.png", bytes }]);
    expect(readFileSync(join(root, "a", "b", "pauses.png"), "utf8")).toBe("new");
    expect(() => writeReportFiles("/proc/gcspike/charts", [])).toThrow(/Cannot create \/proc\/gcspike\/charts: /);
  });
});

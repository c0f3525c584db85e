import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "../../../src/lib/make-folder.ts";

describe("makeFolder", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "gcspike-folder-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("makes what is missing and names the topmost folder", () => {
    expect(makeFolder(join(root, "a", "b", "c"))).toBe(join(root, "a"));
    expect(existsSync(join(root, "a", "b", "c"))).toBe(true);
    expect(makeFolder(join(root, "a", "d"))).toBe(join(root, "a", "d"));
  });

  it("leaves what is there", () => {
    expect(makeFolder(root)).toBeUndefined();
  });

  it("throws below a file", () => {
    writeFileSync(join(root, "file"), "");
    expect(() => makeFolder(join(root, "file", "a"))).toThrow(/ENOTDIR/);
  });

  it.runIf(existsSync("/proc/self"))("ends where a file system makes no folders", () => {
    expect(() => makeFolder("/proc/gcspike/a")).toThrow(/ENOENT/);
  });
});

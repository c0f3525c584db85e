import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFolder, createGroupFolder, defaultStem } from "../../../src/recorder/folder.ts";

const NOW = new Date(2026, 10, 22, 9, 14, 7);
const NAME = "server-2026-11-22T09-14-07";

describe("names", () => {
  test("the folder is named after the program and the time", () => {
    expect(defaultStem(["node", "server.js"], NOW)).toBe(NAME);
  });

  test("a program's name cannot leave the folder, hide it or make it endless", () => {
    expect(defaultStem(["node", "../..\u001b[31m/.. ; rm -rf"], NOW)).toMatch(/^_rm_-rf-2026/);
    expect(defaultStem(["node", ".hidden.js"], NOW)).toMatch(/^hidden-2026/);
    expect(defaultStem(["node", `${"x".repeat(500)}.js`], NOW).length).toBeLessThan(100);
    expect(defaultStem(["node", "/"], NOW)).toMatch(/^recording-2026/);
  });
});

describe("the folder", () => {
  let root: string;
  let before: string;
  beforeEach(() => {
    before = process.cwd();
    root = mkdtempSync(join(tmpdir(), "gcspike-folder-"));
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(root, { recursive: true, force: true });
  });

  test("a second recording in the same second gets a name of its own", () => {
    process.chdir(root);
    createFolder(undefined, ["node", "server.js"], NOW);
    createFolder(undefined, ["node", "server.js"], NOW);
    expect(readdirSync(root).sort()).toEqual([`${NAME}.2.gcspike`, `${NAME}.gcspike`]);
  });

  test("a name that somebody takes in the same moment is not shared", () => {
    process.chdir(root);
    // What no look beforehand sees, and what is in the way all the same.
    symlinkSync("nowhere", `${NAME}.gcspike`);
    symlinkSync("nowhere", "modes-2026-11-22T09-14-07");
    expect(createFolder(undefined, ["node", "server.js"], NOW).path).toBe(join(root, `${NAME}.2.gcspike`));
    expect(createGroupFolder("modes", NOW)).toBe(join(root, "modes-2026-11-22T09-14-07.2"));
  });

  test("so does a second folder of several, which is none itself", () => {
    process.chdir(root);
    createGroupFolder("modes", NOW);
    createGroupFolder("modes", NOW);
    expect(readdirSync(root).sort()).toEqual(["modes-2026-11-22T09-14-07", "modes-2026-11-22T09-14-07.2"]);
    process.chdir("/proc");
    expect(() => createGroupFolder("modes", NOW)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  test("-o makes missing folders, and discarding takes them all back", () => {
    const { path, discard } = createFolder(join(root, "a", "b.gcspike"), ["node"], NOW);
    writeFileSync(join(path, "agent.json"), "{}");
    discard();
    expect(readdirSync(root)).toEqual([]);
  });

  test("an empty folder is taken, and stays when the recording is discarded", () => {
    const path = join(root, "empty.gcspike");
    mkdirSync(path);
    const folder = createFolder(path, ["node"], NOW);
    writeFileSync(join(path, "agent.json"), "{}");
    folder.discard();
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(path)).toEqual([]);
  });

  test("what is there already is not touched", () => {
    writeFileSync(join(root, "notes.txt"), "mine");
    expect(() => createFolder(root, ["node"], NOW)).toThrow(/exists already and is not empty/);
    expect(() => createFolder(join(root, "notes.txt"), ["node"], NOW)).toThrow(/is a file/);
    expect(readdirSync(root)).toEqual(["notes.txt"]);
  });

  test("a place that cannot hold a folder is a usage error that says nothing was run", () => {
    writeFileSync(join(root, "notes.txt"), "mine");
    expect(() => createFolder(join(root, "notes.txt", "x.gcspike"), ["node"], NOW)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining("Nothing was run") }),
    );
  });
});

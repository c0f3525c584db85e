import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { abandonedFolders, makeTemporaryFolder } from "../../../src/lib/temporary-folder.ts";
import { temporaryFolder } from "../../support/cli.ts";

let folder: ReturnType<typeof temporaryFolder>;
const before = process.env.TMPDIR;
beforeEach(() => {
  folder = temporaryFolder();
  process.env.TMPDIR = folder.path;
});
afterEach(() => {
  if (before === undefined) Reflect.deleteProperty(process.env, "TMPDIR");
  else process.env.TMPDIR = before;
  folder.remove();
});

/** Of a process that was, and is not any more. */
const deadPid = () => spawnSync(process.execPath, ["-e", "1"]).pid;

test("a folder is its process's for as long as that lives", () => {
  const made = makeTemporaryFolder("gcspike-x");
  expect(existsSync(made)).toBe(true);
  expect(abandonedFolders("gcspike-x")).toEqual([]);
  const left = join(tmpdir(), basename(made).replace(`-${process.pid}-`, `-${deadPid()}-`));
  mkdirSync(left);
  expect(abandonedFolders("gcspike-x")).toEqual([left]);
  expect(abandonedFolders("gcspike")).toEqual([]);
});

test("a folder of another container, whose processes are not to be seen here, is not abandoned", () => {
  const made = makeTemporaryFolder("gcspike-x");
  const other = basename(made).replace(/^(gcspike-x-)\d+-\d+-/, `$1${"4026539999"}-${deadPid()}-`);
  mkdirSync(join(tmpdir(), other));
  for (const name of ["gcspike-x-", "gcspike-x-1", "gcspike-x--5-a", "gcspike-x-0-99999999999999-a"])
    mkdirSync(join(tmpdir(), name));
  symlinkSync(made, join(tmpdir(), "gcspike-x-link"));
  expect(abandonedFolders("gcspike-x")).toEqual([]);
});

test("without a place for it there is an error with a way out", () => {
  rmSync(folder.path, { recursive: true });
  expect(() => makeTemporaryFolder("gcspike-x")).toThrow(
    expect.objectContaining({ exitCode: 4, hint: expect.stringMatching(/TMPDIR/) }),
  );
});

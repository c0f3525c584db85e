import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseColumns } from "../../../src/cli/compare-columns.ts";

const names = (words: readonly string[]) => parseColumns(words).map(({ name }) => name);

test("a folder is a column with its name", () => {
  expect(parseColumns(["runs/before.gcspike", "after.gcspike/"])).toEqual([
    { name: "before", folders: ["runs/before.gcspike"] },
    { name: "after", folders: ["after.gcspike/"] },
  ]);
});

test("NAME=A,B is a column of several runs", () => {
  expect(parseColumns(["old=1.gcspike,2.gcspike", "new=3.gcspike"])).toEqual([
    { name: "old", folders: ["1.gcspike", "2.gcspike"] },
    { name: "new", folders: ["3.gcspike"] },
  ]);
});

test("folders of the same name are told apart by where they are", () => {
  expect(names(["a/run.gcspike", "b/run.gcspike"])).toEqual(["a/run", "b/run"]);
});

describe("refused", () => {
  test.each([
    [["a.gcspike"], /only one column/],
    [[], /no recording to compare/],
    [["a.gcspike", "a.gcspike"], /is there twice/],
    [["a.gcspike", `x=${resolve("a.gcspike")}`], /is there twice/],
    [["x=1,2", "x=3"], /Two columns have the name x/],
    [["x\u001b[31m=1", "x=2"], /Two columns have the name x\./],
    [["x=1,,2", "y=3"], /empty place/],
    [["", "a"], /empty/],
  ])("%j", (words, message) => {
    expect(() => parseColumns(words)).toThrow(message);
  });
});

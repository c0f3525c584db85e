import { expect, test } from "vitest";
import { shellWord } from "../../../src/lib/shell.ts";

test.each([
  ["runs/a.gcspike", "runs/a.gcspike"],
  ["my runs", "'my runs'"],
  ["it's", "'it'\\''s'"],
  ["$(rm -rf x)", "'$(rm -rf x)'"],
  ["", "''"],
])("a shell takes %s as one word", (word, quoted) => {
  expect(shellWord(word)).toBe(quoted);
});

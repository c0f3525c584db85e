import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lastLines } from "../../../src/check/last-lines.ts";
import { temporaryFolder } from "../../support/cli.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => (folder = temporaryFolder()));
afterAll(() => folder.remove());

const written = (text: string): string => {
  const path = join(folder.path, "output.log");
  writeFileSync(path, text);
  return path;
};

test("the end of what was printed, plain", () => {
  const lines = Array.from({ length: 40 }, (_, n) => `line ${n}\u001b[31m`).join("\n");
  expect(lastLines(written(`${lines}\n\n`))).toBe(
    ` It said:\n${Array.from({ length: 15 }, (_, n) => `    line ${n + 25}`).join("\n")}`,
  );
  expect(lastLines(written(""))).toBe(" It printed nothing.");
});

test("of more than a text can hold", () => {
  const path = written("");
  truncateSync(path, 2 ** 30);
  expect(lastLines(path)).toMatch(/^ It said:/);
});

test("of a file that the program took away", () => {
  expect(lastLines(join(folder.path, "none.log"))).toBe(" It printed nothing.");
});

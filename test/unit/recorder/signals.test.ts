import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseProcStat } from "../../../src/recorder/signals.ts";

test("process group and foreground group, whatever the program is called", () => {
  const rest = "S 1 4121 4000 34816 4122 4194560 0 0";
  expect(parseProcStat(`4121 (node) ${rest}`)).toEqual({ group: 4121, foreground: 4122 });
  expect(parseProcStat(`4121 (a) b (c) ${rest}`)).toEqual({ group: 4121, foreground: 4122 });
});

test.runIf(process.platform === "linux")("the kernel's own line has numbers in these places", () => {
  const { group, foreground } = parseProcStat(readFileSync("/proc/self/stat", "utf8"));
  expect(group).toBeGreaterThan(0);
  expect(Number.isInteger(foreground)).toBe(true);
});

import { expect, test } from "vitest";
import { chooseFormat } from "../../../src/cli/report-formats.ts";

test.each([
  [{}, "terminal"],
  [{ output: "a/report.html" }, "html"],
  [{ output: "REPORT.JSON" }, "json"],
  [{ output: "report.md" }, "markdown"],
  [{ output: "report.txt" }, "terminal"],
  [{ output: "report.html", format: "json" } as const, "json"],
  [{ output: "report", format: "markdown" } as const, "markdown"],
])("%j is written as %s", (flags, expected) => {
  expect(chooseFormat(flags)).toBe(expected);
});

test("a name that says nothing is a usage error", () => {
  expect(() => chooseFormat({ output: "report" })).toThrow(expect.objectContaining({ exitCode: 2 }));
});

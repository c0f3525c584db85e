import { describe, expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import type { Site } from "../../../src/analysis/report-types.ts";
import { circumstances, liftText, siteLocation, sitesHead } from "../../../src/report/phrases.ts";
import { recording } from "../../support/timeline.ts";

describe("how often a tag came", () => {
  test.each([
    [9.12, ", 9.1 times its usual rate"],
    [1.3, ", 1.3 times its usual rate"],
    [1.2, ", as often as usual"],
    [0.85, ", as often as usual"],
    [0.7, ", less often than usual"],
    [0.00054, ", less often than usual"],
    [null, ""],
    [Number.NaN, ""],
  ])("%f: %s", (lift, text) => {
    expect(liftText(lift)).toBe(text);
  });
});

const site: Site = {
  function: "minify",
  file: "",
  line: 0,
  column: null,
  share: 1,
  measure: "survived",
  exact: true,
  bytes: 1,
  survivedBytes: 1,
};

test("sites of several spikes stand under the longest of them, and say so", () => {
  expect(sitesHead([site], null, 1)).toBe("By bytes that survived it (exact: inlined functions are told apart):");
  expect(sitesHead([site], null, 12)).toMatch(/^Over all 12 spikes, by bytes that survived them \(exact/);
  expect(sitesHead([site], null, 2)).toMatch(/^Over both spikes, by bytes that survived them/);
  expect(sitesHead([{ ...site, measure: "asked" }], null, 3)).toBe("Over all 3 spikes, who asked for them:");
  expect(sitesHead([], null, 3)).toBe("");
});

test("what has no file was evaluated", () => {
  expect(siteLocation(site)).toBe("evaluated code");
  expect(siteLocation({ ...site, file: "src/cart.ts", line: 112 })).toBe("src/cart.ts:112");
});

describe("the circumstances of a recording", () => {
  const made = analyse(recording("--s-")).recording;

  test("say the program, the machine and the time", () => {
    expect(circumstances(made)).toBe("node v20.20.2 on linux x64, 2 processors, 302 ms from 2026-11-22 09:14:00 UTC");
  });

  test("leave out what is not known: of a log that gcspike did not write", () => {
    const log = { ...made, node: "", platform: "", arch: "", cpus: 0, startedAt: "" };
    expect(circumstances(log)).toBe("node, 302 ms");
  });
});

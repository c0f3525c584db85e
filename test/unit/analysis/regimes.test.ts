import { describe, expect, test } from "vitest";
import { regimeOf, regimeWarnings } from "../../../src/analysis/regimes.ts";
import { isolate } from "../../support/timeline.ts";

describe("V8's regime", () => {
  test("is that of a young generation where scavenges are the rule", () => {
    expect(regimeOf(isolate(".s".repeat(60)))).toBeNull();
    expect(regimeOf(isolate(`${".s".repeat(60)}.M`))).toMatchObject({ regime: "young", scavenges: 60, fulls: 1 });
    expect(regimeWarnings([isolate(`${".s".repeat(60)}.M`)])).toEqual([]);
  });

  test("is pretenuring where full collections are, and free much", () => {
    const one = isolate(`${".s".repeat(8)}${"-M".repeat(160)}`);
    expect(regimeOf(one)).toMatchObject({ regime: "pretenured", scavenges: 8, fulls: 160 });
    expect(regimeWarnings([one])[0]?.message).toMatch(/160 full collections and 8 scavenges/);
  });

  test("is no pretenuring where full collections free little: that is a heap near its limit", () => {
    const one = isolate("-M".repeat(40));
    const usedAfter = one.pauses.usedBefore.map((before) => before * 0.95);
    expect(regimeWarnings([{ ...one, pauses: { ...one.pauses, usedAfter } }])).toEqual([]);
  });

  test("is not known of few collections, nor without heap sizes", () => {
    expect(regimeOf(isolate("-M-M-M"))).toBeNull();
    expect(regimeOf(isolate("-M".repeat(20), { collector: "perf_hooks" }))).toBeNull();
  });
});

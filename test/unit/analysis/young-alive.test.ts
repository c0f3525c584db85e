import { describe, expect, test } from "vitest";
import { GcHistory } from "../../../src/analysis/gc-history.ts";
import { diedOld, youngAlive } from "../../../src/analysis/young-alive.ts";
import { type SpacedPause, spacedIsolate } from "../../support/spaced-isolate.ts";

const MIB = 1024 ** 2;

const historyOf = (...pauses: readonly SpacedPause[]): GcHistory => new GcHistory(spacedIsolate(pauses));

describe("what was young and alive", () => {
  test("of what was new by the last scavenge, of what that left by how much survives again", () => {
    const history = historyOf(
      ["scavenge", [16, 10, 4, 10]],
      // 4 MiB were left, of which 3 survived again; of 12 new MiB another 4.
      ["scavenge", [16, 10, 4, 13]],
      ["mark-compact", [10, 13, 0, 18]],
    );
    expect(youngAlive(history, 2) / MIB).toBeCloseTo(4 * (3 / 4) + 6 * (4 / 12), 6);
  });

  test("a full collection has left nothing", () => {
    const history = historyOf(
      ["scavenge", [16, 10, 4, 10]],
      ["mark-compact", [4, 10, 0, 10]],
      ["mark-compact", [8, 10, 0, 12]],
    );
    expect(youngAlive(history, 2) / MIB).toBeCloseTo(8 / 4, 6);
  });

  test("all of it, where no scavenge said", () => {
    expect(youngAlive(historyOf(["mark-compact", [6, 10, 0, 14]]), 0) / MIB).toBe(6);
  });
});

describe("what died in the old generation", () => {
  test("what the collection itself moves there is no growth that stayed", () => {
    const history = historyOf(
      ["scavenge", [16, 10, 8, 10]],
      ["mark-compact", [8, 10, 0, 10]],
      ["scavenge", [16, 40, 0, 48]],
      // Of 8 MiB half is alive: of 38 MiB that were new, 4 stayed where 8 seem to.
      ["mark-compact", [8, 48, 0, 18]],
    );
    expect(diedOld(history, 3)).toBeCloseTo(34 / 38, 6);
  });

  test("nobody knows where nothing had grown", () => {
    expect(diedOld(historyOf(["mark-compact", [0, 10, 0, 10]], ["mark-compact", [0, 10, 0, 9]]), 1)).toBeNaN();
  });
});

import { describe, expect, test } from "vitest";
import { GcHistory } from "../../../src/analysis/gc-history.ts";
import { survivedAgain } from "../../../src/analysis/survived-again.ts";
import type { IsolateData } from "../../../src/recording/model.ts";
import { isolate } from "../../support/timeline.ts";

const MIB = 1024 ** 2;
/** Sizes of spaces are in words. */
const WORDS = MIB / 8;

interface Collection {
  /** What the old space grew by. */
  readonly promoted?: number;
  /** Small and young after it. */
  readonly stayed: number;
}

/** The timeline with these sizes, in MiB, for its pauses. */
function collected(timeline: string, pauses: readonly Collection[]): IsolateData {
  const one = isolate(timeline);
  return {
    ...one,
    pauses: {
      ...one.pauses,
      spaces: {
        names: ["new_space", "old_space", "large_object_space"],
        usedBefore: Uint32Array.from(pauses.flatMap(() => [16 * WORDS, 40 * WORDS, 0])),
        usedAfter: Uint32Array.from(
          pauses.flatMap(({ stayed, promoted }) => [stayed * WORDS, (40 + (promoted ?? 0)) * WORDS, 9 * WORDS]),
        ),
        committedAfter: new Uint32Array(pauses.length * 3),
      },
    },
  };
}

function again(one: IsolateData, timeMs = one.endMs): number | null {
  return survivedAgain(new GcHistory(one), timeMs);
}

describe("what survives a scavenge and the next one, too", () => {
  test("is promoted, of what the one before left", () => {
    const one = collected("-s-s-s", [{ stayed: 4 }, { promoted: 3, stayed: 4 }, { promoted: 2, stayed: 1 }]);
    expect(again(one)).toBe(5 / 8);
  });

  test("is looked for in the scavenges up to the moment", () => {
    const one = collected("-s-s-s", [{ stayed: 4 }, { promoted: 3, stayed: 4 }, { promoted: 0, stayed: 1 }]);
    expect(again(one, 250)).toBe(3 / 4);
  });

  test("is about the latest of many", () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ promoted: i < 30 ? 4 : 1, stayed: 4 }));
    expect(again(collected("-s".repeat(60), many))).toBe(1 / 4);
  });

  test("is never more than there was", () => {
    const one = collected("-s-s-s", [{ stayed: 4 }, { promoted: 9, stayed: 4 }, { promoted: 2, stayed: 0 }]);
    expect(again(one)).toBe(6 / 8);
  });

  test("does not go across a full collection, which promotes everything", () => {
    const one = collected("-s-M-s-s", [
      { stayed: 4 },
      { stayed: 0 },
      { promoted: 0, stayed: 2 },
      { promoted: 1, stayed: 0 },
    ]);
    expect(again(one)).toBe(1 / 2);
  });

  test("is not known where little was left, of one scavenge, and without sizes", () => {
    expect(again(collected("-s-s", [{ stayed: 0.5 }, { promoted: 0.5, stayed: 4 }]))).toBeNull();
    expect(again(collected("-s", [{ promoted: 3, stayed: 4 }]))).toBeNull();
    expect(again(isolate("-s-s-s"))).toBeNull();
  });
});

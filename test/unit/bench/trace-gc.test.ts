import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pairCollections, parseTraceGc, pausesPrinted, unknownLines } from "../../../bench/lib/trace-gc.mjs";

function golden(version: number): string {
  return readFileSync(new URL(`golden/trace-gc-node${version}.txt`, import.meta.url), "utf8");
}

describe("parseTraceGc", () => {
  it.each([20, 22, 24, 26])("understands every line that Node %i printed", (version) => {
    const text = golden(version);
    expect(unknownLines(text)).toEqual([]);
    const collections = parseTraceGc(text);
    expect(collections).toHaveLength(text.split(" ms: ").length - 1);
    // Two programs with one isolate, one with a worker thread for each of two and a quiet main thread.
    expect(new Set(collections.map((entry) => entry.isolate)).size).toBeGreaterThanOrEqual(4);
    const counted = (kind: string, word: RegExp) => {
      expect(collections.filter((entry) => entry.kind === kind).length).toBe(text.match(word)?.length ?? 0);
    };
    counted("scavenge", /ms: Scavenge/g);
    counted("mark-compact", /ms: (Incremental )?Mark-Compact/g);
    const steps = collections.filter((entry) => entry.stepsMs > 0);
    expect(steps.length).toBe(text.match(/\(\+ (?!0\.0 ms)/g)?.length ?? 0);
  });

  it("reads the numbers of a line, also behind a word of the target's own", () => {
    const line =
      "done[27289:0xba41ce0]      450 ms: Incremental Mark-Compact (reduce) 56.8 (66.6) -> 49.7 (59.8) MB, pooled: 0.5 MB, 9.68 / 0.01 ms (+ 50.2 ms in 100 steps since start of marking, biggest step 20.1 ms)";
    expect(parseTraceGc(line)).toEqual([
      { pid: 27289, isolate: "0xba41ce0", atMs: 450, kind: "mark-compact", pauseMs: 9.68, stepsMs: 50.2 },
    ]);
  });

  it("says which lines it does not know", () => {
    const line = "[1:0xa]  5 ms: Sideways-Collect 5.1 (5.2) -> 4.6 (6.2) MB, 1.86 / 0.01 ms";
    expect(unknownLines(`${line}\nhello\n`)).toEqual([line]);
  });
});

describe("pausesPrinted", () => {
  it("reads lines of --trace-gc and of --trace-gc-nvp", () => {
    const lines = [
      "[1:0xa]       33 ms: Scavenge 4.4 (4.5) -> 4.0 (5.5) MB, 1.87 / 0.01 ms  (average mu = 1.000, current mu = 1.000) task; ",
      "[15260:0xef93c40]       99 ms: pause=2.0 mutator=6.6 gc=mc reduce_memory=0 time_to_safepoint=0.00",
      '[15623:0x27aaa000:0]       31 ms: GC: {"pause":1.578,"mutator":25.607,"gc":"s","reduce_memory":false}',
      "pause=9",
    ];
    expect(pausesPrinted(lines.join("\n"))).toEqual([1.87, 2, 1.578]);
  });
});

describe("pairCollections", () => {
  const sequence = (text: string) =>
    Array.from(text, (letter, i) => ({
      kind: letter === "s" ? "scavenge" : "mark-compact",
      pauseMs: 1 + ((i * 7) % 11),
    }));

  type Collected = ReturnType<typeof sequence>[number];
  const pair = (truth: readonly Collected[], seen: readonly Collected[]) =>
    pairCollections(truth, seen, (a, b) => Math.abs(a.pauseMs - b.pauseMs));

  it("pairs equal sequences one to one", () => {
    const all = sequence("ssmsssmss");
    expect(pair(all, all)).toEqual(all.map((_, i) => [i, i]));
    expect(pair([], all)).toEqual([]);
    expect(pair(all, [])).toEqual([]);
  });

  it("finds the collection that is missing, by its duration among others of its kind", () => {
    const all = sequence("ssmsssmss");
    for (let missing = 0; missing < all.length; missing++) {
      const pairs = pair(all, all.toSpliced(missing, 1));
      expect(pairs.map(([i]) => i)).toEqual(all.map((_, i) => i).filter((i) => i !== missing));
    }
  });

  it("never pairs different kinds", () => {
    expect(pair(sequence("sss"), sequence("mmm"))).toEqual([]);
    expect(pair(sequence("sms"), sequence("ssm"))).toHaveLength(2);
  });
});

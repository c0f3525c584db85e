import { describe, expect, it } from "vitest";
import { parseTraceGcDetails } from "../../../bench/lib/trace-gc-details.mjs";

const REASON =
  "[41:0x1c5f8ca0]      806 ms: Mark-Compact 41.3 (69.0) -> 33.3 (66.9) MB, 21.11 / 0.01 ms  (+ 9.3 ms in 57 steps since start of marking, biggest step 1.0 ms, walltime since start of marking 51 ms) (average mu = 0.963, current mu = 0.963) finalize incremental marking via task; GC in old space requested";
const NAMED =
  "[41:0x1c5f8ca0]      176 ms: pause=35.2 mutator=137.7 gc=s reduce_memory=0 scavenge=35.01 scavenge.parallel=34.79 promoted=16 new_space_survived=275592 promotion_ratio=0.0% unmapper_chunks=0";
const JOINED =
  "[41:0x387c4000:0]      278 ms: pause=15.7 gc=mc clear.join_filter_job=0.5clear.join_job=0.1 weakness_handling=0.25";
const JSON_LINE =
  '[41:0x1c1ff000:0]      191 ms: GC: {"pause":1.391,"gc":"s","stack":true,"reason":"allocation failure","promoted":0,"new_space_survived":261376}';

const verbose = (isolate: string, old: number, large: number): string =>
  [
    `[41:${isolate}] Memory allocator,       used:   7000 KB, available: 3900 KB`,
    `[41:${isolate}] Old space,              used: ${old} KB, available:*    464 KB, committed:  50912 KB`,
    `[41:${isolate}] Large object space,     used: ${large} KB, available:      0 KB, committed: 258944 KB`,
    `[41:${isolate}] External memory reported:     10 KB`,
    `[41:${isolate}] Backing store memory:   1421 KB`,
  ].join("\n");

describe("parseTraceGcDetails", () => {
  it("reads the reason of a plain line", () => {
    expect(parseTraceGcDetails(REASON)).toMatchObject([
      {
        pid: 41,
        isolate: "0x1c5f8ca0",
        atMs: 806,
        kind: "mark-compact",
        pauseMs: 21.11,
        reason: "finalize incremental marking via task; GC in old space requested",
        values: {},
      },
    ]);
  });

  it("reads named values, as pairs and as JSON", () => {
    const [pairs, joined, json] = parseTraceGcDetails([NAMED, JOINED, JSON_LINE].join("\n"));
    expect(pairs).toMatchObject({ kind: "scavenge", pauseMs: 35.2, reason: null });
    expect(pairs?.values).toMatchObject({ "scavenge.parallel": 34.79, promoted: 16, new_space_survived: 275592 });
    expect(joined).toMatchObject({ kind: "mark-compact", pauseMs: 15.7 });
    expect(joined?.values).toMatchObject({
      "clear.join_filter_job": 0.5,
      "clear.join_job": 0.1,
      weakness_handling: 0.25,
    });
    expect(json).toMatchObject({ kind: "scavenge", pauseMs: 1.391, reason: "allocation failure" });
    expect(json?.values.new_space_survived).toBe(261376);
  });

  it("adds what was in use to the latest collection of the same isolate", () => {
    const other = NAMED.replace("0x1c5f8ca0", "0xb");
    const text = [
      NAMED,
      other,
      verbose("0x1c5f8ca0", 100, 200),
      "a word of the target's own",
      verbose("0xb", 300, 400),
    ];
    const [first, second] = parseTraceGcDetails(text.join("\n"));
    expect(first?.spacesKb).toEqual({ "Memory allocator": 7000, "Old space": 100, "Large object space": 200 });
    expect(second?.spacesKb).toEqual({ "Memory allocator": 7000, "Old space": 300, "Large object space": 400 });
    expect(first).toMatchObject({ externalKb: 1421, availableKb: 3900 });
  });
});

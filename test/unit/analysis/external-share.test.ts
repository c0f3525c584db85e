import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import { ExternalMemory, externalEvidence } from "../../../src/analysis/external-share.ts";
import { GcHistory, type HeapParts } from "../../../src/analysis/gc-history.ts";
import type { Recording } from "../../../src/recording/model.ts";
import { GcFlag } from "../../../src/recording/spec.ts";
import { renderJson } from "../../../src/report/json.ts";
import { renderMarkdown } from "../../../src/report/markdown.ts";
import { renderSpike, renderTerminal } from "../../../src/report/terminal.ts";
import { buildView } from "../../../src/report/view.ts";
import { expectValidReport } from "../../support/schema.ts";
import { isolate, recording, type SampleSpec, samples } from "../../support/timeline.ts";

const MIB = 1024 ** 2;
const STACK = "main@src/main.js:1 > receive@src/upload.js:7";

const partsAt = (timeMs: number, external: number): HeapParts => ({
  timeMs,
  young: 0,
  youngLarge: 0,
  old: 0,
  large: 0,
  external,
});
const NO_COLLECTION = new GcHistory(isolate("-"));
const memory = (buffers: readonly SampleSpec[]): ExternalMemory => new ExternalMemory(samples([], { buffers }).samples);

describe("what is accounted for", () => {
  const arbitraryBuffers = fc.array(
    fc
      .record({
        bornMs: fc.nat(100),
        lifeMs: fc.option(fc.nat(100), { nil: null }),
        bytes: fc.integer({ min: 1, max: MIB }),
      })
      .map(
        ({ bornMs, lifeMs, bytes }): SampleSpec => ({
          stack: STACK,
          bornMs,
          bytes,
          ...(lifeMs !== null && { diedMs: bornMs + lifeMs }),
        }),
      ),
    { maxLength: 40 },
  );

  test("is what was born before and was not found dead before, which a search of all finds", () => {
    fc.assert(
      fc.property(arbitraryBuffers, fc.nat(210), fc.integer({ min: 1, max: 20 * MIB }), (buffers, atMs, external) => {
        const alive = buffers.filter(
          ({ bornMs, diedMs = Number.POSITIVE_INFINITY }) => bornMs < atMs && diedMs >= atMs,
        );
        const bytes = alive.reduce((sum, one) => sum + one.bytes, 0);
        expect(memory(buffers).shareBefore(partsAt(atMs, external), NO_COLLECTION)).toEqual({
          countedBytes: external,
          accountedBytes: bytes,
          share: Math.min(1, bytes / external),
        });
      }),
    );
  });

  test("counts what this collection finds dead, and not what the one before found", () => {
    const one = memory([
      { stack: STACK, bornMs: 1, diedMs: 20, bytes: 3 * MIB },
      { stack: STACK, bornMs: 2, diedMs: 10, bytes: 5 * MIB },
    ]);
    expect(one.shareBefore(partsAt(20, 6 * MIB), NO_COLLECTION)?.share).toBe(0.5);
  });

  test("right behind a full collection, whose dead are just being freed, is what it was when that began", () => {
    // From 2,000 to 2,030 ms.
    const history = new GcHistory(uploads([]).isolates[0] ?? isolate("-"));
    const one = memory([
      { stack: STACK, bornMs: 500, diedMs: 2000, bytes: 60 * MIB },
      { stack: STACK, bornMs: 600, bytes: 10 * MIB },
    ]);
    const ofThat = { countedBytes: 100 * MIB, accountedBytes: 70 * MIB, share: 0.7 };
    expect(one.shareBefore(partsAt(2031, 80 * MIB), history)).toEqual(ofThat);
    expect(one.shareBefore(partsAt(2049, 80 * MIB), history)).toEqual(ofThat);
    expect(one.shareBefore(partsAt(2050, 20 * MIB), history)?.share).toBe(0.5);
  });

  test("is unknown without Buffers, and nothing where nothing is counted", () => {
    const unknown = new ExternalMemory(samples([]).samples);
    expect(unknown.shareBefore(partsAt(20, MIB), NO_COLLECTION)).toEqual({
      countedBytes: MIB,
      accountedBytes: null,
      share: 0,
    });
    for (const parts of [null, partsAt(20, 0), partsAt(20, Number.NaN)]) {
      expect(memory([]).shareBefore(parts, NO_COLLECTION)).toBeNull();
      expect(unknown.shareBefore(parts, NO_COLLECTION)).toBeNull();
    }
  });

  test.each([
    [
      123 * MIB,
      130 * MIB,
      "Of 123 MiB outside the heap about all is accounted for: sampled Buffers and ArrayBuffers stand for 130 MiB.",
    ],
    [
      100 * MIB,
      95.1 * MIB,
      "Of 100 MiB outside the heap about all is accounted for: sampled Buffers and ArrayBuffers stand for 95.1 MiB.",
    ],
    [
      100 * MIB,
      94.6 * MIB,
      "Of 100 MiB outside the heap about 95 % is accounted for: sampled Buffers and ArrayBuffers stand for 94.6 MiB.",
    ],
    [
      100 * MIB,
      62.3 * MIB,
      "Of 100 MiB outside the heap about 62 % is accounted for: sampled Buffers and ArrayBuffers stand for 62.3 MiB; the rest may belong to addons, WebAssembly, resizable ArrayBuffers, or be older than the recording.",
    ],
    [
      100 * MIB,
      0,
      "Of 100 MiB outside the heap hardly anything is accounted for: sampled Buffers and ArrayBuffers stand for 0 B; the rest may belong to addons, WebAssembly, resizable ArrayBuffers, or be older than the recording.",
    ],
    [100 * MIB, null, "Of 100 MiB outside the heap nothing is accounted for: who allocates Buffers was not recorded."],
  ])("of %i bytes %s is said as it is", (countedBytes, accountedBytes, text) => {
    const share = Math.min(1, (accountedBytes ?? 0) / countedBytes);
    expect(externalEvidence({ countedBytes, accountedBytes, share })).toEqual({
      signal: "external.accounted",
      value: share,
      unit: "share",
      text,
    });
  });
});

/** A full collection because of memory outside the heap, of which V8 counts 100 MiB, and another one because of the old generation. */
function uploads(buffers: readonly SampleSpec[] | undefined): Recording {
  const one = isolate(`${"-".repeat(20)}M${"-".repeat(20)}M`, {
    phases: false,
    samples: samples([], buffers === undefined ? {} : { buffers }),
  });
  const spaces = {
    names: ["old_space"],
    usedBefore: Uint32Array.of((20 * MIB) / 8, (300 * MIB) / 8),
    usedAfter: Uint32Array.of((20 * MIB) / 8, (280 * MIB) / 8),
    committedAfter: new Uint32Array(2),
  };
  const pauses = {
    ...one.pauses,
    spaces,
    flags: Uint16Array.of(GcFlag.synchronousPhantomCallbacks | GcFlag.allExternalMemory, 0),
    externalBefore: Float64Array.of(100 * MIB, 3 * MIB),
    externalAfter: Float64Array.of(2 * MIB, 3 * MIB),
  };
  return recording([{ ...one, pauses }]);
}

describe("a spike of external memory", () => {
  const told = uploads([
    { stack: STACK, bornMs: 500, diedMs: 2000, bytes: 40 * MIB },
    { stack: STACK, bornMs: 900, bytes: 22 * MIB },
    { stack: STACK, bornMs: 2500, bytes: 500 * MIB },
  ]);
  const report = analyse(told, { spikeMs: 10 });
  const view = buildView(told, report);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(/\s+/g, " ");

  test("says which share of it is accounted for, and no other spike does", () => {
    const spikes = report.spikes.toSorted((a, b) => a.startMs - b.startMs);
    expect(spikes.map(({ cause, external }) => [cause, external])).toEqual([
      ["external-memory", { countedBytes: 100 * MIB, accountedBytes: 62 * MIB, share: 0.62 }],
      ["old-growth", null],
    ]);
    expect(spikes[0]?.evidence.filter(({ signal }) => signal === "external.accounted")).toHaveLength(1);
    expect(spikes[1]?.evidence.filter(({ signal }) => signal === "external.accounted")).toEqual([]);
    expect(report.causes.map(({ cause, externalShare }) => [cause, externalShare])).toEqual(
      expect.arrayContaining([
        ["external-memory", 0.62],
        ["old-growth", null],
      ]),
    );
  });

  test("says it in every format", () => {
    const [spike] = report.spikes.filter(({ cause }) => cause === "external-memory");
    if (spike === undefined) throw new Error("no spike");
    const page = text(renderSpike(spike, { width: 200, color: false }));
    expect(page).toContain("- Of 100 MiB outside the heap about 62 % is accounted for: sampled Buffers");
    expect(page).toContain("By bytes outside the heap, of which about 62 % is accounted for (exact:");
    expect(text(renderTerminal(view, { width: 200, color: false }))).toContain(
      "By bytes outside the heap, of which about 62 % is accounted for (exact:",
    );
    expect(
      text(renderMarkdown(view)).match(/of the bytes outside the heap, of which about 62 % is accounted for/g),
    ).toHaveLength(2);
    expectValidReport(JSON.parse(text(renderJson(view))));
  });

  test("says that nothing is accounted for where Buffers were not sampled", () => {
    const [first] = analyse(uploads(undefined), { spikeMs: 10 }).spikes.filter(
      ({ cause }) => cause === "external-memory",
    );
    expect(first?.external).toEqual({ countedBytes: 100 * MIB, accountedBytes: null, share: 0 });
  });
});

/** What stands in the HTML file, before any browser opens it. */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flameTree } from "../../src/analysis/flame-tree.ts";
import { MOST_CALLS, MOST_FLAMED } from "../../src/analysis/spike-flames.ts";
import { type FlameColumns, flattenTree, growTree } from "../../src/report/client/flame-columns.ts";
import { pack, type ReportData, unpack } from "../../src/report/client/wire.ts";
import { renderHtml } from "../../src/report/html.ts";
import { hostile } from "../support/hostile.ts";
import { syntheticView } from "../support/view-builder.ts";

const ASSETS = { script: "/* script */", style: "/* style */" };

function render(view = syntheticView()): string {
  return new TextDecoder().decode(renderHtml(view, ASSETS));
}

function contentOf(html: string, id: string): string {
  return new RegExp(`id="${id}">([^<]*)</script>`).exec(html)?.[1] ?? "";
}

/** Only `value` matters to pack; the rest of the data is another test's. */
function roundTrip(value: unknown): unknown {
  const { json, blob } = pack({ value } as unknown as ReportData, (text) => text);
  return (unpack(json, blob) as unknown as { value: unknown }).value;
}

describe("columns", () => {
  test("times come back to the microsecond, however many came before", () => {
    const gaps = fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { maxLength: 300 });
    fc.assert(
      fc.property(gaps, (steps) => {
        let at = 0;
        const startMs = Float64Array.from(steps, (step) => (at += step));
        const read = roundTrip({ startMs }) as { startMs: Float64Array };
        expect(read.startMs.length).toBe(startMs.length);
        for (const [i, time] of startMs.entries())
          expect(Math.abs((read.startMs[i] ?? 0) - time)).toBeLessThan(0.000_51);
      }),
    );
  });

  test("values keep seven digits, and gaps stay gaps", () => {
    const durationMs = Float64Array.of(41.8, Number.NaN, 0, 222_298_112, Number.POSITIVE_INFINITY);
    const read = roundTrip({ durationMs }) as { durationMs: Float64Array };
    expect([...read.durationMs]).toEqual([...durationMs].map(Math.fround));
  });

  test("a time that is not known does not spoil the ones behind it", () => {
    const read = roundTrip({ timeMs: Float64Array.of(1, Number.NaN, 3, 4) }) as { timeMs: Float64Array };
    expect([...read.timeMs]).toEqual([1, Number.NaN, 3, 4]);
  });

  test("several columns of odd lengths stand beside each other", () => {
    const value = {
      kind: Uint8Array.of(1, 2, 3),
      ids: Int32Array.of(-1, 7),
      value: Float64Array.of(0.5),
      none: new Float64Array(0),
    };
    expect(roundTrip(value)).toEqual(value);
  });

  test("a blob that is too short is refused", () => {
    const { json, blob } = pack({ value: Float64Array.of(1, 2, 3) } as unknown as ReportData, (text) => text);
    expect(() => unpack(json, blob.subarray(0, 4))).toThrow(RangeError);
  });
});

describe("flame graphs", () => {
  test("come back as they were", () => {
    const stacks = fc.array(fc.record({ frames: fc.array(fc.nat(5), { maxLength: 6 }), bytes: fc.nat(100_000) }));
    fc.assert(
      fc.property(stacks, fc.integer({ min: 2, max: 30 }), (some, mostNodes) => {
        const tree = flameTree(some, { mostNodes, inlinedOf: (frame) => (frame % 2 === 1 ? frame - 1 : undefined) });
        expect(growTree(roundTrip(flattenTree(tree)) as FlameColumns)).toEqual(tree);
      }),
    );
  });

  test("of as many spikes as have one, whose stacks are all different, add less than 200 KiB", () => {
    const anyStack = fc.array(fc.nat(399), { minLength: 20, maxLength: 20 });
    const stacks = fc.sample(anyStack, { numRuns: 2000, seed: 7 });
    const tree = (offset: number) =>
      flameTree(
        stacks.map((frames, i) => ({ frames, bytes: ((i + 1) * 7919 + offset * 104_729) % 900_001 })),
        { mostNodes: MOST_CALLS },
      );
    const view = syntheticView({ pauses: 3000, durationMs: 3_600_000, spikeMs: 1 });
    const selection = { of: "heap", measure: "survived", fromMs: 0, toMs: 1, aliveMs: 1, leastBytes: 0 } as const;
    const flames = view.report.spikes.slice(0, MOST_FLAMED).map(({ id }, i) => ({
      spike: id,
      flames: [0, 1].map((which) => ({ selection, tree: tree(2 * i + which) })),
    }));
    expect(flames.length).toBe(MOST_FLAMED);
    const bytes = render({ ...view, flames }).length - render({ ...view, flames: [] }).length;
    expect(bytes).toBeGreaterThan(50 * 1024);
    expect(bytes).toBeLessThan(200 * 1024);
  });
});

describe("the file", () => {
  test("allows its own script and style and nothing else", () => {
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(render())?.[1] ?? "";
    const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      `script-src ${hash(ASSETS.script)}`,
      `style-src ${hash(ASSETS.style)}`,
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(render()).not.toMatch(/ style=/);
  });

  test("holds hostile names only as inert data", () => {
    const html = render(syntheticView({ rename: hostile, workers: ["w"] }));
    expect(html.match(/<script/g)).toHaveLength(3);
    expect(html.match(/<\/script/g)).toHaveLength(3);
    expect(html).not.toContain("<!--");
    expect(html).not.toContain("<img");
    expect(html).not.toMatch(/[\u2028\u2029\u202e\u2066\p{Cs}]|(?!\n)\p{Cc}/u);
    expect(JSON.parse(contentOf(html, "report-data"))).toMatchObject({ report: { thresholds: { spikeMs: 10 } } });
  });

  test("cuts long names", () => {
    const html = render(syntheticView({ rename: (text) => `${text}${"x".repeat(100_000)}` }));
    expect(html.length).toBeLessThan(400_000);
    expect(html).toMatch(/hydrateSessionx+…/);
  });

  test("holds at most a thousand spikes, the worst ones, and says how many there are", () => {
    const view = syntheticView({ pauses: 3000, durationMs: 3_600_000, spikeMs: 1 });
    const data = JSON.parse(contentOf(render(view), "report-data")) as ReportData;
    const durations = view.report.spikes.map((spike) => spike.durationMs).sort((a, b) => b - a);
    expect(durations.length).toBeGreaterThan(1000);
    expect(data.spikeCount).toBe(durations.length);
    expect(data.spikes.map((spike) => spike.durationMs)).toEqual(durations.slice(0, 1000));
  });

  test("thins long curves to their extremes, and keeps every pause", () => {
    const view = syntheticView({ pauses: 50_000, durationMs: 3_600_000 });
    const [isolate] = view.isolates;
    if (isolate === undefined) throw new Error("no isolate");
    const timeMs = Float64Array.from({ length: 200_000 }, (_, i) => i * 18);
    const value = timeMs.map((_, i) => (i === 123_457 ? 999 : i === 55_555 ? -999 : i % 7));
    const html = render({ ...view, isolates: [{ ...isolate, heapUsed: { timeMs, value } }] });
    const blob = gunzipSync(Buffer.from(contentOf(html, "report-columns"), "base64"));
    const read = unpack<ReportData>(contentOf(html, "report-data"), blob).isolates[0];
    expect(read?.pauses.durationMs.length).toBe(50_000);
    const kept = read?.heapUsed;
    expect(kept?.value.length).toBeLessThanOrEqual(40_000);
    expect(kept?.timeMs[kept.value.indexOf(999)]).toBe(123_457 * 18);
    expect(kept?.timeMs[kept.value.indexOf(-999)]).toBe(55_555 * 18);
    expect([...(kept?.timeMs ?? [])]).toEqual([...(kept?.timeMs ?? [])].sort((a, b) => a - b));
  });

  test("of a million pauses stays under 20 MB", { timeout: 60_000 }, () => {
    const view = syntheticView({ pauses: 1_000_000, durationMs: 3_600_000, spikeMs: 1000 });
    expect(renderHtml(view, ASSETS).length).toBeLessThan(20e6);
  });
});

import { createCanvas, loadImage } from "canvas";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  extremesPerColumn,
  largestIndexPerColumn,
  largestPerColumn,
  sumRuns,
} from "../../../src/report/charts/decimate.ts";
import { flameBoxes } from "../../../src/report/charts/flame.ts";
import { PICTURES, sceneOf } from "../../../src/report/charts/pictures.ts";
import { COLUMNS, HEIGHT, KIND_COLOURS, plainText, WIDTH } from "../../../src/report/charts/style.ts";
import { renderCharts } from "../../../src/report/charts.ts";
import type { IsolateView, ReportView } from "../../../src/report/view-model.ts";
import { chartView } from "./charts-view.ts";

const NAMES = ["timeline", "percentiles", "histogram", "mmu", "heap-spaces", "gc-work", "loop-delay", "allocations"];

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Pixels of exactly this colour, "#rrggbb", within the rows from..to. */
  count(colour: string, from?: number, to?: number): number;
  /** Pixels that are not white. */
  ink(from: number, to: number): number;
}

async function decode(bytes: Uint8Array): Promise<Picture> {
  const image = await loadImage(Buffer.from(bytes));
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const tally = (from: number, to: number, matches: (rgb: number) => boolean): number => {
    let found = 0;
    for (let i = from * image.width * 4; i < to * image.width * 4; i += 4) {
      if (matches(((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0))) found++;
    }
    return found;
  };
  return {
    width: image.width,
    height: image.height,
    count: (colour, from = 0, to = image.height) =>
      tally(from, to, (rgb) => rgb === Number.parseInt(colour.slice(1), 16)),
    ink: (from, to) => tally(from, to, (rgb) => rgb !== 0xffffff),
  };
}

async function pictureOf(view: ReportView, name: string): Promise<Picture> {
  const file = (await renderCharts(view)).find((entry) => entry.name === name);
  if (file === undefined) throw new Error(`no ${name}`);
  return decode(file.bytes);
}

function withIsolate(view: ReportView, change: Partial<IsolateView>): ReportView {
  return { ...view, isolates: view.isolates.map((isolate) => ({ ...isolate, ...change })) };
}

describe("renderCharts", () => {
  it("draws eight pictures of the documented size", async () => {
    const files = await renderCharts(chartView());
    expect(files.map((file) => file.name)).toEqual(NAMES.map((name) => `${name}.png`));
    for (const file of files) expect(await decode(file.bytes)).toMatchObject({ width: WIDTH, height: HEIGHT });
  });

  it("draws each kind of pause in its colour and writes the title in letters", async () => {
    const picture = await pictureOf(chartView(), "timeline.png");
    for (const kind of ["scavenge", "mark-compact", "incremental-start"] as const) {
      expect(picture.count(KIND_COLOURS[kind], 80, 530), kind).toBeGreaterThan(20);
    }
    expect(picture.count(KIND_COLOURS["weak-callbacks"])).toBe(0);
    expect(picture.ink(18, 45)).toBeGreaterThan(500);
  });

  it("says in words that there was no pause", async () => {
    const view = chartView({ pauses: 0, durationMs: 900 });
    const scene = sceneOf(view, view.isolates[0] as IsolateView);
    for (const name of ["timeline", "percentiles", "histogram", "gc-work"]) {
      expect(PICTURES[name]?.(scene).empty, name).toMatch(/No garbage collection/);
    }
    expect((await pictureOf(view, "histogram.png")).ink(280, 360)).toBeGreaterThan(500);
  });

  it("survives a recording with nothing in it, and one whose numbers are missing", async () => {
    const nothing = new Float64Array();
    const none = { timeMs: nothing, value: nothing };
    const empty: Partial<IsolateView> = {
      pauses: { startMs: nothing, durationMs: nothing, kind: new Uint8Array() },
      heapUsed: none,
      loopDelayMs: none,
      loopUtilization: none,
      spacesTimeMs: nothing,
      spaces: [],
      mmu: [],
      percentiles: [],
      histogram: [],
      gcWork: { bucketMs: 0, insideMs: nothing, outsideMs: null },
    };
    expect(await renderCharts(withIsolate(chartView({ durationMs: 0 }), empty))).toHaveLength(NAMES.length);
    const nan = Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY, 3);
    const missing: Partial<IsolateView> = {
      pauses: { startMs: nan, durationMs: nan, kind: Uint8Array.of(0, 2, 200) },
      heapUsed: { timeMs: nan, value: nan },
      spacesTimeMs: nan,
      spaces: [{ name: "old_space", usedBytes: nan }],
      loopDelayMs: { timeMs: nan, value: nan },
      gcWork: { bucketMs: Number.NaN, insideMs: nan, outsideMs: nan },
      mmu: [{ windowMs: 0, utilization: Number.NaN }],
      percentiles: [{ q: Number.NaN, ms: Number.NaN }],
    };
    expect(await renderCharts(withIsolate(chartView({ durationMs: Number.NaN }), missing))).toHaveLength(NAMES.length);
  });

  it("names the files of further isolates safely and draws the ones that paused most", async () => {
    const view = chartView({ pauses: 20, isolateNames: Array.from({ length: 12 }, (_, i) => `worker ${i}`) });
    const isolates = view.isolates.map((isolate, i) => ({
      ...isolate,
      id: `../${i}`,
      pauses: { ...isolate.pauses, durationMs: isolate.pauses.durationMs.map((ms) => ms * (i + 1)) },
    }));
    const files = await renderCharts({ ...view, isolates });
    expect(files).toHaveLength(8 * NAMES.length);
    expect(new Set(files.map((file) => file.name)).size).toBe(files.length);
    for (const { name } of files) expect(name).toMatch(/^[a-z-]+(\.\d-[A-Za-z0-9_-]+)?\.png$/);
    expect(files[NAMES.length]?.name).toBe("timeline.1-_11.png");
  });

  it("draws no more points than pixels, however many pauses there are", () => {
    const view = chartView({ pauses: 200_000, durationMs: 600_000 });
    const scene = sceneOf(view, view.isolates[0] as IsolateView);
    for (const [name, draw] of Object.entries(PICTURES)) {
      for (const { data } of draw(scene).datasets) expect(data.length, name).toBeLessThanOrEqual(2 * COLUMNS);
    }
  });
});

describe("plainText", () => {
  it("keeps one bounded line without characters that control or hide", () => {
    expect(plainText("node  a\u0000b\u001b[31m\nc\u202egnp.exe")).toBe("node a b [31m c gnp.exe");
    expect(plainText("x".repeat(1_000_000))).toBe(`${"x".repeat(71)}…`);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(plainText(text)).not.toMatch(/\p{C}/u);
        expect(Array.from(plainText(text)).length).toBeLessThanOrEqual(72);
      }),
    );
  });
});

describe("decimation", () => {
  const value = fc.oneof(fc.double({ min: 0, max: 1000, noNaN: true }), fc.constant(Number.NaN));
  const points = fc.array(fc.tuple(fc.double({ min: 0, max: 100, noNaN: true }), value, fc.nat(2)), { maxLength: 300 });
  const range = { from: 0, to: 100 };
  const columns = (rows: readonly (readonly [number, number, number])[]) => ({
    xs: Float64Array.from(rows, (row) => row[0]),
    ys: Float64Array.from(rows, (row) => row[1]),
    group: Uint8Array.from(rows, (row) => row[2]),
  });

  it("never loses the largest point of a group, and adds none", () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 1, max: 50 }), (rows, width) => {
        const { xs, ys, group } = columns(rows);
        largestPerColumn(xs, ys, group, 3, range, width).forEach((kept, g) => {
          const own = rows.filter((row) => row[2] === g && Number.isFinite(row[1]));
          expect(Math.max(-1, ...kept.map((point) => point.y))).toBe(Math.max(-1, ...own.map((row) => row[1])));
          expect(kept.length).toBeLessThanOrEqual(Math.min(width, own.length));
          for (const point of kept) expect(own.some((row) => row[0] === point.x && row[1] === point.y)).toBe(true);
        });
      }),
    );
  });

  it("keeps peaks and dips of a line in order of time", () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 1, max: 50 }), (unordered, width) => {
        const rows = unordered.toSorted((a, b) => a[0] - b[0]);
        const { xs, ys } = columns(rows);
        const kept = extremesPerColumn(xs, ys, range, width);
        const finite = rows.map((row) => row[1]).filter(Number.isFinite);
        expect(Math.max(-1, ...kept.map((point) => point.y))).toBe(Math.max(-1, ...finite));
        expect(Math.min(1e9, ...kept.map((point) => point.y))).toBe(Math.min(1e9, ...finite));
        expect(kept.map((point) => point.x)).toEqual(kept.map((point) => point.x).toSorted((a, b) => a - b));
        expect(kept.length).toBeLessThanOrEqual(2 * width);
      }),
    );
  });

  it("picks one moment a column and keeps sums", () => {
    expect(largestIndexPerColumn(Float64Array.of(1, 2, 60), Float64Array.of(5, 7, 1), range, 2)).toEqual([1, 2]);
    expect(sumRuns(Float64Array.of(1, 2, Number.NaN, 4, 5), 2)).toEqual({ length: 3, sums: [3, 9] });
    expect(sumRuns(new Float64Array(), 10)).toEqual({ length: 1, sums: [] });
  });
});

describe("the flame graph", () => {
  const frame = (name: string, origin: "user" | "node" = "user") => ({ name, location: "", origin });
  const allocations = {
    frames: [frame("main", "node"), frame("serve"), frame("parse"), frame("render")],
    stacks: [
      [0, 1, 2],
      [0, 1, 3],
      [0, 1],
    ],
    windows: [
      { startMs: 0, endMs: 1000, bytes: 70, stacks: [{ stack: 0, bytes: 70 }] },
      {
        startMs: 1000,
        endMs: 2000,
        bytes: 30,
        stacks: [
          { stack: 1, bytes: 20 },
          { stack: 2, bytes: 10 },
        ],
      },
    ],
  };

  it("begins where stacks part, and sums windows", () => {
    const boxes = flameBoxes(allocations, 10, 0).map(({ name, depth, from, to }) => [name, depth, from, to]);
    expect(boxes).toEqual([
      ["serve", 0, 0, 1],
      ["parse", 1, 0, 0.7],
      ["render", 1, 0.7, 0.7 + 0.2],
    ]);
  });

  it("leaves out what is too deep or too narrow", () => {
    expect(flameBoxes(allocations, 1, 0).map(({ name }) => name)).toEqual(["serve"]);
    expect(flameBoxes(allocations, 10, 0.5).map(({ name }) => name)).toEqual(["serve", "parse"]);
  });

  it("is drawn in the colours of its frames, and says where there is nothing to draw", async () => {
    expect(
      (await pictureOf(withIsolate(chartView(), { allocations }), "allocations.png")).count("#f3c15f", 80, 200),
    ).toBeGreaterThan(10_000);
    const empty = withIsolate(chartView(), { allocations: null });
    expect(PICTURES.allocations?.(sceneOf(empty, empty.isolates[0] as IsolateView)).empty).toBe(
      "No allocations were sampled.",
    );
  });
});

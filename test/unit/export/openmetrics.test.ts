import { describe, expect, test } from "vitest";
import { exportOpenMetrics } from "../../../src/export/openmetrics.ts";
import { EXPORT_STORIES, exportInput, pauseTotals } from "../../support/exported.ts";

interface Point {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
  readonly time: number;
}

const LINE = /^([a-z_]+)(\{(?:[a-z0-9]+="(?:[^"\\\n]|\\[\\"n])*",?)*\}) (-?[\d.e+-]+|\+Inf) (\d+\.\d{3})$/;

function pointsOf(bytes: Uint8Array): readonly Point[] {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  expect(text.endsWith("# EOF\n")).toBe(true);
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = "", value, time] = LINE.exec(line) ?? [];
      expect(name, line).not.toBe("");
      return { name, labels, value: Number(value), time: Number(time) };
    });
}

/** The last value of every series of a metric, added up. */
function total(points: readonly Point[], name: string): number {
  const last = new Map(points.filter((point) => point.name === name).map((point) => [point.labels, point.value]));
  return [...last.values()].reduce((sum, value) => sum + value, 0);
}

describe.each(Object.keys(EXPORT_STORIES))("the story %s", (story) => {
  const input = exportInput(story);
  const points = pointsOf(exportOpenMetrics(input));

  test("ends with the sums of the report", () => {
    const { count, totalMs } = pauseTotals(input);
    const { outsidePausesMs, promotedBytes } = input.report.summary;
    expect(total(points, "gcspike_pause_seconds_count")).toBe(count);
    expect(total(points, "gcspike_pause_seconds_sum")).toBeCloseTo(totalMs / 1000, 9);
    expect(total(points, "gcspike_outside_pauses_seconds_total")).toBeCloseTo((outsidePausesMs ?? 0) / 1000, 9);
    expect(total(points, "gcspike_promoted_bytes_total")).toBeCloseTo(promotedBytes ?? 0, 0);
    expect(total(points, "gcspike_spikes_total")).toBe(input.report.spikes.length);
  });

  test("a series' times rise, its counters and buckets never fall, and the last bucket has all", () => {
    const series = new Map<string, Point[]>();
    for (const point of points) {
      const key = point.name + point.labels;
      series.set(key, [...(series.get(key) ?? []), point]);
    }
    for (const [key, of] of series) {
      for (const [i, point] of of.entries()) {
        const before = of[i - 1];
        if (before === undefined) continue;
        expect(point.time, key).toBeGreaterThan(before.time);
        if (/_total|_bucket|_count|_sum/.test(point.name))
          expect(point.value, key).toBeGreaterThanOrEqual(before.value);
      }
    }
    const infinite = points.filter(({ labels }) => labels.includes('le="+Inf"'));
    const counts = points.filter(({ name }) => name === "gcspike_pause_seconds_count");
    expect(infinite.map(({ value }) => value)).toEqual(counts.map(({ value }) => value));
  });
});

test("times are calendar times", () => {
  const input = exportInput("everything");
  const times = pointsOf(exportOpenMetrics(input)).map(({ time }) => time);
  const start = Date.parse(input.recording.manifest.startedAt) / 1000;
  expect(Math.min(...times)).toBe(start);
  expect(Math.max(...times)).toBeCloseTo(start + input.recording.durationMs / 1000, 3);
});

import { describe, expect, test } from "vitest";
import { exportChromeTrace } from "../../../src/export/chrome-trace.ts";
import { exportPerfetto } from "../../../src/export/perfetto.ts";
import { traceOf } from "../../../src/export/trace.ts";
import { eachField } from "../../../src/recording/protobuf.ts";
import { EXPORT_STORIES, exportInput, pauseTotals } from "../../support/exported.ts";

interface ChromeEvent {
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
  readonly cat?: string;
  readonly ts: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const chromeEvents = (bytes: Uint8Array): readonly ChromeEvent[] =>
  JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)).traceEvents;

describe.each(Object.keys(EXPORT_STORIES))("the story %s", (story) => {
  const input = exportInput(story);

  test("Chrome's trace has every pause, and they add up", () => {
    const pauses = chromeEvents(exportChromeTrace(input)).filter(({ cat }) => cat === "pause");
    const { count, totalMs } = pauseTotals(input);
    expect(pauses).toHaveLength(count);
    expect(pauses.reduce((sum, { dur = 0 }) => sum + dur, 0)).toBeCloseTo(totalMs * 1000, 0);
  });

  test("on every track slices lie inside of each other or behind each other", () => {
    for (const { threads } of traceOf(input)) {
      for (const { name, slices } of threads.flatMap((thread) => thread.slices)) {
        const ends: number[] = [];
        let latest = Number.NEGATIVE_INFINITY;
        for (const { startMs, durationMs } of slices()) {
          expect(startMs, name).toBeGreaterThanOrEqual(latest);
          latest = startMs;
          while (ends.length > 0 && (ends.at(-1) ?? 0) <= startMs) ends.pop();
          expect(startMs + durationMs, name).toBeLessThanOrEqual(ends.at(-1) ?? Number.POSITIVE_INFINITY);
          ends.push(startMs + durationMs);
        }
      }
    }
  });

  test("Perfetto's trace opens and closes every slice, in order of time on each track", () => {
    const depth = new Map<number, number>();
    const latest = new Map<number, number>();
    let begun = 0;
    for (const { track, type, timestamp } of perfettoEvents(exportPerfetto(input))) {
      if (type === 4) continue;
      expect(timestamp).toBeGreaterThanOrEqual(latest.get(track) ?? 0);
      latest.set(track, timestamp);
      const open = (depth.get(track) ?? 0) + (type === 1 ? 1 : type === 2 ? -1 : 0);
      expect(open).toBeGreaterThanOrEqual(0);
      depth.set(track, open);
      if (type === 1) begun++;
    }
    expect([...depth.values()].every((open) => open === 0)).toBe(true);
    const slices = chromeEvents(exportChromeTrace(input)).filter(({ ph }) => ph === "X");
    expect(begun).toBe(slices.length);
  });
});

test("requests that go on at once have tracks beside each other", () => {
  const [process] = traceOf(exportInput("everything"));
  const lanes = process?.threads[0]?.slices.filter(({ name }) => name === "tags") ?? [];
  expect(lanes.map(({ slices }) => [...slices()].map(({ name, startMs }) => `${name} ${startMs}`))).toEqual([
    ["nightly 10"],
    ["flush 50", "GET /orders/:id 100", "GET /orders/:id 500", "flush 700"],
    ["GET /orders/:id 120"],
    ["GET /orders/:id 140"],
  ]);
});

test("processes, threads and counters have names", () => {
  const events = chromeEvents(exportChromeTrace(exportInput("everything")));
  const named = (what: string) => events.filter(({ name }) => name === what).map(({ args }) => args.name);
  expect(named("process_name")).toEqual(["server.js", "child.js"]);
  expect(named("thread_name")).toEqual(
    expect.arrayContaining(["main: pauses", "image-worker: pauses", "child.js: pauses"]),
  );
  const counters = new Set(events.filter(({ ph }) => ph === "C").map(({ name }) => name));
  expect(counters).toContain("main: used heap");
  expect(counters).toContain("resident memory");
});

/** Type, track and time of each event, read by the numbers of their fields. */
function perfettoEvents(file: Uint8Array): readonly { track: number; type: number; timestamp: number }[] {
  const bytes = Buffer.from(file);
  const events: { track: number; type: number; timestamp: number }[] = [];
  eachField(bytes, 0, bytes.length, (packet) => {
    let timestamp = -1;
    eachField(bytes, packet.start, packet.end, (field) => {
      if (field.number === 8) timestamp = field.value;
      if (field.number !== 11) return;
      const event = { track: -1, type: -1, timestamp };
      eachField(bytes, field.start, field.end, ({ number, value }) => {
        if (number === 9) event.type = value;
        if (number === 11) event.track = value;
      });
      events.push(event);
    });
  });
  return events;
}

import { describe, expect, test } from "vitest";
import { exposition } from "../../../src/fleet/endpoint.ts";
import { Gatherer } from "../../../src/fleet/gatherer.ts";
import type { Metric } from "../../../src/fleet/metric.ts";
import type { FlightEvent } from "../../../src/recorder/flight/events.ts";

const OWN = { cpuSeconds: 0.5, shipped: 0, notShipped: 0 };

function pause(startMs: number, ms: number, isolate = "100-0", kind = "scavenge"): FlightEvent {
  return { type: "pause", isolate, kind, startMs, endMs: startMs + ms, usedBeforeBytes: 0, ofLimit: null };
}

function step(startMs: number, endMs: number, isolate = "100-0"): FlightEvent {
  return { type: "work", isolate, startMs, endMs, isStep: true };
}

function loop(atMs: number, delayMs: number, isolate = "100-0"): FlightEvent {
  return { type: "loop", isolate, atMs, delayMs };
}

function find(metrics: readonly Metric[], name: string): Metric {
  return metrics.find((metric) => metric.name === name) ?? expect.fail(`no ${name}`);
}

function values(gatherer: Gatherer, name: string): readonly unknown[] {
  const metric = find(gatherer.metrics(OWN), name);
  return metric.type === "histogram"
    ? metric.points.map(({ labels, histogram: { count, sum } }) => [labels, count, sum])
    : metric.points.map(({ labels, value }) => [labels, value]);
}

describe("what adds up", () => {
  test("pauses by kind and thread, whichever process and worker", () => {
    const gatherer = new Gatherer();
    gatherer.see([pause(0, 2), pause(10, 4, "100-7"), pause(20, 4, "101-0.2"), pause(30, 8, "100-8", "mark-compact")]);
    gatherer.see([pause(40, 2, "100-9")]);
    expect(values(gatherer, "gcspike_pause_seconds")).toEqual([
      [{ kind: "scavenge", thread: "main" }, 2, 0.006],
      [{ kind: "scavenge", thread: "worker" }, 2, 0.006],
      [{ kind: "mark-compact", thread: "worker" }, 1, 0.008],
    ]);
  });

  test("steps that overlap count once, also from one look to the next", () => {
    const gatherer = new Gatherer();
    gatherer.see([loop(0, 0), step(2, 4), step(1, 5), step(10, 12)]);
    gatherer.see([step(11, 13), step(20, 21)]);
    expect(values(gatherer, "gcspike_incremental_steps_seconds")).toEqual([
      [{ thread: "main" }, expect.closeTo(0.008, 9)],
    ]);
  });
});

describe("levels", () => {
  test("the longest delay of the last minute, and the fullest isolate", () => {
    const gatherer = new Gatherer();
    gatherer.see([loop(500, 90), loop(1500, 30), { type: "heap", isolate: "100-0", atMs: 1500, usedBytes: 7 }]);
    gatherer.see([{ type: "heap", isolate: "101-0", atMs: 1500, usedBytes: 9 }]);
    expect(values(gatherer, "gcspike_event_loop_delay_max_seconds")).toEqual([[{ thread: "main" }, 0.09]]);
    expect(values(gatherer, "gcspike_heap_used_bytes")).toEqual([[{ thread: "main" }, 9]]);
    for (let second = 2; second <= 60; second++) gatherer.see([loop(second * 1000, 1)]);
    expect(values(gatherer, "gcspike_event_loop_delay_max_seconds")).toEqual([[{ thread: "main" }, 0.03]]);
    expect(values(gatherer, "gcspike_heap_used_bytes")).toEqual([[{ thread: "main" }, 7]]);
  });

  test("ten thousand workers leave no series behind", () => {
    const gatherer = new Gatherer();
    for (let worker = 1; worker <= 10_000; worker++) {
      gatherer.see([pause(worker * 100, 1, `100-${worker}`), loop(worker * 100, 1, `100-${worker}`)]);
    }
    const points = gatherer.metrics(OWN).reduce((sum, metric) => sum + metric.points.length, 0);
    expect(points).toBeLessThan(10);
  });
});

describe("exemplars", () => {
  const exemplarsOf = (gatherer: Gatherer) => {
    const metric = find(gatherer.metrics(OWN), "gcspike_pause_seconds");
    return metric.type === "histogram"
      ? metric.points.flatMap(({ histogram }) => [...histogram.exemplars.values()])
      : [];
  };

  test("the pauses that fired point to the dump", () => {
    const gatherer = new Gatherer();
    gatherer.see([pause(1000, 60), pause(2000, 3), pause(3000, 70, "100-0", "mark-compact")]);
    const fired = [
      { trigger: "pause>50ms", atMs: 1000, what: "" },
      { trigger: "pause>50ms", atMs: 3000, what: "" },
    ];
    gatherer.dumped({ id: "host-100-dump", fired }, 1_700_000_000_000);
    expect(exemplarsOf(gatherer)).toEqual([
      { dump: "host-100-dump", seconds: 0.06, epochMs: 1_700_000_001_000 },
      { dump: "host-100-dump", seconds: 0.07, epochMs: 1_700_000_003_000 },
    ]);
    expect(values(gatherer, "gcspike_dumps")).toEqual([[{ trigger: "pause>50ms" }, 1]]);
  });

  test("another trigger: the longest pause of that time", () => {
    const gatherer = new Gatherer();
    gatherer.see([pause(1000, 5), pause(2000, 9), pause(3000, 3)]);
    gatherer.dumped({ id: "d", fired: [{ trigger: "heap>1MiB", atMs: 2500, what: "" }] }, 0);
    expect(exemplarsOf(gatherer)).toEqual([{ dump: "d", seconds: 0.009, epochMs: 2000 }]);
  });
});

describe("exposition", () => {
  const gatherer = new Gatherer();
  gatherer.see([pause(1000, 0.3), pause(1100, 60), loop(1200, 5)]);
  gatherer.dumped({ id: "d", fired: [{ trigger: "pause>50ms", atMs: 1100, what: "" }] }, 0);
  const exposed = { metrics: () => gatherer.metrics(OWN), every: { service: 'a"b\\c' } };

  test("text by default, without exemplars", () => {
    const { type, body } = exposition("*/*", exposed);
    expect(type).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toContain("# TYPE gcspike_dumps_total counter\n");
    expect(body).toContain(
      'gcspike_pause_seconds_bucket{service="a\\"b\\\\c",kind="scavenge",thread="main",le="0.0005"} 1\n',
    );
    expect(body).not.toContain(" # {");
  });

  test("OpenMetrics where it is asked for, with them", () => {
    const { type, body } = exposition("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", exposed);
    expect(type).toMatch(/^application\/openmetrics-text/);
    expect(body).toContain('le="0.1"} 2 # {dump="d"} 0.06 1.100\n');
    expect(String(body).endsWith("# EOF\n")).toBe(true);
  });

  test("protobuf for who wants native histograms", () => {
    const accept =
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8";
    expect(exposition(accept, exposed).type).toMatch(/^application\/vnd\.google\.protobuf/);
  });
});

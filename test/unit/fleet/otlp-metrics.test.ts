import definitions from "otlp-definitions/build/src/generated/root.js";
import { expect, test } from "vitest";
import { Histogram } from "../../../src/fleet/histogram.ts";
import type { Metric } from "../../../src/fleet/metric.ts";
import { encodeOtlp } from "../../../src/fleet/otlp-metrics.ts";

interface Decoder {
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: object): Decoded;
}

interface Decoded {
  readonly resourceMetrics: readonly {
    readonly resource: unknown;
    readonly scopeMetrics: readonly { readonly scope: unknown; readonly metrics: readonly unknown[] }[];
  }[];
}

/** As OpenTelemetry's own protobuf definitions read it. */
function decoded(bytes: Uint8Array): Decoded {
  const root = definitions as unknown as {
    readonly opentelemetry: {
      readonly proto: {
        readonly collector: { readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: Decoder } } };
      };
    };
  };
  const { ExportMetricsServiceRequest } = root.opentelemetry.proto.collector.metrics.v1;
  return ExportMetricsServiceRequest.toObject(ExportMetricsServiceRequest.decode(bytes), { longs: String });
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });

test("OpenTelemetry's definitions read what is written", () => {
  const histogram = new Histogram();
  // 2^-10 s is the upper bound of a bucket, 2^-9 s eight buckets further.
  for (const seconds of [2 ** -10, 2 ** -10, 2 ** -9]) histogram.add(seconds);
  histogram.point({ dump: "host-1-dump", seconds: 2 ** -9, epochMs: 1_700_000_000_123.5 });
  const described = { help: "h", otlp: { name: "v8js.gc.duration", unit: "s" }, name: "gcspike_pause_seconds" };
  const metrics: readonly Metric[] = [
    {
      ...described,
      type: "histogram",
      points: [{ labels: { kind: "mark-compact", thread: "main" }, histogram: histogram.state() }],
    },
    { ...described, otlp: { name: "a.sum", unit: "s" }, type: "counter", points: [{ labels: {}, value: 1.5 }] },
    {
      ...described,
      otlp: { name: "a.gauge", unit: "By" },
      type: "gauge",
      points: [{ labels: { thread: "main" }, value: 7 }],
    },
    { ...described, otlp: { name: "nothing", unit: "s" }, type: "gauge", points: [] },
  ];
  const [one] = decoded(
    encodeOtlp({
      metrics,
      resource: new Map<string, string | number>([
        ["service.name", "checkout"],
        ["process.pid", 4121],
      ]),
      version: "1.2.3",
      startEpochMs: 1_700_000_000_000,
      epochMs: 1_700_000_060_000,
    }),
  ).resourceMetrics;
  expect(one?.resource).toEqual({
    attributes: [text("service.name", "checkout"), { key: "process.pid", value: { intValue: "4121" } }],
  });
  const times = { startTimeUnixNano: "1700000000000000000", timeUnixNano: "1700000060000000000" };
  expect(one?.scopeMetrics).toEqual([
    {
      scope: { name: "gcspike", version: "1.2.3" },
      metrics: [
        {
          name: "v8js.gc.duration",
          description: "h",
          unit: "s",
          exponentialHistogram: {
            aggregationTemporality: 2,
            dataPoints: [
              {
                attributes: [
                  text("v8js.gc.type", "major"),
                  text("gcspike.gc.kind", "mark-compact"),
                  text("gcspike.thread", "main"),
                ],
                ...times,
                count: "3",
                sum: 2 ** -8,
                scale: 3,
                zeroCount: "0",
                positive: { offset: -81, bucketCounts: ["2", "0", "0", "0", "0", "0", "0", "0", "1"] },
                exemplars: [
                  {
                    timeUnixNano: "1700000000123500000",
                    asDouble: 2 ** -9,
                    filteredAttributes: [text("gcspike.dump", "host-1-dump")],
                  },
                ],
                min: 2 ** -10,
                max: 2 ** -9,
                zeroThreshold: 2 ** -20,
              },
            ],
          },
        },
        {
          name: "a.sum",
          description: "h",
          unit: "s",
          sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ ...times, asDouble: 1.5 }] },
        },
        {
          name: "a.gauge",
          description: "h",
          unit: "By",
          gauge: { dataPoints: [{ ...times, asDouble: 7, attributes: [text("gcspike.thread", "main")] }] },
        },
      ],
    },
  ]);
});

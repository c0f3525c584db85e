/**
 * OTLP, as protobuf (https://github.com/open-telemetry/opentelemetry-proto). Written here and not by OpenTelemetry's packages, which leave
 * exemplars out and would double the companion's memory.
 */
import { ProtobufWriter } from "../export/protobuf-writer.ts";
import { type Exemplar, type HistogramState, SCALE, ZERO_THRESHOLD } from "./histogram.ts";
import type { Labels, Metric } from "./metric.ts";

const CUMULATIVE = 2;
/** What the semantic conventions call V8's kinds (https://opentelemetry.io/docs/specs/semconv/runtime/v8js-metrics). */
const GC_TYPE: Readonly<Record<string, string>> = {
  scavenge: "minor",
  "minor-mark-sweep": "minor",
  "mark-compact": "major",
  "incremental-start": "incremental",
  "weak-callbacks": "weakcb",
};

export interface OtlpRequest {
  readonly metrics: readonly Metric[];
  /** The process: service.name and what else is known of it. */
  readonly resource: ReadonlyMap<string, string | number>;
  /** gcspike's version. */
  readonly version: string;
  /** Since when the values add up, ms since 1970. */
  readonly startEpochMs: number;
  readonly epochMs: number;
}

/** The body of a POST to /v1/metrics. */
export function encodeOtlp({ metrics, resource, version, startEpochMs, epochMs }: OtlpRequest): Uint8Array {
  const to = new ProtobufWriter();
  to.message(1, () => {
    to.message(1, () => {
      for (const [key, value] of resource) writeAttribute(to, 1, key, value);
    });
    to.message(2, () => {
      to.message(1, () => {
        to.text(1, "gcspike");
        to.text(2, version);
      });
      for (const metric of metrics) {
        if (metric.points.length > 0) to.message(2, () => writeMetric(to, metric, ns(startEpochMs), ns(epochMs)));
      }
    });
  });
  return to.bytes();
}

function ns(epochMs: number): bigint {
  return BigInt(Math.round(epochMs * 1000)) * 1000n;
}

function writeMetric(to: ProtobufWriter, metric: Metric, startNs: bigint, nowNs: bigint): void {
  to.text(1, metric.otlp.name);
  to.text(2, metric.help);
  to.text(3, metric.otlp.unit);
  const times = (): void => {
    to.fixed64(2, startNs);
    to.fixed64(3, nowNs);
  };
  switch (metric.type) {
    case "gauge":
    case "counter":
      to.message(metric.type === "gauge" ? 5 : 7, () => {
        for (const { labels, value } of metric.points) {
          to.message(1, () => {
            times();
            to.double(4, value);
            writeLabels(to, 7, labels);
          });
        }
        if (metric.type === "gauge") return;
        to.varint(2, CUMULATIVE);
        to.varint(3, 1);
      });
      break;
    case "histogram":
      to.message(10, () => {
        for (const { labels, histogram } of metric.points) {
          to.message(1, () => {
            writeLabels(to, 1, labels);
            times();
            writeHistogram(to, histogram);
          });
        }
        to.varint(2, CUMULATIVE);
      });
  }
}

function writeHistogram(to: ProtobufWriter, { count, sum, min, max, fine, exemplars }: HistogramState): void {
  to.fixed64(4, BigInt(count));
  to.double(5, sum);
  to.signed(6, SCALE);
  to.fixed64(7, 0n);
  const offset = fine[0]?.[0] ?? 0;
  to.message(8, () => {
    to.signed(1, offset);
    let next = offset;
    for (const [bucket, inBucket] of fine) {
      for (; next < bucket; next++) to.varint(2, 0);
      to.varint(2, inBucket);
      next++;
    }
  });
  for (const exemplar of exemplars.values()) to.message(11, () => writeExemplar(to, exemplar));
  to.double(12, min);
  to.double(13, max);
  to.double(14, ZERO_THRESHOLD);
}

function writeExemplar(to: ProtobufWriter, { dump, seconds, epochMs }: Exemplar): void {
  to.fixed64(2, ns(epochMs));
  to.double(3, seconds);
  writeAttribute(to, 7, "gcspike.dump", dump);
}

function writeLabels(to: ProtobufWriter, field: number, { kind, ...labels }: Labels): void {
  if (kind !== undefined) {
    writeAttribute(to, field, "v8js.gc.type", GC_TYPE[kind] ?? kind);
    writeAttribute(to, field, "gcspike.gc.kind", kind);
  }
  for (const [name, value] of Object.entries(labels)) writeAttribute(to, field, `gcspike.${name}`, value);
}

function writeAttribute(to: ProtobufWriter, field: number, key: string, value: string | number): void {
  to.message(field, () => {
    to.text(1, key);
    to.message(2, () => {
      if (typeof value === "string") to.text(1, value);
      else to.varint(3, value);
    });
  });
}

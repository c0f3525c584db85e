/**
 * Prometheus's protobuf exposition, the only one that carries native histograms: each message behind its length
 * (https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto).
 */
import { PAUSE_BOUNDS } from "../export/openmetrics.ts";
import { ProtobufWriter } from "../export/protobuf-writer.ts";
import { type Exemplar, type HistogramState, SCALE, ZERO_THRESHOLD } from "./histogram.ts";
import type { Labels, Metric } from "./metric.ts";

export const PROTOBUF_TYPE =
  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

const TYPES = { counter: 0, gauge: 1, histogram: 4 } as const;

/** `every`: labels that each value has. */
export function encodeProtobuf(metrics: readonly Metric[], every: Labels): Uint8Array {
  return Buffer.concat(
    metrics
      .filter(({ points }) => points.length > 0)
      .flatMap((metric) => {
        const family = familyOf(metric, every);
        return [varint(family.length), family];
      }),
  );
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Uint8Array.of(...bytes, rest);
}

function familyOf(metric: Metric, every: Labels): Uint8Array {
  const to = new ProtobufWriter();
  to.text(1, metric.type === "counter" ? `${metric.name}_total` : metric.name);
  to.text(2, metric.help);
  to.varint(3, TYPES[metric.type]);
  if (metric.type === "histogram") {
    for (const { labels, histogram } of metric.points) {
      to.message(4, () => {
        writeLabels(to, { ...every, ...labels });
        to.message(7, () => writeHistogram(to, histogram));
      });
    }
  } else {
    const field = metric.type === "gauge" ? 2 : 3;
    for (const { labels, value } of metric.points) {
      to.message(4, () => {
        writeLabels(to, { ...every, ...labels });
        to.message(field, () => to.double(1, value));
      });
    }
  }
  return to.bytes();
}

function writeLabels(to: ProtobufWriter, labels: Labels): void {
  for (const [name, value] of Object.entries(labels)) {
    to.message(1, () => {
      to.text(1, name);
      to.text(2, value);
    });
  }
}

function writeHistogram(to: ProtobufWriter, { count, sum, fine, coarse, exemplars }: HistogramState): void {
  to.varint(1, count);
  to.double(2, sum);
  let cumulative = 0;
  for (const [index, inBucket] of coarse.entries()) {
    cumulative += inBucket;
    const upTo = cumulative;
    to.message(3, () => {
      to.varint(1, upTo);
      to.double(2, PAUSE_BOUNDS[index] ?? Number.POSITIVE_INFINITY);
      const exemplar = exemplars.get(index);
      if (exemplar !== undefined) to.message(3, () => writeExemplar(to, exemplar));
    });
  }
  to.signed(5, SCALE);
  to.double(6, ZERO_THRESHOLD);
  to.varint(7, 0);
  writeSpans(to, fine);
}

/** Runs of buckets without a gap, then how much each bucket has more than the one before. */
function writeSpans(to: ProtobufWriter, fine: HistogramState["fine"]): void {
  // Prometheus calls a bucket by its upper bound: bucket i holds values up to base^i.
  let next = -1;
  const spans: { readonly offset: number; length: number }[] = [];
  for (const [bucket] of fine) {
    const last = spans.at(-1);
    if (last !== undefined && bucket === next) last.length++;
    else spans.push({ offset: last === undefined ? bucket + 1 : bucket - next, length: 1 });
    next = bucket + 1;
  }
  for (const { offset, length } of spans) {
    to.message(12, () => {
      to.signed(1, offset);
      to.varint(2, length);
    });
  }
  let before = 0;
  for (const [, count] of fine) {
    to.signed(13, count - before);
    before = count;
  }
}

function writeExemplar(to: ProtobufWriter, { dump, seconds, epochMs }: Exemplar): void {
  writeLabels(to, { dump });
  to.double(2, seconds);
  to.message(3, () => {
    to.varint(1, Math.floor(epochMs / 1000));
    to.varint(2, Math.floor((epochMs % 1000) * 1e6));
  });
}

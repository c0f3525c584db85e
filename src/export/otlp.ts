/**
 * Metrics for OpenTelemetry: `v8js.gc.duration` and `v8js.memory.heap.used` as its semantic conventions have them
 * (https://opentelemetry.io/docs/specs/semconv/runtime/v8js-metrics), and gcspike's own beside them. One resource a process; each
 * metric has one value, that of the whole recording.
 */
import { ValueType } from "@opentelemetry/api";
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import type { GcSummary } from "../analysis/report-types.ts";
import { programName } from "../lib/program-name.ts";
import { plainText } from "../lib/text.ts";
import { type IsolateData, PAUSE_KINDS, type PauseKind } from "../recording/model.ts";
import { exponentialBuckets } from "./exponential-buckets.ts";
import { type ExportInput, epochMs } from "./export-input.ts";

/** What the semantic conventions say, seconds. */
const DURATION_BOUNDS: readonly number[] = [0.01, 0.1, 1, 10];
const GC_TYPE: Readonly<Record<PauseKind, string>> = {
  scavenge: "minor",
  "minor-mark-sweep": "minor",
  "mark-compact": "major",
  "incremental-start": "incremental",
  "weak-callbacks": "weakcb",
};

/** A line a process, as the file exporter and the collector's `otlpjsonfile` receiver have it. */
export function exportOtlpLines(input: ExportInput): Uint8Array {
  const lines = resourcesOf(input).map(
    (metrics) => JsonMetricsSerializer.serializeRequest(metrics) ?? new Uint8Array(),
  );
  return Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]));
}

/** A body a process, for POSTs of `application/x-protobuf`. */
export function exportOtlpRequests(input: ExportInput): readonly Uint8Array[] {
  return resourcesOf(input).flatMap((metrics) => ProtobufMetricsSerializer.serializeRequest(metrics) ?? []);
}

/** What the receiver did not take, out of its answer. */
export function rejectedPoints(answer: Uint8Array): { readonly count: number; readonly why: string } {
  const { partialSuccess } = ProtobufMetricsSerializer.deserializeResponse(answer);
  return { count: Number(partialSuccess?.rejectedDataPoints ?? 0), why: plainText(partialSuccess?.errorMessage ?? "") };
}

function resourcesOf(input: ExportInput): readonly ResourceMetrics[] {
  const { recording, report } = input;
  const { manifest } = recording;
  const pids = [...new Set(recording.isolates.map(({ pid }) => pid))];
  return pids.map((pid) => {
    const isolates = recording.isolates.filter((isolate) => isolate.pid === pid);
    const rss = recording.processes.find((process) => process.pid === pid)?.rss;
    const points = new Points(input);
    for (const isolate of isolates) {
      isolateMetrics(points, isolate, report.isolates.find(({ id }) => id === isolate.id)?.gc);
      spikeMetrics(points, isolate, input);
    }
    if (rss !== undefined && rss.length > 0) {
      points.gauge("gcspike.process.memory.peak", "By", "Largest resident memory.", {}, largest(rss));
    }
    return {
      resource: resourceFromAttributes({
        "service.name": plainText(programName(manifest.command)) || "unknown_service:node",
        "process.pid": pid,
        "process.runtime.name": "nodejs",
        "process.runtime.version": (isolates[0]?.node ?? "").replace(/^v/, ""),
        "host.arch": manifest.machine.arch,
        "os.type": manifest.machine.platform,
      }),
      scopeMetrics: [{ scope: { name: "gcspike", version: manifest.gcspike }, metrics: points.metrics() }],
    };
  });
}

type Attributes = Readonly<Record<string, string | number>>;

function attributesOf({ id, name, threadId }: IsolateData): Attributes {
  return { "gcspike.isolate.id": id, "thread.id": threadId, "thread.name": plainText(name) };
}

function isolateMetrics(points: Points, isolate: IsolateData, gc: GcSummary | undefined): void {
  const attributes = attributesOf(isolate);
  const { pauses, heap } = isolate;
  const byType = new Map<string, number[]>();
  for (const [kind, name] of PAUSE_KINDS.entries()) {
    const seconds: number[] = [];
    for (let i = 0; i < pauses.count; i++)
      if (pauses.kind[i] === kind) seconds.push((pauses.durationMs[i] ?? 0) / 1000);
    if (seconds.length === 0) continue;
    byType.set(GC_TYPE[name], (byType.get(GC_TYPE[name]) ?? []).concat(seconds));
    const ofKind = { ...attributes, "gcspike.gc.kind": name };
    points.exponential("gcspike.gc.pause", "s", "Pauses for garbage collection, in fine buckets.", ofKind, seconds);
  }
  for (const [type, seconds] of byType) {
    const ofType = { ...attributes, "v8js.gc.type": type };
    points.histogram("v8js.gc.duration", "s", "Garbage collection duration.", ofType, seconds);
  }
  for (const [space, name] of heap.spaceNames.entries()) {
    const last = heap.spaceUsed[(heap.count - 1) * heap.spaceNames.length + space];
    const inSpace = { ...attributes, "v8js.heap.space.name": name };
    points.level("v8js.memory.heap.used", "By", "Heap Memory size allocated.", inSpace, last);
  }
  if (gc === undefined) return;
  const { outsidePausesMs, wallShare, peakHeapUsedBytes, peakExternalBytes, allocatedBytes, promotedBytes } = gc;
  const outside = outsidePausesMs === null ? null : outsidePausesMs / 1000;
  points.sum("gcspike.gc.outside_pauses", "s", "Garbage collection on the thread between pauses.", attributes, outside);
  points.gauge(
    "gcspike.gc.share",
    "1",
    "Share of the thread's time that garbage collection took.",
    attributes,
    wallShare,
  );
  points.gauge("gcspike.heap.peak", "By", "Largest used heap.", attributes, peakHeapUsedBytes);
  points.gauge("gcspike.external.peak", "By", "Most memory outside the heap.", attributes, peakExternalBytes);
  points.sum("gcspike.allocated", "By", "Allocated in the heap.", attributes, allocatedBytes);
  points.sum("gcspike.promoted", "By", "Moved to the old generation by scavenges.", attributes, promotedBytes);
}

function spikeMetrics(points: Points, isolate: IsolateData, { report }: ExportInput): void {
  const own = report.spikes.filter((spike) => spike.isolate === isolate.id);
  for (const cause of [...new Set(own.map((spike) => spike.cause))].sort()) {
    const of = own.filter((spike) => spike.cause === cause);
    const attributes = { ...attributesOf(isolate), "gcspike.cause": cause };
    const seconds = of.reduce((sum, { durationMs }) => sum + durationMs / 1000, 0);
    points.sum("gcspike.spikes", "{spike}", "Stops as long as a spike.", attributes, of.length);
    points.sum("gcspike.spike.time", "s", "Their time.", attributes, seconds);
  }
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => (value > most ? value : most), Number.NEGATIVE_INFINITY);
}

/** Gathers the values of a process by metric, in the order in which metrics come up. What is not known has no value. */
class Points {
  readonly #metrics = new Map<string, MetricData>();
  readonly #time: { readonly startTime: [number, number]; readonly endTime: [number, number] };

  constructor({ recording }: ExportInput) {
    this.#time = {
      startTime: hrTime(epochMs(recording, 0)),
      endTime: hrTime(epochMs(recording, recording.durationMs)),
    };
  }

  metrics(): MetricData[] {
    return [...this.#metrics.values()];
  }

  /** The largest or the last of something. */
  gauge(
    name: string,
    unit: string,
    description: string,
    attributes: Attributes,
    value: number | null | undefined,
  ): void {
    if (!isKnown(value)) return;
    const metric = this.#metric(name, () => ({
      ...described(name, unit, description),
      dataPointType: DataPointType.GAUGE,
      dataPoints: [],
    }));
    if (metric.dataPointType === DataPointType.GAUGE) metric.dataPoints.push({ ...this.#time, attributes, value });
  }

  /** What only grows. */
  sum(name: string, unit: string, description: string, attributes: Attributes, value: number | null): void {
    this.#addUp(name, unit, description, attributes, value, true);
  }

  /** What grows and shrinks, and adds up over its attributes. */
  level(name: string, unit: string, description: string, attributes: Attributes, value: number | undefined): void {
    this.#addUp(name, unit, description, attributes, value, false);
  }

  #addUp(
    name: string,
    unit: string,
    description: string,
    attributes: Attributes,
    value: number | null | undefined,
    isMonotonic: boolean,
  ): void {
    if (!isKnown(value)) return;
    const metric = this.#metric(name, () => ({
      ...described(name, unit, description),
      dataPointType: DataPointType.SUM,
      isMonotonic,
      dataPoints: [],
    }));
    if (metric.dataPointType === DataPointType.SUM) metric.dataPoints.push({ ...this.#time, attributes, value });
  }

  histogram(name: string, unit: string, description: string, attributes: Attributes, values: readonly number[]): void {
    const metric = this.#metric(name, () => ({
      ...described(name, unit, description),
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: [],
    }));
    if (metric.dataPointType !== DataPointType.HISTOGRAM) return;
    const counts = new Array<number>(DURATION_BOUNDS.length + 1).fill(0);
    for (const value of values) {
      const bound = DURATION_BOUNDS.findIndex((one) => value <= one);
      const bucket = bound < 0 ? DURATION_BOUNDS.length : bound;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    const value = { ...spreadOf(values), buckets: { boundaries: [...DURATION_BOUNDS], counts } };
    metric.dataPoints.push({ ...this.#time, attributes, value });
  }

  exponential(
    name: string,
    unit: string,
    description: string,
    attributes: Attributes,
    values: readonly number[],
  ): void {
    const metric = this.#metric(name, () => ({
      ...described(name, unit, description),
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      dataPoints: [],
    }));
    if (metric.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM) return;
    const { scale, offset, counts, zeroCount } = exponentialBuckets(values);
    const value = {
      ...spreadOf(values),
      scale,
      zeroCount,
      positive: { offset, bucketCounts: [...counts] },
      negative: { offset: 0, bucketCounts: [] },
    };
    metric.dataPoints.push({ ...this.#time, attributes, value });
  }

  #metric(name: string, make: () => MetricData): MetricData {
    const metric = this.#metrics.get(name) ?? make();
    this.#metrics.set(name, metric);
    return metric;
  }
}

function described(name: string, unit: string, description: string) {
  return {
    descriptor: { name, unit, description, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
}

function spreadOf(values: readonly number[]) {
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  let sum = 0;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { count: values.length, sum, min, max };
}

function isKnown(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

function hrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

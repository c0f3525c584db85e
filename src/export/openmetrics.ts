/**
 * OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec), with the time of every value: `promtool tsdb
 * create-blocks-from openmetrics` brings a recording into Prometheus as if it had been scraped every second.
 */
import { gcTime } from "../analysis/gc-time.ts";
import { heapSeries } from "../analysis/heap-series.ts";
import type { Spike } from "../analysis/report-types.ts";
import { plainText } from "../lib/text.ts";
import { type IsolateData, PAUSE_KINDS, type Recording } from "../recording/model.ts";
import { type ExportInput, epochMs } from "./export-input.ts";
import { largestAt, momentsOf, sumsAt, valuesAt } from "./moments.ts";
import { TextParts } from "./text-parts.ts";

/** Upper bounds of a histogram's buckets, seconds: pauses below a millisecond are told apart, too. */
export const PAUSE_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

type Labels = Readonly<Record<string, string>>;

export function exportOpenMetrics({ recording, report }: ExportInput): Uint8Array {
  const { isolates, processes } = recording;
  const text = new MetricText(recording);
  text.info("gcspike_recording", "What was recorded.", {
    command: recording.manifest.command.join(" "),
    node: report.recording.node,
    v8: report.recording.v8,
    platform: report.recording.platform,
    arch: report.recording.arch,
    complete: String(recording.complete),
  });
  text.family("gcspike_pause_seconds", "histogram", "seconds", "Pauses for garbage collection, by kind.");
  for (const isolate of isolates) {
    for (const [kind, name] of PAUSE_KINDS.entries()) text.pauses(isolate, kind, { ...labelsOf(isolate), kind: name });
  }
  text.family(
    "gcspike_outside_pauses_seconds",
    "counter",
    "seconds",
    "Garbage collection on the isolate's thread between pauses.",
  );
  for (const isolate of isolates) {
    const { outside } = gcTime(isolate);
    if (outside === null) continue;
    const length = (i: number) => ((outside.endMs[i] ?? 0) - (outside.startMs[i] ?? 0)) / 1000;
    text.counter("gcspike_outside_pauses_seconds", labelsOf(isolate), outside.startMs, length);
  }
  text.family("gcspike_promoted_bytes", "counter", "bytes", "What scavenges moved to the old generation.");
  for (const isolate of isolates) {
    const { pauses } = isolate;
    if (pauses.promotedBytes.every(Number.isNaN)) continue;
    text.counter("gcspike_promoted_bytes", labelsOf(isolate), pauses.startMs, (i) => pauses.promotedBytes[i] ?? 0);
  }
  spikeMetrics(text, isolates, report.spikes);
  heapMetrics(text, isolates);
  text.family(
    "gcspike_event_loop_delay_max_seconds",
    "gauge",
    "seconds",
    "Longest time without a turn of the event loop.",
  );
  for (const isolate of isolates) {
    const { timeMs, maxDelayMs } = isolate.loop;
    text.largest(
      "gcspike_event_loop_delay_max_seconds",
      labelsOf(isolate),
      timeMs,
      maxDelayMs.map((ms) => ms / 1000),
    );
  }
  text.family(
    "gcspike_event_loop_utilization_ratio",
    "gauge",
    "ratio",
    "Share of the time in which the event loop was not idle.",
  );
  for (const isolate of isolates) {
    text.gauge(
      "gcspike_event_loop_utilization_ratio",
      labelsOf(isolate),
      isolate.loop.timeMs,
      isolate.loop.utilization,
    );
  }
  text.family("gcspike_resident_memory_bytes", "gauge", "bytes", "Resident memory of a process.");
  for (const { pid, timeMs, rss } of processes) {
    text.gauge("gcspike_resident_memory_bytes", { pid: String(pid) }, timeMs, rss);
  }
  return text.finish();
}

function spikeMetrics(text: MetricText, isolates: readonly IsolateData[], spikes: readonly Spike[]): void {
  const groups = isolates.flatMap((isolate) => {
    const own = spikes.filter((spike) => spike.isolate === isolate.id).sort((a, b) => a.startMs - b.startMs);
    return [...new Set(own.map(({ cause }) => cause))].sort().map((cause) => ({
      labels: { ...labelsOf(isolate), cause },
      spikes: own.filter((spike) => spike.cause === cause),
    }));
  });
  const times = (of: readonly Spike[]) => Float64Array.from(of, ({ startMs }) => startMs);
  text.family("gcspike_spikes", "counter", "", "Stops as long as a spike, by cause.");
  for (const { labels, spikes: of } of groups) text.counter("gcspike_spikes", labels, times(of), () => 1);
  text.family("gcspike_spike_seconds", "counter", "seconds", "Their time.");
  for (const { labels, spikes: of } of groups) {
    text.counter("gcspike_spike_seconds", labels, times(of), (i) => (of[i]?.durationMs ?? 0) / 1000);
  }
}

function heapMetrics(text: MetricText, isolates: readonly IsolateData[]): void {
  text.family("gcspike_heap_used_bytes", "gauge", "bytes", "Used heap.");
  for (const isolate of isolates) {
    const { timeMs, value } = heapSeries(isolate, "used");
    text.gauge("gcspike_heap_used_bytes", labelsOf(isolate), timeMs, value);
  }
  text.family("gcspike_heap_limit_bytes", "gauge", "bytes", "The largest that V8 lets the heap become.");
  for (const isolate of isolates) {
    text.gauge("gcspike_heap_limit_bytes", labelsOf(isolate), isolate.heap.timeMs, isolate.heap.limit);
  }
  text.family("gcspike_heap_space_used_bytes", "gauge", "bytes", "Used bytes of a heap space.");
  for (const isolate of isolates) {
    const { count, timeMs, spaceNames, spaceUsed } = isolate.heap;
    for (const [space, name] of spaceNames.entries()) {
      const used = Float64Array.from(
        { length: count },
        (_, i) => spaceUsed[i * spaceNames.length + space] ?? Number.NaN,
      );
      text.gauge("gcspike_heap_space_used_bytes", { ...labelsOf(isolate), space: name }, timeMs, used);
    }
  }
  text.family("gcspike_external_memory_bytes", "gauge", "bytes", "Memory outside the heap that its objects own.");
  for (const isolate of isolates) {
    const { timeMs, value } = heapSeries(isolate, "external");
    text.gauge("gcspike_external_memory_bytes", labelsOf(isolate), timeMs, value);
  }
}

function labelsOf({ id, name, pid }: IsolateData): Labels {
  return { isolate: id, name, pid: String(pid) };
}

const LABEL_LIMIT = 500;
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"' };

function labelText(labels: Labels): string {
  const words = Object.entries(labels).map(
    ([name, value]) => `${name}="${plainText(value, LABEL_LIMIT).replace(/[\\"]/g, (sign) => ESCAPES[sign] ?? sign)}"`,
  );
  return `{${words.join()}}`;
}

class MetricText {
  readonly #text = new TextParts();
  readonly #moments: Float64Array;
  /** By moment, seconds since 1970. */
  readonly #stamps: readonly string[];

  constructor(recording: Recording) {
    this.#moments = momentsOf(recording.durationMs);
    this.#stamps = Array.from(this.#moments, (ms) => (Math.round(epochMs(recording, ms)) / 1000).toFixed(3));
  }

  family(name: string, type: string, unit: string, help: string): void {
    this.#text.add(`# TYPE ${name} ${type}\n${unit === "" ? "" : `# UNIT ${name} ${unit}\n`}# HELP ${name} ${help}\n`);
  }

  info(name: string, help: string, labels: Labels): void {
    this.family(name, "info", "", help);
    this.#point(`${name}_info`, labelText(labels), 1, this.#moments.length - 1);
  }

  counter(name: string, labels: Labels, timeMs: Float64Array, value: (index: number) => number): void {
    this.#points(`${name}_total`, labels, sumsAt(this.#moments, timeMs, value));
  }

  gauge(name: string, labels: Labels, timeMs: Float64Array, value: Float64Array): void {
    this.#points(name, labels, valuesAt(this.#moments, timeMs, value));
  }

  largest(name: string, labels: Labels, timeMs: Float64Array, value: Float64Array): void {
    this.#points(name, labels, largestAt(this.#moments, timeMs, value));
  }

  /** Of one kind; nothing where there is none. */
  pauses({ pauses }: IsolateData, kind: number, labels: Labels): void {
    if (!pauses.kind.includes(kind)) return;
    const ofKind = (value: (seconds: number) => number) =>
      sumsAt(this.#moments, pauses.startMs, (i) =>
        pauses.kind[i] === kind ? value((pauses.durationMs[i] ?? 0) / 1000) : 0,
      );
    const buckets = PAUSE_BOUNDS.map((bound) => ({
      bound: String(bound),
      counts: ofKind((s) => (s <= bound ? 1 : 0)),
    }));
    const count = ofKind(() => 1);
    const sum = ofKind((seconds) => seconds);
    const whole = labelText(labels);
    for (let i = 0; i < this.#moments.length; i++) {
      for (const { bound, counts } of [...buckets, { bound: "+Inf", counts: count }]) {
        this.#point("gcspike_pause_seconds_bucket", labelText({ ...labels, le: bound }), counts[i] ?? 0, i);
      }
      this.#point("gcspike_pause_seconds_count", whole, count[i] ?? 0, i);
      this.#point("gcspike_pause_seconds_sum", whole, sum[i] ?? 0, i);
    }
  }

  finish(): Uint8Array {
    this.#text.add("# EOF\n");
    return this.#text.bytes();
  }

  #points(name: string, labels: Labels, values: Float64Array): void {
    const text = labelText(labels);
    for (const [i, value] of values.entries()) if (!Number.isNaN(value)) this.#point(name, text, value, i);
  }

  #point(name: string, labels: string, value: number, moment: number): void {
    this.#text.add(`${name}${labels} ${value} ${this.#stamps[moment]}\n`);
  }
}

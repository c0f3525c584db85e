/** A recording as tracks over time: what trace viewers draw. One model, which perfetto.ts and chrome-trace.ts encode. */
import { type GcTime, gcTime } from "../analysis/gc-time.ts";
import { heapSeries } from "../analysis/heap-series.ts";
import type { Spike } from "../analysis/report-types.ts";
import { programName } from "../lib/program-name.ts";
import { plainText } from "../lib/text.ts";
import {
  type HeapColumns,
  type IsolateData,
  PAUSE_KINDS,
  type ProcessColumns,
  type TagColumns,
} from "../recording/model.ts";
import { TAG_SOURCES } from "../recording/spec.ts";
import type { ExportInput } from "./export-input.ts";

export type Arguments = Readonly<Record<string, string | number>>;

/** A piece of time with a name; of length 0 it is a moment. */
export interface Slice {
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly arguments: Arguments;
}

/** Slices in order of their start; each lies inside of those that are not over yet. */
export interface SliceTrack {
  readonly name: string;
  readonly category: string;
  /** Anew at each call: there may be millions. */
  readonly slices: () => Iterable<Slice>;
}

export type CounterUnit = "bytes" | "ms" | "share";

/** A value over time; unknown ones are left out. */
export interface CounterTrack {
  readonly name: string;
  readonly unit: CounterUnit;
  readonly timeMs: Float64Array;
  readonly value: Float64Array;
}

export interface TraceThread {
  readonly name: string;
  readonly slices: readonly SliceTrack[];
  readonly counters: readonly CounterTrack[];
}

export interface TraceProcess {
  readonly pid: number;
  readonly name: string;
  readonly threads: readonly TraceThread[];
  readonly counters: readonly CounterTrack[];
}

/** Tags that go on at the same time lie beside each other in so many tracks; of more, the last track says how many are missing. */
const MOST_LANES = 64;
const TEXT_LIMIT = 500;

export function traceOf({ recording, report }: ExportInput): readonly TraceProcess[] {
  const pids = [
    ...new Set([...recording.isolates.map(({ pid }) => pid), ...recording.processes.map(({ pid }) => pid)]),
  ];
  return pids.map((pid) => {
    const isolates = recording.isolates.filter((isolate) => isolate.pid === pid);
    const process = recording.processes.find((one) => one.pid === pid);
    const isMain = pid === recording.manifest.pid || isolates.some(({ kind }) => kind === "main");
    const name = isMain ? programName(recording.manifest.command) : (isolates[0]?.name ?? "");
    return {
      pid,
      name: plainText(name) || `process ${pid}`,
      threads: isolates.map((isolate) =>
        threadOf(
          isolate,
          report.spikes.filter((spike) => spike.isolate === isolate.id),
        ),
      ),
      counters: process === undefined ? [] : processCounters(process),
    };
  });
}

function threadOf(isolate: IsolateData, spikes: readonly Spike[]): TraceThread {
  const time = gcTime(isolate);
  const { phases, tags } = isolate;
  return {
    name: plainText(isolate.name),
    slices: [
      { name: "spikes", category: "spike", slices: () => nested(spikeSlices(spikes)) },
      { name: "pauses", category: "pause", slices: () => pauseSlices(isolate, spikes) },
      ...(time.outside === null ? [] : [stepsTrack(time.outside)]),
      ...(phases === null ? [] : [{ name: "V8's phases", category: "v8", slices: () => nested(phaseSlices(phases)) }]),
      ...(tags === null ? [] : tagTracks(tags)),
    ],
    counters: isolateCounters(isolate),
  };
}

function* pauseSlices(isolate: IsolateData, spikes: readonly Spike[]): Generator<Slice> {
  const { pauses, reasons, triggerStacks } = isolate;
  const spikeOf = new Map(spikes.map((spike) => [`${spike.kind}\0${spike.startMs}`, spike]));
  for (let i = 0; i < pauses.count; i++) {
    const name = PAUSE_KINDS[pauses.kind[i] ?? 0] ?? "scavenge";
    const startMs = pauses.startMs[i] ?? 0;
    const spike = spikeOf.get(`${name}\0${startMs}`);
    const trigger = triggerStacks[pauses.triggerStack[i] ?? -1]?.find(({ origin }) => origin === "user");
    yield {
      name,
      startMs,
      durationMs: pauses.durationMs[i] ?? 0,
      arguments: known({
        reason: reasons[pauses.reason[i] ?? -1],
        used_before_bytes: pauses.usedBefore[i],
        used_after_bytes: pauses.usedAfter[i],
        promoted_bytes: pauses.promotedBytes[i],
        external_after_bytes: pauses.externalAfter[i],
        cpu_ms: pauses.cpuMs[i],
        run_queue_ms: pauses.runQueueMs[i],
        minor_faults: pauses.minorFaults[i],
        trigger: trigger?.function,
        spike: spike?.id,
        spike_cause: spike?.cause,
      }),
    };
  }
}

function spikeSlices(spikes: readonly Spike[]): readonly Slice[] {
  return spikes
    .map((spike) => ({
      name: `${spike.id} ${spike.cause}`,
      startMs: spike.startMs,
      durationMs: spanOf(spike),
      arguments: known({
        headline: spike.headline,
        confidence: spike.confidence,
        contributing: spike.contributing.join(", ") || undefined,
        site: spike.sites[0]?.function,
        file: spike.sites[0]?.file,
        line: spike.sites[0]?.line,
        share: spike.sites[0]?.share,
        advice: spike.advice[0]?.text,
        flag: spike.advice[0]?.flag,
      }),
    }))
    .sort((a, b) => a.startMs - b.startMs || b.durationMs - a.durationMs);
}

/** From a spike's beginning to its end: of a run of steps the duration leaves out what lies between them. */
function spanOf({ evidence, durationMs }: Spike): number {
  return evidence.find(({ signal }) => signal === "steps.span")?.value ?? durationMs;
}

function stepsTrack({ count, startMs, endMs }: NonNullable<GcTime["outside"]>): SliceTrack {
  function* slices(): Generator<Slice> {
    for (let i = 0; i < count; i++) {
      const start = startMs[i] ?? 0;
      yield { name: "outside work", startMs: start, durationMs: (endMs[i] ?? 0) - start, arguments: {} };
    }
  }
  return { name: "steps outside pauses", category: "step", slices };
}

function* phaseSlices({
  count,
  startMs,
  durationMs,
  name,
  names,
}: NonNullable<IsolateData["phases"]>): Generator<Slice> {
  for (let i = 0; i < count; i++) {
    const of = names[name[i] ?? 0] ?? "";
    yield { name: plainText(of), startMs: startMs[i] ?? 0, durationMs: durationMs[i] ?? 0, arguments: {} };
  }
}

/** Ends a slice where the one around it ends: clocks and rounding may let it reach a little further. */
function* nested(slices: Iterable<Slice>): Generator<Slice> {
  const ends: number[] = [];
  for (const slice of slices) {
    while ((ends.at(-1) ?? Number.POSITIVE_INFINITY) <= slice.startMs) ends.pop();
    const end = Math.min(slice.startMs + slice.durationMs, ends.at(-1) ?? Number.POSITIVE_INFINITY);
    ends.push(end);
    yield { ...slice, durationMs: end - slice.startMs };
  }
}

/** Requests go on at the same time: each lane has one after the other. */
function tagTracks(tags: TagColumns): readonly SliceTrack[] {
  const { lanes, missing } = tagLanes(tags);
  return lanes.map((indices, lane) => ({
    name: lane === MOST_LANES - 1 && missing > 0 ? `tags (${missing} more left out)` : "tags",
    category: "tag",
    slices: function* () {
      for (const i of indices) {
        const weight = tags.weight[i] ?? 1;
        yield {
          name: plainText(tags.names[tags.name[i] ?? 0] ?? "", TEXT_LIMIT) || "(no name)",
          startMs: tags.timeMs[i] ?? 0,
          durationMs: tags.durationMs[i] || 0,
          arguments: known({
            source: TAG_SOURCES[tags.source[i] ?? 0],
            stands_for: weight > 1 ? weight : undefined,
            end: Number.isNaN(tags.durationMs[i]) ? "not known" : undefined,
          }),
        };
      }
    },
  }));
}

function tagLanes({ count, timeMs, durationMs }: TagColumns): { lanes: readonly number[][]; missing: number } {
  const lanes: number[][] = [];
  const freeFrom: number[] = [];
  let missing = 0;
  for (let i = 0; i < count; i++) {
    const startMs = timeMs[i] ?? 0;
    const free = freeFrom.findIndex((endMs) => endMs <= startMs);
    const lane = free < 0 ? lanes.length : free;
    if (lane === MOST_LANES) {
      missing++;
      continue;
    }
    const of = lanes[lane] ?? [];
    lanes[lane] = of;
    of.push(i);
    freeFrom[lane] = startMs + (durationMs[i] || 0);
  }
  return { lanes, missing };
}

function isolateCounters(isolate: IsolateData): readonly CounterTrack[] {
  const { heap, loop } = isolate;
  const used = heapSeries(isolate, "used");
  const external = heapSeries(isolate, "external");
  const counters: readonly CounterTrack[] = [
    { name: "used heap", unit: "bytes", ...used },
    { name: "external memory", unit: "bytes", ...external },
    ...heap.spaceNames.map(
      (name, space): CounterTrack => ({ name: `used ${plainText(name)}`, ...usedOf(heap, space) }),
    ),
    { name: "event-loop delay", unit: "ms", timeMs: loop.timeMs, value: loop.maxDelayMs },
    { name: "event-loop utilisation", unit: "share", timeMs: loop.timeMs, value: loop.utilization },
  ];
  return counters.filter(({ timeMs }) => timeMs.length > 0);
}

function usedOf({ count, timeMs, spaceUsed, spaceNames }: HeapColumns, space: number) {
  const value = Float64Array.from({ length: count }, (_, i) => spaceUsed[i * spaceNames.length + space] ?? Number.NaN);
  return { unit: "bytes" as const, timeMs, value };
}

function processCounters({ timeMs, rss, cpuShare }: ProcessColumns): readonly CounterTrack[] {
  return [
    { name: "resident memory", unit: "bytes", timeMs, value: rss },
    { name: "processors", unit: "share", timeMs, value: cpuShare },
  ];
}

/** What of these is known. Texts are one printable line. */
function known(values: Readonly<Record<string, string | number | undefined>>): Arguments {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      if (value === undefined || Number.isNaN(value)) return [];
      return [[name, typeof value === "string" ? plainText(value, TEXT_LIMIT) : value]];
    }),
  );
}

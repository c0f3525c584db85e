/**
 * Profiles as pprof, for `go tool pprof`, Pyroscope, Grafana and everything else that reads the format
 * (https://github.com/google/pprof/blob/main/proto/profile.proto).
 */
import { gzipSync } from "node:zlib";
import { emptyTableToken, Profile, type SampleInput, StringTable } from "pprof-format";
import { attributedPauses } from "../analysis/pause-stacks.ts";
import { plainText } from "../lib/text.ts";
import type { Frame, Recording } from "../recording/model.ts";
import { type ExportInput, epochMs } from "./export-input.ts";
import type { PprofProfile } from "./formats.ts";
import { FrameTable } from "./frame-table.ts";
import { type HeapRow, heapRows, stackFrames } from "./heap-rows.ts";
import { WholeNumbers } from "./whole-numbers.ts";

/** Samples that are encoded together. */
const PART_SAMPLES = 10_000;

type ValueType = readonly [type: string, unit: string];

/** Gzipped pprof. Values are whole numbers whose sums are those of the recording. */
export function exportPprof(input: ExportInput, profile: PprofProfile): Uint8Array {
  return profile === "heap" ? heapProfile(input) : pauseProfile(input);
}

/** Go's own heap profiles have the same first four. */
const HEAP_TYPES: readonly ValueType[] = [
  ["alloc_objects", "count"],
  ["alloc_space", "bytes"],
];
const LIVE_TYPES: readonly ValueType[] = [
  ["inuse_objects", "count"],
  ["inuse_space", "bytes"],
];
const BUFFER_TYPES: readonly ValueType[] = [
  ["buffer_space", "bytes"],
  ["buffer_inuse_space", "bytes"],
];

function heapProfile({ recording }: ExportInput): Uint8Array {
  const sampled = recording.isolates.filter(({ allocations }) => allocations !== null);
  const knowsDeaths = sampled.length > 0 && sampled.every(({ samples }) => samples !== null);
  const knowsBuffers = sampled.some(({ samples }) => samples?.buffers != null);
  const types = [...HEAP_TYPES, ...(knowsDeaths ? LIVE_TYPES : []), ...(knowsBuffers ? BUFFER_TYPES : [])];
  const writer = new ProfileWriter(types);
  for (const row of heapRows(recording)) {
    const { isolate, window, stack } = row;
    const values = valuesOf(row, knowsDeaths, knowsBuffers);
    writer.add(stackFrames(isolate, stack), values, [
      ["isolate", isolate.name],
      ["window_start_ms", window.startMs, "milliseconds"],
      ["window_end_ms", window.endMs, "milliseconds"],
      ...(window.truncated ? [["window_truncated", 1] as const] : []),
    ]);
  }
  const interval = sampled[0]?.allocations?.intervalBytes ?? 0;
  return writer.finish(recording, "alloc_space", { type: ["space", "bytes"], value: Math.round(interval) });
}

function valuesOf({ allocated, live, buffers, liveBuffers }: HeapRow, knowsDeaths: boolean, knowsBuffers: boolean) {
  return [
    allocated.objects,
    allocated.bytes,
    ...(knowsDeaths ? [live?.objects ?? 0, live?.bytes ?? 0] : []),
    ...(knowsBuffers ? [buffers, liveBuffers] : []),
  ];
}

const PAUSE_TYPES: readonly ValueType[] = [
  ["pauses", "count"],
  ["pause_time", "nanoseconds"],
];
const NS_A_MS = 1e6;

/** A sample a pause and stack; a pause counts as one with the stack that has most of it. */
function pauseProfile({ recording, report }: ExportInput): Uint8Array {
  const writer = new ProfileWriter(PAUSE_TYPES);
  for (const { isolate, pause, kind, startMs, durationMs, spike, parts } of attributedPauses(
    recording,
    report.spikes,
  )) {
    const reason = isolate.reasons[isolate.pauses.reason[pause] ?? -1];
    const labels: readonly LabelValue[] = [
      ["isolate", isolate.name],
      ["kind", kind],
      ...(reason === undefined ? [] : [["reason", reason] as const]),
      ...(spike === null ? [] : [["spike", spike.id] as const, ["cause", spike.cause] as const]),
      ["start_ms", Math.round(startMs), "milliseconds"],
      ["pause_us", Math.round(durationMs * 1000), "microseconds"],
    ];
    for (const [rank, { frames, share }] of parts.entries()) {
      writer.add(frames, [rank === 0 ? 1 : 0, durationMs * NS_A_MS * share], labels);
    }
  }
  return writer.finish(recording, "pause_time", null);
}

type LabelValue = readonly [key: string, value: string] | readonly [key: string, value: number, unit?: string];

/** Collects samples and writes the profile; equal frames and texts are written once. */
class ProfileWriter {
  readonly #types: readonly ValueType[];
  readonly #strings = new StringTable();
  readonly #table = new FrameTable();
  readonly #whole: readonly WholeNumbers[];
  readonly #parts: Uint8Array[] = [];
  #open: SampleInput[] = [];

  constructor(types: readonly ValueType[]) {
    this.#types = types;
    this.#whole = types.map(() => new WholeNumbers());
  }

  /** `frames`: leaf first. */
  add(frames: readonly Frame[], values: readonly number[], labels: readonly LabelValue[]): void {
    this.#open.push({
      locationId: frames.map((frame) => this.#table.numberOf(frame) + 1),
      value: values.map((value, type) => this.#whole[type]?.next(value) ?? 0),
      label: labels.map((label) => this.#label(label)),
    });
    if (this.#open.length >= PART_SAMPLES) this.#close();
  }

  finish(
    recording: Recording,
    defaultType: string,
    period: { readonly type: ValueType; readonly value: number } | null,
  ): Uint8Array {
    this.#close();
    const valueType = ([type, unit]: ValueType) => ({
      type: this.#strings.dedup(type),
      unit: this.#strings.dedup(unit),
    });
    const tables = {
      sampleType: this.#types.map(valueType),
      function: this.#table.frames.map((frame, index) => ({
        id: index + 1,
        name: this.#strings.dedup(frame.function),
        systemName: this.#strings.dedup(frame.function),
        filename: this.#strings.dedup(frame.file),
        startLine: frame.line,
      })),
      location: this.#table.frames.map(({ line, column }, index) => ({
        id: index + 1,
        line: [{ functionId: index + 1, line, column }],
      })),
      timeNanos: BigInt(Math.round(epochMs(recording, 0))) * 1_000_000n,
      durationNanos: BigInt(Math.round(recording.durationMs * NS_A_MS)),
      ...(period === null ? {} : { periodType: valueType(period.type), period: period.value }),
      defaultSampleType: this.#strings.dedup(defaultType),
    };
    const head = new Profile({ ...tables, stringTable: this.#strings }).encode();
    return gzipSync(Buffer.concat([head, ...this.#parts]));
  }

  /** Messages that follow each other are one message. */
  #close(): void {
    if (this.#open.length === 0) return;
    this.#parts.push(new Profile({ sample: this.#open, stringTable: new StringTable(emptyTableToken) }).encode());
    this.#open = [];
  }

  #label([key, value, unit]: LabelValue): NonNullable<SampleInput["label"]>[number] {
    const name = this.#strings.dedup(key);
    if (typeof value === "string") return { key: name, str: this.#strings.dedup(plainText(value)) };
    return { key: name, num: value, ...(unit === undefined ? {} : { numUnit: this.#strings.dedup(unit) }) };
  }
}

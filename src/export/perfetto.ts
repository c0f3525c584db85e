/**
 * A trace for https://ui.perfetto.dev and trace_processor: protobuf, as
 * https://github.com/google/perfetto/blob/main/protos/perfetto/trace/trace.proto describes it. Times are those of the monotonic clock,
 * so that the trace lies beside one that perfetto itself recorded on the same machine.
 */
import { type ExportInput, epochMs } from "./export-input.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { type Arguments, type CounterTrack, type CounterUnit, type SliceTrack, traceOf } from "./trace.ts";

/** Numbers of fields, by message. */
const Trace = { packet: 1 } as const;
const Packet = {
  clockSnapshot: 6,
  timestamp: 8,
  sequenceId: 10,
  trackEvent: 11,
  sequenceFlags: 13,
  clockId: 58,
  trackDescriptor: 60,
} as const;
const ClockSnapshot = { clocks: 1, primaryClock: 2 } as const;
const Clock = { id: 1, timestamp: 2 } as const;
const TrackDescriptor = { uuid: 1, name: 2, process: 3, parent: 5, counter: 8 } as const;
const ProcessDescriptor = { pid: 1, name: 6 } as const;
const CounterDescriptor = { unit: 3 } as const;
const TrackEvent = {
  annotations: 4,
  type: 9,
  track: 11,
  categories: 22,
  name: 23,
  counter: 30,
  doubleCounter: 44,
} as const;
const Annotation = { int: 4, double: 5, text: 6, name: 10 } as const;

const REALTIME = 1;
const MONOTONIC = 3;
const EventType = { begin: 1, end: 2, instant: 3, counter: 4 } as const;
/** CounterDescriptor.Unit: none, and bytes. */
const UNITS: Readonly<Record<CounterUnit, number>> = { bytes: 3, ms: 0, share: 0 };
const SEQUENCE = 1;
const STATE_CLEARED = 1;
const NS_A_MS = 1e6;

export function exportPerfetto(input: ExportInput): Uint8Array {
  const writer = new TraceWriter(input);
  for (const process of traceOf(input)) {
    const processTrack = writer.processTrack(process.pid, process.name);
    for (const counter of process.counters) writer.counter(processTrack, counter);
    for (const { name, slices, counters } of process.threads) {
      const thread = writer.track(processTrack, name);
      for (const track of slices) writer.slices(thread, track);
      for (const counter of counters) writer.counter(thread, counter);
    }
  }
  return writer.bytes();
}

class TraceWriter {
  readonly #out = new ProtobufWriter();
  readonly #startNs: bigint;
  #tracks = 0;

  constructor({ recording }: ExportInput) {
    this.#startNs = BigInt(recording.manifest.startNs);
    const startedNs = BigInt(Math.round(epochMs(recording, 0))) * BigInt(NS_A_MS);
    this.#packet(() => {
      this.#out.varint(Packet.sequenceFlags, STATE_CLEARED);
      this.#out.message(Packet.clockSnapshot, () => {
        this.#clock(MONOTONIC, this.#startNs);
        this.#clock(REALTIME, startedNs);
        this.#out.varint(ClockSnapshot.primaryClock, MONOTONIC);
      });
    });
  }

  processTrack(pid: number, name: string): number {
    return this.#describe(name, () =>
      this.#out.message(TrackDescriptor.process, () => {
        this.#out.varint(ProcessDescriptor.pid, pid);
        this.#out.text(ProcessDescriptor.name, name);
      }),
    );
  }

  track(parent: number, name: string): number {
    return this.#describe(name, () => this.#out.varint(TrackDescriptor.parent, parent));
  }

  counter(parent: number, { name, unit, timeMs, value }: CounterTrack): void {
    const label = unit === "ms" ? `${name}, ms` : name;
    const track = this.#describe(label, () => {
      this.#out.varint(TrackDescriptor.parent, parent);
      this.#out.message(TrackDescriptor.counter, () => this.#out.varint(CounterDescriptor.unit, UNITS[unit]));
    });
    for (let i = 0; i < timeMs.length; i++) {
      const now = value[i] ?? Number.NaN;
      if (Number.isNaN(now)) continue;
      this.#event(track, timeMs[i] ?? 0, EventType.counter, () => {
        if (Number.isSafeInteger(now) && now >= 0) this.#out.varint(TrackEvent.counter, now);
        else this.#out.double(TrackEvent.doubleCounter, now);
      });
    }
  }

  /** A slice ends before the next one that does not lie inside it begins. */
  slices(parent: number, { name, category, slices }: SliceTrack): void {
    const track = this.track(parent, name);
    const open: number[] = [];
    const endUntil = (timeMs: number) => {
      for (let end = open.at(-1); end !== undefined && end <= timeMs; end = open.at(-1)) {
        this.#event(track, end, EventType.end, () => undefined);
        open.pop();
      }
    };
    for (const slice of slices()) {
      const { startMs, durationMs } = slice;
      endUntil(startMs);
      const type = durationMs > 0 ? EventType.begin : EventType.instant;
      this.#event(track, startMs, type, () => {
        this.#out.text(TrackEvent.categories, category);
        this.#out.text(TrackEvent.name, slice.name);
        this.#annotations(slice.arguments);
      });
      if (durationMs > 0) open.push(startMs + durationMs);
    }
    endUntil(Number.POSITIVE_INFINITY);
  }

  bytes(): Uint8Array {
    return this.#out.bytes();
  }

  #annotations(values: Arguments): void {
    for (const [name, value] of Object.entries(values)) {
      this.#out.message(TrackEvent.annotations, () => {
        this.#out.text(Annotation.name, name);
        if (typeof value === "string") this.#out.text(Annotation.text, value);
        else if (Number.isSafeInteger(value) && value >= 0) this.#out.varint(Annotation.int, value);
        else this.#out.double(Annotation.double, value);
      });
    }
  }

  #describe(name: string, write: () => void): number {
    const track = ++this.#tracks;
    this.#packet(() =>
      this.#out.message(Packet.trackDescriptor, () => {
        this.#out.varint(TrackDescriptor.uuid, track);
        this.#out.text(TrackDescriptor.name, name);
        write();
      }),
    );
    return track;
  }

  #event(track: number, timeMs: number, type: number, write: () => void): void {
    this.#packet(() => {
      // The trace's own start may be unknown, and something may have begun before it.
      const ns = this.#startNs + BigInt(Math.round(timeMs * NS_A_MS));
      this.#out.varint(Packet.timestamp, ns > 0n ? ns : 0n);
      this.#out.varint(Packet.clockId, MONOTONIC);
      this.#out.message(Packet.trackEvent, () => {
        this.#out.varint(TrackEvent.type, type);
        this.#out.varint(TrackEvent.track, track);
        write();
      });
    });
  }

  #clock(id: number, ns: bigint): void {
    this.#out.message(ClockSnapshot.clocks, () => {
      this.#out.varint(Clock.id, id);
      this.#out.varint(Clock.timestamp, ns);
    });
  }

  #packet(write: () => void): void {
    this.#out.message(Trace.packet, () => {
      this.#out.varint(Packet.sequenceId, SEQUENCE);
      write();
    });
  }
}

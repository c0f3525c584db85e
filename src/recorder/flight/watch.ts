/** Follows a ring: what happened since the last look. */
import { SpanRole, spanRole } from "../../lib/gc-spans.ts";
import { GC, GcType, HEAP, LOOP, LOOP_RECORD_BYTES, PHASE, PHASE_RECORD_BYTES } from "../../recording/spec.ts";
import type { LiveState } from "../live.ts";
import type { FlightEvent } from "./events.ts";
import { type IsolateRing, openCollection } from "./isolate-ring.ts";
import type { Ring } from "./ring.ts";
import type { RingLog } from "./ring-log.ts";

/** More than this is left for the next look. */
const MAX_BYTES_A_LOOK = 4 * 1024 * 1024;
/** V8's limit of the whole heap leaves room for two semi-spaces and as much for new large objects (Heap::MaxReserved). */
const SEMI_SPACES = 3;

const KINDS: Readonly<Record<number, string>> = {
  [GcType.scavenge]: "scavenge",
  [GcType.minorMarkSweep]: "minor-mark-sweep",
  [GcType.markCompact]: "mark-compact",
  [GcType.incrementalMarking]: "incremental-start",
  [GcType.weakCallbacks]: "weak-callbacks",
};

type Decode = (isolate: IsolateRing, record: Buffer, log: RingLog) => FlightEvent | null;

export class Watch {
  readonly #ring: Ring;
  readonly #startNs: bigint;
  /** How far each log was read. */
  readonly #positions = new WeakMap<RingLog, number>();
  /** By index into the names of a .phases log. */
  readonly #roles = new WeakMap<RingLog, readonly number[]>();
  readonly #heaps = new Map<string, number>();
  /** By isolate, after its last full collection. */
  readonly #ofLimits = new Map<string, number>();
  #pauses = 0;
  #worstMs = 0;
  #latestMs = 0;

  /** `startNs`: what times in events count from. */
  constructor(ring: Ring, startNs: bigint) {
    this.#ring = ring;
    this.#startNs = startNs;
  }

  /** What there is to say of the program so far. */
  state(): LiveState {
    const heapBytes = this.#heaps.size === 0 ? null : Math.max(...this.#heaps.values());
    return { pauses: this.#pauses, worstMs: this.#worstMs, heapBytes };
  }

  /** When the last thing ended that was seen. */
  get latestMs(): number {
    return this.#latestMs;
  }

  /** Of its limit, what the old generation of the fullest isolate took after its last full collection; null: there was none. */
  get ofLimit(): number | null {
    return this.#ofLimits.size === 0 ? null : Math.max(...this.#ofLimits.values());
  }

  /** What happened since the last look, in order of time within each kind of event and isolate. */
  look(): readonly FlightEvent[] {
    return this.#ring.isolates.flatMap((isolate) => [
      // Spans before pauses: then every pause is known that they are in.
      ...this.#follow(isolate, "phases", PHASE_RECORD_BYTES, this.#work),
      ...this.#follow(isolate, "gc", GC.spaces, this.#pause),
      ...this.#openPause(isolate),
      ...this.#follow(isolate, "heap", HEAP.spaces, this.#heap),
      ...this.#follow(isolate, "loop", LOOP_RECORD_BYTES, this.#loop),
    ]);
  }

  /** Isolates that have ended are forgotten. */
  keepOnly(isolates: ReadonlySet<string>): void {
    for (const known of [this.#heaps, this.#ofLimits]) {
      for (const id of known.keys()) if (!isolates.has(id)) known.delete(id);
    }
  }

  #follow(isolate: IsolateRing, suffix: string, smallest: number, decode: Decode): readonly FlightEvent[] {
    const log = isolate.log(suffix);
    if (log === undefined || log.recordBytes < smallest) return [];
    const from = Math.max(log.first, this.#positions.get(log) ?? 0);
    const most = MAX_BYTES_A_LOOK - (MAX_BYTES_A_LOOK % log.recordBytes);
    const records = log.read(from, Math.min(log.state().committed, from + most));
    const events: FlightEvent[] = [];
    let at = 0;
    for (; at + log.recordBytes <= records.length; at += log.recordBytes) {
      const event = decode(isolate, records.subarray(at, at + log.recordBytes), log);
      if (event === null) continue;
      events.push(event);
      this.#latestMs = Math.max(this.#latestMs, "endMs" in event ? event.endMs : event.atMs);
    }
    this.#positions.set(log, from + at);
    return events;
  }

  readonly #work: Decode = (isolate, record, log) => {
    const startMs = this.#msAt(record, PHASE.startNs);
    const role = this.#roleOf(log, record.readUInt16LE(PHASE.name));
    if (role === SpanRole.none) return null;
    const endMs = startMs + Number(record.readBigUInt64LE(PHASE.durationNs)) / 1e6;
    return { type: "work", isolate: isolate.id, startMs, endMs, isStep: role === SpanRole.step };
  };

  #roleOf(log: RingLog, name: number): number {
    let roles = this.#roles.get(log) ?? [];
    if (name >= roles.length) {
      roles = log.strings().map(spanRole);
      this.#roles.set(log, roles);
    }
    return roles[name] ?? SpanRole.none;
  }

  readonly #pause: Decode = (isolate, record) => {
    const startMs = this.#msAt(record, GC.startNs);
    const endMs = this.#msAt(record, GC.endNs);
    if (endMs < startMs) return null;
    this.#pauses++;
    this.#worstMs = Math.max(this.#worstMs, endMs - startMs);
    const type = record.readUInt32LE(GC.kind);
    const full = type === GcType.markCompact ? ofLimit(isolate, record) : null;
    if (full !== null) this.#ofLimits.set(isolate.id, full);
    return {
      type: "pause",
      isolate: isolate.id,
      startMs,
      endMs,
      kind: KINDS[type] ?? "pause",
      usedBeforeBytes: Number(record.readBigUInt64LE(GC.usedBefore)),
      ofLimit: full,
    };
  };

  #openPause(isolate: IsolateRing): readonly FlightEvent[] {
    const log = isolate.log("gc");
    const at = log === undefined ? undefined : this.#positions.get(log);
    if (log === undefined || at === undefined) return [];
    const record = openCollection(log, at, this.#startNs);
    return record === null ? [] : [{ type: "open", isolate: isolate.id, atMs: this.#msAt(record, GC.startNs) }];
  }

  readonly #heap: Decode = (isolate, record) => {
    const usedBytes = Number(record.readBigUInt64LE(HEAP.used));
    this.#heaps.set(isolate.id, usedBytes);
    return { type: "heap", isolate: isolate.id, atMs: this.#msAt(record, HEAP.timeNs), usedBytes };
  };

  readonly #loop: Decode = (isolate, record) => ({
    type: "loop",
    isolate: isolate.id,
    atMs: this.#msAt(record, LOOP.timeNs),
    delayMs: Number(record.readBigUInt64LE(LOOP.maxBusyNs)) / 1e6,
  });

  #msAt(record: Buffer, offset: number): number {
    return Number(record.readBigUInt64LE(offset) - this.#startNs) / 1e6;
  }
}

/** Behind a full collection the young generation is empty, or nearly so. */
function ofLimit(isolate: IsolateRing, record: Buffer): number {
  const room = Number(record.readBigUInt64LE(GC.heapLimit)) - SEMI_SPACES * (isolate.descriptor().semiSpaceBytes ?? 0);
  return room > 0 ? Number(record.readBigUInt64LE(GC.usedAfter)) / room : 0;
}

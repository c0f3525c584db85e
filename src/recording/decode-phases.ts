/** The .phases log: V8's GC spans on the isolate's thread, and its reasons for the pauses. */
import { at, type Clock, damagedRecords, durationAt, timeAt } from "./columns.ts";
import { eachRecord, type Log } from "./log-reader.ts";
import { PAUSE_KINDS, type PauseColumns, type PauseKind, type PhaseColumns } from "./model.ts";
import { PHASE, type Warning } from "./spec.ts";

/** Spans nest some ten deep; what is deeper than this is put in order the slow way. */
const MERGED_DEPTHS = 16;
/** Pauses that a span is compared with: it belongs to the first that overlaps it, or the one after. */
const CANDIDATES = 4;

/** Which kinds of pauses V8 gives a reason for, and the span that carries it. */
const REASON_SPAN: Readonly<Partial<Record<PauseKind, string>>> = {
  scavenge: "MinorGC",
  "minor-mark-sweep": "MinorGC",
  "mark-compact": "MajorGC",
  "incremental-start": "V8.GC_MC_INCREMENTAL_START",
};

export interface DecodedPhases {
  readonly phases: PhaseColumns;
  /** For each phase: index into phases.names plus 1 of V8's reason; 0 for none. */
  readonly reason: Uint16Array;
  readonly warnings: readonly Warning[];
}

/**
 * Decodes `log`: spans in order of start, outer ones before inner ones. Reads it twice, first for the order and then straight
 * into the columns: there may be tens of millions of spans, and one copy of them is enough.
 */
export function decodePhases(log: Log, clock: Clock): DecodedPhases {
  const names = log.header.strings;
  const place = places(log, clock);
  const count = place.length;
  const phases = {
    count,
    startMs: new Float64Array(count),
    durationMs: new Float64Array(count),
    name: new Uint16Array(count),
    depth: new Uint8Array(count),
    names,
  };
  const reason = new Uint16Array(count);
  let read = 0;
  let valid = 0;
  eachRecord(log, ({ view }, offset) => {
    read++;
    if (!isSpan(view, offset, clock, names.length)) return;
    const i = at(place, valid++);
    phases.startMs[i] = timeAt(view, offset + PHASE.startNs, clock);
    phases.durationMs[i] = durationAt(view, offset + PHASE.durationNs);
    phases.name[i] = view.getUint16(offset + PHASE.name, true);
    phases.depth[i] = view.getUint8(offset + PHASE.depth);
    reason[i] = view.getUint16(offset + PHASE.reason, true);
  });
  return { phases, reason, warnings: damagedRecords(log, read - valid) };
}

function isSpan(view: DataView, offset: number, clock: Clock, names: number): boolean {
  const endMs = timeAt(view, offset + PHASE.startNs, clock) + durationAt(view, offset + PHASE.durationNs);
  const name = view.getUint16(offset + PHASE.name, true);
  const reason = view.getUint16(offset + PHASE.reason, true);
  return name < names && reason <= names && !Number.isNaN(endMs);
}

/** For each span of the log, as far as it is sound, its place in the order of start. */
function places(log: Log, clock: Clock): Uint32Array {
  const capacity = log.bytes / log.header.recordBytes;
  const startMs = new Float64Array(capacity);
  const depth = new Uint8Array(capacity);
  let count = 0;
  eachRecord(log, ({ view }, offset) => {
    if (!isSpan(view, offset, clock, log.header.strings.length)) return;
    startMs[count] = timeAt(view, offset + PHASE.startNs, clock);
    depth[count++] = view.getUint8(offset + PHASE.depth);
  });
  return placesByStart(startMs.subarray(0, count), depth);
}

/**
 * Writes V8's reasons into `pauses.reason` and returns the texts that the indices mean. Goes once through both, which are in
 * order of time.
 */
export function assignReasons(pauses: PauseColumns, { phases, reason }: DecodedPhases): readonly string[] {
  const span = PAUSE_KINDS.map((kind) => phases.names.indexOf(REASON_SPAN[kind] ?? ""));
  const endMs = (i: number) => at(pauses.startMs, i) + at(pauses.durationMs, i);
  const numbers = new Map<number, number>();
  let first = 0;
  for (let j = 0; j < phases.count; j++) {
    const why = at(reason, j);
    if (why === 0) continue;
    const start = at(phases.startMs, j);
    while (first < pauses.count && endMs(first) <= start) first++;
    for (let i = first; i < Math.min(first + CANDIDATES, pauses.count); i++) {
      if (at(pauses.startMs, i) >= start + at(phases.durationMs, j)) break;
      if (pauses.reason[i] !== -1 || span[at(pauses.kind, i)] !== phases.name[j]) continue;
      const number = numbers.get(why) ?? numbers.size;
      numbers.set(why, number);
      pauses.reason[i] = number;
      break;
    }
  }
  return [...numbers.keys()].map((why) => phases.names[why - 1] ?? "");
}

/**
 * Outer spans come before inner ones that start with them. The log is in order of end; at one depth spans do not overlap, so
 * that there both orders are the same and one merge of the depths is enough.
 */
function placesByStart(startMs: Float64Array, depth: Uint8Array): Uint32Array {
  const queues = queuesByDepth(depth, startMs.length);
  const place = new Uint32Array(startMs.length);
  let latest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < place.length; k++) {
    const next = earliestHead(queues, startMs);
    if (next === undefined || startOf(next, startMs) < latest) return sortedPlaces(startMs, depth);
    latest = startOf(next, startMs);
    place[at(next.spans, next.head++)] = k;
  }
  return place;
}

/** For logs that overlap at one depth: damaged ones, and those deeper than MERGED_DEPTHS. */
function sortedPlaces(startMs: Float64Array, depth: Uint8Array): Uint32Array {
  const order = Uint32Array.from(startMs, (_, index) => index);
  order.sort((a, b) => at(startMs, a) - at(startMs, b) || at(depth, a) - at(depth, b));
  const place = new Uint32Array(order.length);
  order.forEach((span, k) => {
    place[span] = k;
  });
  return place;
}

function earliestHead(queues: readonly Queue[], startMs: Float64Array): Queue | undefined {
  let next: Queue | undefined;
  for (const queue of queues) {
    if (queue.head >= queue.spans.length) continue;
    if (next === undefined || startOf(queue, startMs) < startOf(next, startMs)) next = queue;
  }
  return next;
}

interface Queue {
  readonly spans: Uint32Array;
  head: number;
}

function startOf({ spans, head }: Queue, startMs: Float64Array): number {
  return at(startMs, at(spans, head));
}

/** The spans of each depth, the outermost first. */
function queuesByDepth(depth: Uint8Array, count: number): readonly Queue[] {
  const sizes = new Uint32Array(MERGED_DEPTHS);
  const level = (i: number) => Math.min(at(depth, i), MERGED_DEPTHS - 1);
  for (let i = 0; i < count; i++) sizes[level(i)] = at(sizes, level(i)) + 1;
  const filled = new Uint32Array(MERGED_DEPTHS);
  const queues = Array.from(sizes, (size) => ({ spans: new Uint32Array(size), head: 0 }));
  for (let i = 0; i < count; i++) {
    const place = at(filled, level(i));
    const queue = queues[level(i)];
    if (queue !== undefined) queue.spans[place] = i;
    filled[level(i)] = place + 1;
  }
  return queues.filter((queue) => queue.spans.length > 0);
}

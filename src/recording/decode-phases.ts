/** The .phases log: V8's GC spans on the isolate's thread, and its reasons for the pauses. */
import { at, type Clock, damagedRecords, durationAt, isOrdered, pick, timeAt } from "./columns.ts";
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
};

export interface DecodedPhases {
  readonly phases: PhaseColumns;
  /** For each phase: index into phases.names plus 1 of V8's reason; 0 for none. */
  readonly reason: Uint16Array;
  readonly warnings: readonly Warning[];
}

/** Decodes `log`: spans in order of start, outer ones before inner ones. */
export function decodePhases(log: Log, clock: Clock): DecodedPhases {
  const names = log.header.strings;
  const capacity = log.bytes / log.header.recordBytes;
  const startMs = new Float64Array(capacity);
  const durationMs = new Float64Array(capacity);
  const name = new Uint16Array(capacity);
  const reason = new Uint16Array(capacity);
  const depth = new Uint8Array(capacity);
  let read = 0;
  let i = 0;
  eachRecord(log, ({ view }, offset) => {
    read++;
    startMs[i] = timeAt(view, offset + PHASE.startNs, clock);
    durationMs[i] = durationAt(view, offset + PHASE.durationNs);
    name[i] = view.getUint16(offset + PHASE.name, true);
    reason[i] = view.getUint16(offset + PHASE.reason, true);
    depth[i] = view.getUint8(offset + PHASE.depth);
    const known = at(name, i) < names.length && at(reason, i) <= names.length;
    if (known && !Number.isNaN(at(startMs, i) + at(durationMs, i))) i++;
  });
  const order = startOrder(startMs.subarray(0, i), depth);
  return {
    phases: {
      count: i,
      startMs: pick(startMs, order),
      durationMs: pick(durationMs, order),
      name: pick(name, order),
      depth: pick(depth, order),
      names,
    },
    reason: pick(reason, order),
    warnings: damagedRecords(log, read - i),
  };
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
 * The order of start, outer spans first. The log is in order of end; at one depth spans do not overlap, so that there both
 * orders are the same and one merge of the depths is enough.
 */
function startOrder(startMs: Float64Array, depth: Uint8Array): Uint32Array {
  const queues = queuesByDepth(depth, startMs.length);
  const order = new Uint32Array(startMs.length);
  for (let k = 0; k < order.length; k++) {
    let next: Queue | undefined;
    for (const queue of queues) {
      if (queue.head < queue.spans.length && (next === undefined || startOf(queue, startMs) < startOf(next, startMs))) {
        next = queue;
      }
    }
    if (next !== undefined) order[k] = at(next.spans, next.head++);
  }
  if (isOrdered(pick(startMs, order))) return order;
  return order.sort((a, b) => at(startMs, a) - at(startMs, b) || at(depth, a) - at(depth, b));
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

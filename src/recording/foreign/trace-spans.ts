/** V8's spans of collection out of a trace, by thread. */
import { asFields, boundText, type Fields, numberOf, textOf } from "../fields.ts";
import { parseObject } from "../manifest.ts";
import { eachTraceEvent } from "./trace-events.ts";
import { TraceTimes } from "./trace-times.ts";

/** A name is one of V8's some hundred. */
const NAME_LIMIT = 100;
/** More are not read. */
const MOST_SPANS = 20_000_000;
/** Spans that began and did not end yet. */
const MOST_OPEN = 64;
const US_A_MS = 1000;
const GC_NAME = /^(?:V8\.GC|MajorGC$|MinorGC$)/;
const LONGEST_MS = 366 * 86_400_000;

export interface TraceSpan {
  readonly name: string;
  /** On the trace's clock, ms. */
  readonly startMs: number;
  readonly endMs: number;
  /** V8's reason, and the used heap before and after, bytes; only MajorGC and MinorGC have them. */
  readonly reason: string;
  readonly usedBefore: number;
  readonly usedAfter: number;
}

export interface TraceThread {
  readonly pid: number;
  readonly tid: number;
  name: string;
  readonly spans: TraceSpan[];
}

/** What Node says of itself; "" where it does not. */
export interface TraceProgram {
  readonly node: string;
  readonly v8: string;
  readonly arch: string;
  readonly platform: string;
}

export interface TraceContent {
  readonly threads: readonly TraceThread[];
  /** By process id. */
  readonly programs: ReadonlyMap<number, TraceProgram>;
  /** From the first event of any kind to the end of the last, ms on the trace's clock; events on another clock are left out. */
  readonly startMs: number;
  readonly endMs: number;
  /** The file ends before its list does, or some of its collections are on another clock. */
  readonly isCut: boolean;
}

interface OpenSpan {
  readonly name: string;
  readonly startMs: number;
  readonly fields: Fields;
}

/** Linear. Events that are no JSON, or lack what theirs need, are passed over. */
export function readTraceSpans(bytes: Buffer): TraceContent {
  const threads = new Map<string, TraceThread & { readonly open: OpenSpan[] }>();
  const programs = new Map<number, TraceProgram>();
  const times = new TraceTimes();
  let firstSpan: TraceSpan | undefined;
  let spans = 0;
  const isWhole = eachTraceEvent(bytes, (event) => {
    const time = timeIn(event);
    if (time > 0) times.add(time);
    if (!isOfInterest(event)) return;
    const fields = parseObject(event.toString());
    const pid = numberOf(fields?.pid);
    const tid = numberOf(fields?.tid);
    if (fields === null || pid === null || tid === null) return;
    const key = `${pid} ${tid}`;
    const thread = threads.get(key) ?? { pid, tid, name: "", spans: [], open: [] };
    threads.set(key, thread);
    if (fields.ph === "M") {
      if (fields.name === "thread_name") thread.name = textOf(asFields(fields.args)?.name) ?? "";
      else if (fields.name === "node") programs.set(pid, programOf(asFields(asFields(fields.args)?.process)));
      return;
    }
    const span = spanOf(fields, thread.open);
    if (span === null || spans++ >= MOST_SPANS) return;
    thread.spans.push(span);
    times.add(span.endMs);
    firstSpan ??= span;
  });
  const { startMs, endMs } = times.around(firstSpan?.startMs ?? 0);
  const all = [...threads.values()];
  const within = all.map((thread) => ({
    ...thread,
    spans: thread.spans.filter((span) => span.startMs >= startMs && span.endMs <= endMs),
  }));
  const isLacking = within.some(({ spans: own }, i) => own.length < (all[i]?.spans.length ?? 0));
  return { threads: within, programs, startMs, endMs, isCut: !isWhole || isLacking || spans > MOST_SPANS };
}

/** Most events of a trace are of other things: those are not taken apart. */
function isOfInterest(event: Buffer): boolean {
  return event.includes("GC") || event.includes("thread_name") || event.includes('"versions"');
}

function programOf(process: Fields | null): TraceProgram {
  const versions = asFields(process?.versions);
  const node = textOf(versions?.node);
  return {
    node: node === null ? "" : `v${node}`,
    v8: textOf(versions?.v8) ?? "",
    arch: textOf(process?.arch) ?? "",
    platform: textOf(process?.platform) ?? "",
  };
}

const TS = Buffer.from('"ts":');

/** The event's time, ms; NaN where it has none. */
function timeIn(event: Buffer): number {
  const found = event.indexOf(TS);
  if (found < 0) return Number.NaN;
  return Number.parseFloat(event.toString("latin1", found + TS.length, found + TS.length + 24)) / US_A_MS;
}

/** The span that an event is or ends; null where it only begins one or is of something else. */
function spanOf(fields: Fields, open: OpenSpan[]): TraceSpan | null {
  const name = boundText(textOf(fields.name) ?? "", NAME_LIMIT);
  const ts = numberOf(fields.ts);
  if (!GC_NAME.test(name) || ts === null) return null;
  const atMs = ts / US_A_MS;
  switch (fields.ph) {
    case "X": {
      // Added as whole microseconds: what touches must not overlap by a rounding.
      const endMs = (ts + (numberOf(fields.dur) ?? Number.NaN)) / US_A_MS;
      return spanBetween({ name, startMs: atMs, fields }, endMs, fields);
    }
    case "B":
      if (open.length === MOST_OPEN) open.shift();
      open.push({ name, startMs: atMs, fields });
      return null;
    case "E": {
      const place = open.findLastIndex((one) => one.name === name);
      const begun = open[place];
      if (begun === undefined) return null;
      open.length = place;
      return spanBetween(begun, atMs, fields);
    }
    default:
      return null;
  }
}

function spanBetween({ name, startMs, fields }: OpenSpan, endMs: number, end: Fields): TraceSpan | null {
  if (!(endMs >= startMs && endMs - startMs <= LONGEST_MS)) return null;
  const [first, last] = [asFields(fields.args), asFields(end.args)];
  const either = (key: string) => last?.[key] ?? first?.[key];
  return {
    name,
    startMs,
    endMs,
    reason: textOf(either("type")) ?? "",
    usedBefore: numberOf(either("usedHeapSizeBefore")) ?? Number.NaN,
    usedAfter: numberOf(either("usedHeapSizeAfter")) ?? Number.NaN,
  };
}

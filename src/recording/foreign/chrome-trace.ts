/**
 * A trace in Chrome's JSON as isolates: `node --trace-events-enabled --trace-event-categories v8,devtools.timeline`, or what DevTools'
 * performance panel saves.
 */
import type { IsolateData, PauseKind, PhaseColumns } from "../model.ts";
import { numbering } from "../numbering.ts";
import type { Warning } from "../spec.ts";
import { type ForeignPause, foreignIsolate } from "./foreign-isolate.ts";
import type { ForeignLog } from "./trace-gc-log.ts";
import { readTraceSpans, type TraceProgram, type TraceSpan, type TraceThread } from "./trace-spans.ts";

/** Isolates that are told apart. */
const MOST_ISOLATES = 256;
const PAUSE_SPANS: Readonly<Record<string, PauseKind>> = {
  MajorGC: "mark-compact",
  MinorGC: "scavenge",
  "V8.GC_MC_INCREMENTAL_START": "incremental-start",
};
/** Spans with which V8 says what a collection does: only they tell of the work outside pauses. */
const PHASE = /^V8\.GC_/;
/** Where phases are not traced, steps and starts of marking are all the same, by other names (Node 26 leaves out the starts). */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  "V8.GCIncrementalMarking": "V8.GC_MC_INCREMENTAL",
  "V8.GCIncrementalMarkingStart": "V8.GC_MC_INCREMENTAL_START",
};
/** Of the collection itself: what it left to be swept goes on in collections of other kinds. */
const MINOR_MARK_SWEEP = /^V8\.GC_MINOR_M[SC](?:_MARK)?$/;

const UNKNOWN: TraceProgram = { node: "", v8: "", arch: "", platform: "" };

/** Null where the trace has no collection of V8's. */
export function readChromeTrace(bytes: Buffer): ForeignLog | null {
  const { threads, programs, startMs, endMs, isCut } = readTraceSpans(bytes);
  const collected = threads
    .filter(({ spans }) => spans.some(({ name }) => PAUSE_SPANS[name] !== undefined))
    .map((thread) => ({ ...thread, spans: inOrder(asPhases(thread.spans)) }))
    .sort((a, b) => (a.spans[0]?.startMs ?? 0) - (b.spans[0]?.startMs ?? 0));
  if (collected.length === 0) return null;
  const main = collected.find(isMainThread) ?? collected[0];
  const ordered = [...collected.filter((one) => one === main), ...collected.filter((one) => one !== main)];
  const places = new Map<number, number>();
  const isolates = ordered.slice(0, MOST_ISOLATES).map((thread, index) => {
    const place = places.get(thread.pid) ?? 0;
    places.set(thread.pid, place + 1);
    const kind = index === 0 ? "main" : thread.pid === main?.pid ? "worker" : "child";
    return isolateOf({ ...thread, ...(programs.get(thread.pid) ?? UNKNOWN) }, kind, place, startMs, endMs);
  });
  const isShort = isCut || collected.length > MOST_ISOLATES;
  const machine = programs.get(main?.pid ?? -1) ?? UNKNOWN;
  return { isolates, machine, durationMs: endMs - startMs, warnings: warningsOf(isolates, isShort) };
}

/** Node's and Chrome's own names for it. */
function isMainThread({ name }: Pick<TraceThread, "name">): boolean {
  return name === "JavaScriptMainThread" || name === "CrRendererMain";
}

function asPhases(spans: readonly TraceSpan[]): readonly TraceSpan[] {
  if (spans.some(({ name }) => PHASE.test(name))) return spans;
  return spans.map((span) => ({ ...span, name: OTHER_NAMES[span.name] ?? span.name }));
}

/** Outer spans before inner ones that start with them. */
function inOrder(spans: readonly TraceSpan[]): readonly TraceSpan[] {
  return spans.toSorted((a, b) => a.startMs - b.startMs || b.endMs - a.endMs);
}

type Collected = Omit<TraceThread, "spans"> & TraceProgram & { readonly spans: readonly TraceSpan[] };

function isolateOf(
  { pid, name, node, v8, spans }: Collected,
  kind: IsolateData["kind"],
  place: number,
  startMs: number,
  endMs: number,
): IsolateData {
  const hasPhases = spans.some((span) => PHASE.test(span.name));
  return foreignIsolate({
    pid,
    place,
    kind,
    name: kind === "main" ? "main" : name,
    node,
    v8,
    startMs: 0,
    endMs: endMs - startMs,
    pauses: pausesOf(spans, startMs),
    phases: hasPhases ? phasesOf(spans, startMs) : null,
  });
}

/** The outermost spans that are pauses. */
function pausesOf(spans: readonly TraceSpan[], originMs: number): readonly ForeignPause[] {
  const pauses: ForeignPause[] = [];
  let lastEnd = Number.NEGATIVE_INFINITY;
  for (const [index, { name, startMs, endMs, reason, usedBefore, usedAfter }] of spans.entries()) {
    const kind = PAUSE_SPANS[name];
    if (kind === undefined || startMs < lastEnd) continue;
    lastEnd = endMs;
    pauses.push({
      kind: kind === "scavenge" && isMinorMarkSweep(spans, index) ? "minor-mark-sweep" : kind,
      startMs: startMs - originMs,
      durationMs: endMs - startMs,
      usedBefore,
      usedAfter,
      committedAfter: Number.NaN,
      promotedBytes: Number.NaN,
      reason,
    });
  }
  return pauses;
}

/** By the phases inside of it. */
function isMinorMarkSweep(spans: readonly TraceSpan[], pause: number): boolean {
  const endMs = spans[pause]?.endMs ?? 0;
  for (let i = pause + 1; (spans[i]?.startMs ?? endMs) < endMs; i++) {
    if (MINOR_MARK_SWEEP.test(spans[i]?.name ?? "")) return true;
  }
  return false;
}

function phasesOf(spans: readonly TraceSpan[], originMs: number): PhaseColumns {
  const names = numbering<string, string>();
  const ends: number[] = [];
  const depth = new Uint8Array(spans.length);
  const name = new Uint16Array(spans.length);
  for (const [i, span] of spans.entries()) {
    while (ends.length > 0 && (ends.at(-1) ?? 0) <= span.startMs) ends.pop();
    depth[i] = Math.min(255, ends.length);
    name[i] = names.number(span.name, () => span.name);
    ends.push(span.endMs);
  }
  return {
    count: spans.length,
    startMs: Float64Array.from(spans, ({ startMs }) => startMs - originMs),
    durationMs: Float64Array.from(spans, ({ startMs, endMs }) => endMs - startMs),
    name,
    depth,
    names: names.values,
  };
}

function warningsOf(isolates: readonly IsolateData[], isCut: boolean): readonly Warning[] {
  const imported: Warning = {
    code: "imported-log",
    message:
      "This is a trace of V8's, not a recording: pauses with their kind, length, reason and used heap. What it cannot know: who allocated, what survived, processor time, and what the program was doing.",
    hint: "Record the program for the rest: gcspike record -- <command>",
  };
  const noPhases: Warning = {
    code: "imported-phases",
    message: "The trace has no phases: work outside pauses and the starts of incremental marking are unknown.",
    hint: "Trace with the categories v8,devtools.timeline,disabled-by-default-v8.gc",
  };
  const cut: Warning = {
    code: "log-cut",
    message:
      "The trace is cut, holds more than is read, or has collections on another clock: some of what it should tell is missing.",
  };
  const lacksPhases = isolates.some(({ phases }) => phases === null);
  return [imported, ...(lacksPhases ? [noPhases] : []), ...(isCut ? [cut] : [])];
}

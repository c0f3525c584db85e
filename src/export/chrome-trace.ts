/**
 * A trace in Chrome's JSON (the "Trace Event Format"), for chrome://tracing, https://ui.perfetto.dev and what else reads it. Each track
 * is a thread of its own there, because that is all the format has.
 */
import { type ExportInput, epochMs } from "./export-input.ts";
import { TextParts } from "./text-parts.ts";
import { type CounterTrack, type SliceTrack, type TraceProcess, traceOf } from "./trace.ts";

const US_A_MS = 1000;

export function exportChromeTrace(input: ExportInput): Uint8Array {
  const writer = new EventWriter();
  for (const process of traceOf(input)) writer.process(process);
  const { manifest } = input.recording;
  return writer.finish({
    displayTimeUnit: "ms",
    otherData: {
      recordedBy: "gcspike",
      startedAt: new Date(epochMs(input.recording, 0)).toISOString(),
      clock: manifest.startNs,
    },
  });
}

type Event = Readonly<Record<string, unknown>>;

class EventWriter {
  readonly #text = new TextParts();
  #events = 0;
  #tracks = 0;

  constructor() {
    this.#text.add('{"traceEvents":[');
  }

  process({ pid, name, threads, counters }: TraceProcess): void {
    this.#add({ ph: "M", pid, tid: 0, name: "process_name", args: { name } });
    for (const counter of counters) this.#counter(pid, "", counter);
    for (const thread of threads) {
      for (const track of thread.slices) this.#slices(pid, thread.name, track);
      for (const counter of thread.counters) this.#counter(pid, `${thread.name}: `, counter);
    }
  }

  finish(rest: Readonly<Record<string, unknown>>): Uint8Array {
    this.#text.add(`\n],${JSON.stringify(rest).slice(1)}\n`);
    return this.#text.bytes();
  }

  #slices(pid: number, thread: string, { name, category, slices }: SliceTrack): void {
    const tid = ++this.#tracks;
    this.#add({ ph: "M", pid, tid, name: "thread_name", args: { name: `${thread}: ${name}` } });
    this.#add({ ph: "M", pid, tid, name: "thread_sort_index", args: { sort_index: tid } });
    for (const slice of slices()) {
      const { startMs, durationMs } = slice;
      const event = { pid, tid, cat: category, name: slice.name, ts: us(startMs), args: slice.arguments };
      this.#add(durationMs > 0 ? { ph: "X", ...event, dur: us(durationMs) } : { ph: "i", ...event, s: "t" });
    }
  }

  #counter(pid: number, prefix: string, { name, unit, timeMs, value }: CounterTrack): void {
    for (let i = 0; i < timeMs.length; i++) {
      const now = value[i] ?? Number.NaN;
      if (!Number.isNaN(now))
        this.#add({ ph: "C", pid, tid: 0, name: prefix + name, ts: us(timeMs[i] ?? 0), args: { [unit]: now } });
    }
  }

  #add(event: Event): void {
    this.#text.add(`${this.#events++ === 0 ? "\n" : ",\n"}${JSON.stringify(event)}`);
  }
}

/** Microseconds, to the nanosecond. */
function us(ms: number): number {
  return Math.round(ms * US_A_MS * 1000) / 1000;
}

/** Adds up what a program's collector did, for as long as it runs. It is told what happened and the time; it has no clock. */

import type { Fired } from "../recorder/flight/evaluate.ts";
import type { FlightEvent, PauseEvent, Span } from "../recorder/flight/events.ts";
import { Histogram } from "./histogram.ts";
import type { Labels, Metric } from "./metric.ts";

/** What a dump is told of: its name where it is shipped, and what fired. */
export interface NamedDump {
  readonly id: string;
  readonly fired: readonly Fired[];
}

/** What of its own the companion says. */
export interface OwnWork {
  readonly cpuSeconds: number;
  readonly shipped: number;
  readonly notShipped: number;
}

/** An isolate that wrote nothing for so long has ended: while one runs, it writes ten times a second. */
const SILENT_MS = 10_000;
/** The longest delay is that of so much time: more than a usual scrape interval. */
const DELAY_SECONDS = 60;
/** Pauses that a dump may turn out to be about; one that is shorter is not what anybody looks for. */
const RECENT_PAUSES = 5000;
const LEAST_RECENT_MS = 1;

/** Main threads and workers are told apart, and no more: an isolate's id in a label would be a new series for each worker. */
type Thread = "main" | "worker";

interface Recent {
  readonly startMs: number;
  readonly seconds: number;
  readonly series: Histogram;
}

interface Level {
  heapBytes: number | null;
  atMs: number;
  /** Longest delay of each second, ms, by the second modulo DELAY_SECONDS. */
  readonly delays: { second: number; ms: number }[];
}

export class Gatherer {
  /** By kind and thread. */
  readonly #pauses = new Map<string, { readonly labels: Labels; readonly histogram: Histogram }>();
  readonly #stepSeconds: Record<Thread, number> = { main: 0, worker: 0 };
  /** By isolate, when its last step ended. */
  readonly #steppedMs = new Map<string, number>();
  readonly #levels = new Map<string, Level>();
  readonly #dumps = new Map<string, number>();
  readonly #recent: Recent[] = [];
  #latestMs = 0;

  see(events: readonly FlightEvent[]): void {
    const steps = new Map<string, Span[]>();
    for (const event of events) {
      this.#latestMs = Math.max(this.#latestMs, "endMs" in event ? event.endMs : event.atMs);
      switch (event.type) {
        case "pause":
          this.#pause(event);
          break;
        case "work":
          if (event.isStep) steps.set(event.isolate, [...(steps.get(event.isolate) ?? []), event]);
          break;
        case "heap":
          this.#level(event.isolate, event.atMs).heapBytes = event.usedBytes;
          break;
        case "loop":
          noteDelay(this.#level(event.isolate, event.atMs), event.atMs, event.delayMs);
          break;
        case "open":
          break;
      }
    }
    for (const [isolate, spans] of steps) this.#steps(isolate, spans);
    this.#forgetSilent();
  }

  /** A dump was kept: what it is about points to it. `epochMs`: the calendar's time of 0 ms. */
  dumped({ id, fired }: NamedDump, epochMs: number): void {
    for (const trigger of new Set(fired.map((one) => one.trigger))) {
      this.#dumps.set(trigger, (this.#dumps.get(trigger) ?? 0) + 1);
    }
    const moments = new Set(fired.map(({ atMs }) => atMs));
    const about = this.#recent.filter(({ startMs }) => moments.has(startMs));
    const longest = this.#recent.reduce<Recent | null>(
      (most, one) => (most === null || one.seconds > most.seconds ? one : most),
      null,
    );
    for (const { series, seconds, startMs } of about.length === 0 && longest !== null ? [longest] : about) {
      series.point({ dump: id, seconds, epochMs: epochMs + startMs });
    }
    // They are in this dump: the next one is about others.
    this.#recent.length = 0;
  }

  metrics({ cpuSeconds, shipped, notShipped }: OwnWork): readonly Metric[] {
    const threads = [...new Set([...this.#levels.keys()].map(threadOf))].sort();
    const of = (thread: Thread) =>
      [...this.#levels].filter(([id]) => threadOf(id) === thread).map(([, level]) => level);
    return [
      {
        type: "histogram",
        name: "gcspike_pause_seconds",
        otlp: { name: "v8js.gc.duration", unit: "s" },
        help: "Pauses for garbage collection, by kind.",
        points: [...this.#pauses.values()].map(({ labels, histogram }) => ({ labels, histogram: histogram.state() })),
      },
      {
        type: "counter",
        name: "gcspike_incremental_steps_seconds",
        otlp: { name: "gcspike.gc.incremental_steps", unit: "s" },
        help: "Incremental steps of garbage collection on the thread, between pauses.",
        points: threads.map((thread) => ({ labels: { thread }, value: this.#stepSeconds[thread] })),
      },
      {
        type: "gauge",
        name: "gcspike_heap_used_bytes",
        otlp: { name: "gcspike.heap.used", unit: "By" },
        help: "Used heap of the isolate that uses most.",
        points: threads.flatMap((thread) => {
          const used = of(thread).flatMap(({ heapBytes }) => heapBytes ?? []);
          return used.length === 0 ? [] : [{ labels: { thread }, value: Math.max(...used) }];
        }),
      },
      {
        type: "gauge",
        name: "gcspike_event_loop_delay_max_seconds",
        otlp: { name: "gcspike.event_loop.delay.max", unit: "s" },
        help: "Longest time without a turn of the event loop in the last minute.",
        points: threads.map((thread) => ({
          labels: { thread },
          value: Math.max(0, ...of(thread).map((level) => longestDelay(level, this.#latestMs))) / 1000,
        })),
      },
      {
        type: "counter",
        name: "gcspike_dumps",
        otlp: { name: "gcspike.dumps", unit: "{dump}" },
        help: "Recordings of the last time that were kept, by what fired.",
        points: [...this.#dumps].map(([trigger, value]) => ({ labels: { trigger }, value })),
      },
      {
        type: "counter",
        name: "gcspike_ships",
        otlp: { name: "gcspike.ships", unit: "{dump}" },
        help: "Dumps that were shipped, and those that could not be.",
        points: [
          { labels: { outcome: "shipped" }, value: shipped },
          { labels: { outcome: "failed" }, value: notShipped },
        ],
      },
      {
        type: "counter",
        name: "gcspike_companion_cpu_seconds",
        otlp: { name: "gcspike.companion.cpu", unit: "s" },
        help: "Processor time of gcspike's own process beside the program.",
        points: [{ labels: {}, value: cpuSeconds }],
      },
    ];
  }

  #pause({ isolate, kind, startMs, endMs }: PauseEvent): void {
    const thread = threadOf(isolate);
    const key = `${kind} ${thread}`;
    const series = this.#pauses.get(key) ?? { labels: { kind, thread }, histogram: new Histogram() };
    this.#pauses.set(key, series);
    const seconds = (endMs - startMs) / 1000;
    series.histogram.add(seconds);
    if (endMs - startMs < LEAST_RECENT_MS) return;
    if (this.#recent.length === RECENT_PAUSES) this.#recent.shift();
    this.#recent.push({ startMs, seconds, series: series.histogram });
  }

  /** Spans are told when they end, inner ones first: what overlaps counts once. */
  #steps(isolate: string, spans: readonly Span[]): void {
    let doneMs = this.#steppedMs.get(isolate) ?? Number.NEGATIVE_INFINITY;
    for (const { startMs, endMs } of [...spans].sort((a, b) => a.startMs - b.startMs)) {
      this.#stepSeconds[threadOf(isolate)] += Math.max(0, endMs - Math.max(startMs, doneMs)) / 1000;
      doneMs = Math.max(doneMs, endMs);
    }
    this.#steppedMs.set(isolate, doneMs);
  }

  #level(isolate: string, atMs: number): Level {
    const level = this.#levels.get(isolate) ?? { heapBytes: null, atMs, delays: [] };
    level.atMs = Math.max(level.atMs, atMs);
    this.#levels.set(isolate, level);
    return level;
  }

  #forgetSilent(): void {
    for (const [isolate, { atMs }] of this.#levels) {
      if (this.#latestMs - atMs <= SILENT_MS) continue;
      this.#levels.delete(isolate);
      this.#steppedMs.delete(isolate);
    }
  }
}

/** `<pid>-<threadId>`; a process that replaced itself has `.n` behind it. */
function threadOf(isolate: string): Thread {
  return /-0(\.\d+)?$/.test(isolate) ? "main" : "worker";
}

function noteDelay({ delays }: Level, atMs: number, ms: number): void {
  const second = Math.floor(atMs / 1000);
  const at = ((second % DELAY_SECONDS) + DELAY_SECONDS) % DELAY_SECONDS;
  const known = delays[at];
  delays[at] = known?.second === second ? { second, ms: Math.max(known.ms, ms) } : { second, ms };
}

function longestDelay({ delays }: Level, nowMs: number): number {
  const from = Math.floor(nowMs / 1000) - DELAY_SECONDS;
  // `delays` has holes where no second was noted.
  return delays.reduce((most, { second, ms }) => (second > from ? Math.max(most, ms) : most), 0);
}

/** Which triggers fire, from what was seen of the program. No clock, no files. */
import { formatBytes, formatMs, formatShare } from "../../lib/units.ts";
import type { FlightEvent, HeapEvent, LoopEvent, PauseEvent, Span, WorkEvent } from "./events.ts";
import type { Trigger } from "./trigger-words.ts";

export interface Fired {
  /** Trigger.text, or DEATH_TRIGGER. */
  readonly trigger: string;
  readonly atMs: number;
  /** What happened, without the isolate's name where there is only one. */
  readonly what: string;
}

/** `gc.share` is that of so much time. */
const SHARE_MS = 10_000;
/** `gc.outside` is the most in any window of this length, as it is for spikes (docs/metrics.md). */
const BURST_MS = 50;
/** The rule of heap-limit takes a program for near its limit from here on, whatever its collections free. */
const NEAR_LIMIT = 0.85;
/** What went over a limit fires again only when it was clearly below it. */
const REARM = 0.9;

/** How a person says it, where that is not what it is called. */
const KIND_WORDS: Readonly<Record<string, string>> = {
  "minor-mark-sweep": "minor mark-sweep",
  "incremental-start": "start of marking",
  "weak-callbacks": "run of weak callbacks",
};

interface Watched {
  readonly pauses: Span[];
  readonly work: WorkEvent[];
  /** Of each trigger: the level is above its limit since it fired. */
  readonly above: Set<string>;
  /** When the last burst ended. */
  burstEndMs: number;
}

/** Holds triggers against what is seen. Feed it in order of time within an isolate. */
export class Evaluator {
  readonly #triggers: readonly Trigger[];
  readonly #nameOf: (isolate: string) => string;
  readonly #isolates = new Map<string, Watched>();

  /** `nameOf` says which isolate, in words: " on worker-1"; "" where that goes without saying. */
  constructor(triggers: readonly Trigger[], nameOf: (isolate: string) => string) {
    this.#triggers = triggers;
    this.#nameOf = nameOf;
  }

  /** What fires by these events, in order of time. */
  see(events: readonly FlightEvent[]): readonly Fired[] {
    const isolates = [...new Set(events.map(({ isolate }) => isolate))];
    return isolates
      .flatMap((isolate) =>
        this.#seeIn(
          isolate,
          events.filter((event) => event.isolate === isolate),
        ),
      )
      .sort((a, b) => a.atMs - b.atMs);
  }

  /** Isolates that have ended are forgotten. */
  keepOnly(isolates: ReadonlySet<string>): void {
    for (const id of this.#isolates.keys()) if (!isolates.has(id)) this.#isolates.delete(id);
  }

  #seeIn(isolate: string, events: readonly FlightEvent[]): readonly Fired[] {
    const watched = this.#watched(isolate);
    const news = {
      pauses: events.filter((event): event is PauseEvent => event.type === "pause"),
      work: events.filter((event): event is WorkEvent => event.type === "work"),
      heaps: events.filter((event): event is HeapEvent => event.type === "heap"),
      loops: events.filter((event): event is LoopEvent => event.type === "loop"),
    };
    watched.pauses.push(...news.pauses);
    const openMs = events.find((event) => event.type === "open")?.atMs ?? Number.POSITIVE_INFINITY;
    const outside = [...watched.work, ...news.work].filter(
      (span) => span.isStep || (span.endMs <= openMs && !isInPause(span, watched.pauses)),
    );
    watched.work.splice(0, watched.work.length, ...outside);
    const nowMs = events.reduce((latest, event) => Math.max(latest, "endMs" in event ? event.endMs : event.atMs), 0);
    const where = this.#nameOf(isolate);
    const fired = this.#triggers.flatMap((trigger) => firedBy(trigger, watched, news, nowMs, where));
    forgetBefore(watched.pauses, nowMs - SHARE_MS);
    forgetBefore(watched.work, nowMs - SHARE_MS);
    return fired;
  }

  #watched(isolate: string): Watched {
    const known = this.#isolates.get(isolate);
    if (known !== undefined) return known;
    const watched = { pauses: [], work: [], above: new Set<string>(), burstEndMs: Number.NEGATIVE_INFINITY };
    this.#isolates.set(isolate, watched);
    return watched;
  }
}

interface News {
  readonly pauses: readonly PauseEvent[];
  readonly work: readonly WorkEvent[];
  readonly heaps: readonly HeapEvent[];
  readonly loops: readonly LoopEvent[];
}

function firedBy(trigger: Trigger, watched: Watched, news: News, nowMs: number, where: string): readonly Fired[] {
  const fired = (atMs: number, what: string): Fired => ({ trigger: trigger.text, atMs, what: `${what}${where}` });
  switch (trigger.on) {
    case "pause":
      return news.pauses
        .filter(({ startMs, endMs }) => endMs - startMs > trigger.limit)
        .map(({ kind, startMs, endMs }) =>
          fired(startMs, `a ${KIND_WORDS[kind] ?? kind} of ${formatMs(endMs - startMs)}`),
        );
    case "heap": {
      const levels = [
        ...news.heaps.map(({ atMs, usedBytes }) => ({ atMs, level: usedBytes })),
        ...news.pauses.map(({ startMs, usedBeforeBytes }) => ({ atMs: startMs, level: usedBeforeBytes })),
      ].sort((a, b) => a.atMs - b.atMs);
      return rises(trigger.text, trigger.limit, watched, levels).map(({ atMs, level }) =>
        fired(atMs, `${formatBytes(level)} of heap in use`),
      );
    }
    case "heap.limit": {
      const levels = news.pauses.flatMap(({ ofLimit, endMs }) =>
        ofLimit === null ? [] : [{ atMs: endMs, level: ofLimit }],
      );
      return rises(trigger.text, NEAR_LIMIT, watched, levels).map(({ atMs, level }) =>
        fired(atMs, `${formatShare(level)} of the heap's limit in use after a full collection`),
      );
    }
    case "loop.delay": {
      const levels = news.loops.map(({ atMs, delayMs }) => ({ atMs, level: delayMs }));
      return rises(trigger.text, trigger.limit, watched, levels).map(({ atMs, level }) =>
        fired(atMs, `the event loop did not turn for ${formatMs(level)}`),
      );
    }
    case "gc.share": {
      if (news.pauses.length === 0 && news.work.length === 0 && !watched.above.has(trigger.text)) return [];
      const from = nowMs - SHARE_MS;
      const busy = united([...watched.pauses, ...outsideOf(watched)]).reduce(
        (sum, { startMs, endMs }) => sum + Math.max(0, endMs - Math.max(startMs, from)),
        0,
      );
      const levels = [{ atMs: nowMs, level: busy / SHARE_MS }];
      return rises(trigger.text, trigger.limit, watched, levels).map(({ atMs, level }) =>
        fired(atMs, `${formatShare(level)} of the last 10 s went to collections`),
      );
    }
    case "death":
      return [];
    case "gc.outside":
      if (news.work.length === 0) return [];
      return bursts(trigger.limit, watched).map(({ startMs, busyMs }) =>
        fired(startMs, `${formatMs(busyMs)} of collector work outside pauses within ${BURST_MS} ms`),
      );
  }
}

interface Level {
  readonly atMs: number;
  readonly level: number;
}

/** Where a level comes to be above the limit; not again before it was clearly below. */
function rises(key: string, limit: number, { above }: Watched, levels: readonly Level[]): readonly Level[] {
  return levels.filter(({ level }) => {
    if (level <= limit * REARM) above.delete(key);
    if (level <= limit || above.has(key)) return false;
    above.add(key);
    return true;
  });
}

/** Windows with more work outside pauses than `limitMs`, since the last burst. What follows one within a window belongs to it. */
function bursts(limitMs: number, watched: Watched): readonly { readonly startMs: number; readonly busyMs: number }[] {
  const found: { startMs: number; busyMs: number }[] = [];
  let recent: Span[] = [];
  for (const span of outsideOf(watched)) {
    const { startMs, endMs } = span;
    if (startMs < watched.burstEndMs + BURST_MS) {
      watched.burstEndMs = Math.max(watched.burstEndMs, endMs);
      continue;
    }
    const fromMs = endMs - BURST_MS;
    recent = [...recent.filter((one) => one.endMs > fromMs), span];
    const busyMs = recent.reduce((sum, one) => sum + one.endMs - Math.max(fromMs, one.startMs), 0);
    if (busyMs <= limitMs) continue;
    found.push({ startMs: recent[0]?.startMs ?? startMs, busyMs });
    recent = [];
    watched.burstEndMs = endMs;
  }
  return found;
}

/** Work outside pauses, in order of time, without overlaps: what the analysis calls so (analysis/outside-pauses.ts). */
function outsideOf({ pauses, work }: Watched): readonly Span[] {
  return united(work).flatMap((span) => withoutPauses(span, pauses));
}

/** Of pauses, which follow each other, the first that ends behind a moment. */
function pauseAfter(pauses: readonly Span[], timeMs: number): number {
  let low = 0;
  for (let high = pauses.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((pauses[middle]?.endMs ?? 0) > timeMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isInPause({ startMs, endMs }: Span, pauses: readonly Span[]): boolean {
  return (pauses[pauseAfter(pauses, startMs)]?.startMs ?? endMs) < endMs;
}

function withoutPauses(span: Span, pauses: readonly Span[]): readonly Span[] {
  const parts: Span[] = [];
  let { startMs } = span;
  for (let i = pauseAfter(pauses, startMs); (pauses[i]?.startMs ?? span.endMs) < span.endMs; i++) {
    const pause = pauses[i] ?? span;
    if (pause.startMs > startMs) parts.push({ startMs, endMs: pause.startMs });
    startMs = pause.endMs;
  }
  return startMs < span.endMs ? [...parts, { startMs, endMs: span.endMs }] : parts;
}

function united(spans: readonly Span[]): readonly Span[] {
  const merged: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of [...spans].sort((a, b) => a.startMs - b.startMs)) {
    const last = merged.at(-1);
    if (last !== undefined && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else merged.push({ startMs, endMs });
  }
  return merged;
}

/** The spans are in order of their starts, or nearly so. */
function forgetBefore(spans: Span[], timeMs: number): void {
  const first = spans.findIndex(({ endMs }) => endMs >= timeMs);
  spans.splice(0, first === -1 ? spans.length : first);
}

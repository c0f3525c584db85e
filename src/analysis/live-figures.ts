/** What a program does to itself at the moment: figures of its last ten seconds, over all its isolates. Pure. */
import { type Frame, type IsolateData, PAUSE_KINDS, type PauseKind } from "../recording/model.ts";
import { GcHistory } from "./gc-history.ts";
import { gcTime } from "./gc-time.ts";
import { heapSeries } from "./heap-series.ts";
import { lengthWithin } from "./intervals.ts";
import { type SiteTally, siteOfStack, sumTallies, tallySites } from "./sites.ts";
import { bytesByStack } from "./stack-bytes.ts";
import { quantile } from "./statistics.ts";

export const WINDOW_MS = 10_000;
/** The picture of pauses is so long. */
export const HISTORY_SECONDS = 60;
/** An isolate that is so far behind the others of its process has ended; loops are looked at ten times a second. */
const BEHIND_MS = 1500;
/** A rate over less than this is chance. */
const LEAST_MS = 250;

export interface LivePause {
  readonly kind: PauseKind;
  readonly durationMs: number;
  /** When it ended; of one that goes on, the moment of the figures. */
  readonly endMs: number;
}

/** A function, and its part of the bytes that survived, 0..1. */
export interface LiveSite {
  readonly frame: Frame;
  readonly share: number;
}

export interface LiveFigures {
  /** Pauses that ended in the last ten seconds, of all isolates. */
  readonly pauses: number;
  /** Exact nearest-rank, of those; null: there were none. */
  readonly p99Ms: number | null;
  readonly worst: LivePause | null;
  /** A collection that goes on, the longest one. */
  readonly open: LivePause | null;
  /** Pauses and work outside them over the time that was observed, as `wallShare` of a report. */
  readonly gcShare: number | null;
  /** Used heap of all isolates that run, bytes. */
  readonly heapBytes: number | null;
  /** Of the isolate that is nearest to it: used heap over the most that it may become. */
  readonly limitShare: number | null;
  /** Bytes a second. */
  readonly allocationRate: number | null;
  /**
   * Of objects and Buffers that were born in the last ten seconds, what survived the first scavenge that it met, by the function of
   * user code that allocated it; most bytes first.
   */
  readonly sites: readonly LiveSite[];
  /** The longest time that a loop did not come back to look for events, ms. */
  readonly loopDelayMs: number | null;
  /** The worst pause that ended in each second of the last minute, the newest last; -1: none. */
  readonly worstBySecond: Float64Array;
}

/** `isolates`: of one process, their last seconds. */
export function liveFigures(isolates: readonly IsolateData[], nowMs: number): LiveFigures {
  const fromMs = nowMs - WINDOW_MS;
  const latest = Math.max(...isolates.map(({ endMs }) => endMs));
  const running = isolates.filter(({ endMs }) => endMs > latest - BEHIND_MS);
  const recent = isolates.flatMap((isolate) => pausesSince(isolate, fromMs));
  const durations = Float64Array.from(recent, ({ durationMs }) => durationMs).sort();
  return {
    pauses: recent.length,
    p99Ms: quantile(durations, 0.99),
    worst: longest(recent),
    open: longest(running.flatMap((isolate) => openPause(isolate, nowMs))),
    gcShare: gcShare(isolates, fromMs, nowMs),
    heapBytes: sumOf(running.map(usedHeap)),
    limitShare: mostOf(running.map(limitShare)),
    allocationRate: sumOf(running.map((isolate) => allocationRate(isolate, fromMs, nowMs))),
    sites: survivingSites(isolates, fromMs, nowMs),
    loopDelayMs: mostOf(running.map((isolate) => loopDelay(isolate, fromMs))),
    worstBySecond: worstBySecond(isolates, nowMs),
  };
}

function pausesSince({ pauses }: IsolateData, fromMs: number): readonly LivePause[] {
  const recent: LivePause[] = [];
  for (let i = pauses.count - 1; i >= 0; i--) {
    const durationMs = pauses.durationMs[i] ?? 0;
    const endMs = (pauses.startMs[i] ?? 0) + durationMs;
    if (endMs < fromMs) break;
    recent.push({ kind: PAUSE_KINDS[pauses.kind[i] ?? 0] ?? "scavenge", durationMs, endMs });
  }
  return recent;
}

function openPause({ openPause: open }: IsolateData, nowMs: number): readonly LivePause[] {
  return open === null ? [] : [{ kind: open.kind, durationMs: Math.max(0, nowMs - open.startMs), endMs: nowMs }];
}

function longest(pauses: readonly LivePause[]): LivePause | null {
  return pauses.reduce<LivePause | null>(
    (most, pause) => (most === null || pause.durationMs > most.durationMs ? pause : most),
    null,
  );
}

function gcShare(isolates: readonly IsolateData[], fromMs: number, nowMs: number): number | null {
  let stoppedMs = 0;
  let observedMs = 0;
  for (const isolate of isolates) {
    const time = gcTime(isolate);
    const [from, to] = [Math.max(fromMs, time.fromMs), Math.min(nowMs, time.toMs)];
    if (!(to > from)) continue;
    observedMs += to - from;
    stoppedMs += lengthWithin(time.stops, from, to);
    if (isolate.openPause !== null) stoppedMs += Math.max(0, to - Math.max(from, isolate.openPause.startMs));
  }
  return observedMs < LEAST_MS ? null : Math.min(1, stoppedMs / observedMs);
}

function usedHeap(isolate: IsolateData): number | null {
  return heapSeries(isolate, "used").value.at(-1) ?? null;
}

function limitShare(isolate: IsolateData): number | null {
  const used = usedHeap(isolate);
  const limit = isolate.heap.limit.at(-1) ?? isolate.heapLimitBytes ?? Number.NaN;
  return used !== null && limit > 0 ? used / limit : null;
}

function allocationRate(isolate: IsolateData, fromMs: number, nowMs: number): number | null {
  const { timeMs } = heapSeries(isolate, "used");
  const from = Math.max(fromMs, timeMs[0] ?? Number.POSITIVE_INFINITY);
  const to = Math.min(nowMs, isolate.endMs);
  return to - from < LEAST_MS ? null : new GcHistory(isolate).allocationRate(from, to);
}

function loopDelay({ loop }: IsolateData, fromMs: number): number | null {
  return mostOf(Array.from(loop.maxDelayMs, (ms, i) => ((loop.timeMs[i] ?? 0) >= fromMs && ms >= 0 ? ms : null)));
}

function survivingSites(isolates: readonly IsolateData[], fromMs: number, nowMs: number): readonly LiveSite[] {
  const tallies = isolates.flatMap((isolate): readonly SiteTally[] => {
    const { allocations } = isolate;
    if (allocations === null) return [];
    const { scavengeMs } = new GcHistory(isolate);
    const siteOf = siteOfStack(allocations);
    return (["heap", "buffers"] as const).map((of) => {
      const selection = { measure: "survived", of, fromMs, toMs: nowMs, aliveMs: "young", leastBytes: 0 } as const;
      return tallySites(bytesByStack(isolate, selection, scavengeMs), siteOf);
    });
  });
  const { frames, totalBytes } = sumTallies(tallies);
  return [...frames]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_SITES)
    .map(([frame, bytes]) => ({ frame, share: bytes / totalBytes }));
}

/** More have no room on a screen. */
const MOST_SITES = 5;

function worstBySecond(isolates: readonly IsolateData[], nowMs: number): Float64Array {
  const worst = new Float64Array(HISTORY_SECONDS).fill(-1);
  const last = Math.floor(nowMs / 1000);
  for (const { durationMs, endMs } of isolates.flatMap((one) => pausesSince(one, nowMs - HISTORY_SECONDS * 1000))) {
    const second = HISTORY_SECONDS - 1 - (last - Math.floor(endMs / 1000));
    if (second >= 0 && second < HISTORY_SECONDS) worst[second] = Math.max(worst[second] ?? -1, durationMs);
  }
  return worst;
}

/** Null where none is known, as is the largest below. */
function sumOf(values: readonly (number | null)[]): number | null {
  return values.reduce((sum, value) => (sum === null ? value : sum + (value ?? 0)), null);
}

function mostOf(values: readonly (number | null)[]): number | null {
  return values.reduce((most, value) => (most === null || (value !== null && value > most) ? value : most), null);
}

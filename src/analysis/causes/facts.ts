/** Everything that is known about one spike, joined on one clock: what the rules judge by. Pure. */
import type { Frame, IsolateData } from "../../recording/model.ts";
import { type AllocationRate, rateBefore } from "../allocation-rate.ts";
import type { GcHistory, HeapParts } from "../gc-history.ts";
import { type Intervals, lowerBound } from "../intervals.ts";
import type { Spike } from "../report-types.ts";
import { selfTimes } from "../spike-phases.ts";

/** Full collections that repeat: how far back is looked. */
const REPEATS_MS = 10_000;

/**
 * A parallel collection waits for its helpers: on a quiet machine of two cores the thread was seen to run for 28 to 41 % of it.
 * What it waits beyond that, the machine made it wait.
 */
const HELPERS_SHARE = 3;
/** What the kernel needs to give a page of 4 KiB, ns, where the recorder did not measure it. */
const MINOR_FAULT_NS = 700;

/** Where the time of the spike's thread went, ms. NaN: not measured. */
export interface MachineTime {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** On a run queue: measured by the kernel. */
  readonly queuedMs: number;
  /** Neither running nor queued, and longer than helpers need. */
  readonly stalledMs: number;
  /** Times that it was taken off its processor. */
  readonly switches: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** Estimated, from the faults. */
  readonly faultMs: number;
}

/** How much of the stop the thread was kept from running, 0 to 1; 0 where it is not known. */
export function waitedShare({ wallMs, queuedMs, stalledMs, majorFaults }: MachineTime): number {
  // What waits for a disk stands still too.
  const stalled = majorFaults > 0 ? 0 : stalledMs || 0;
  return Math.min(1, ((queuedMs || 0) + stalled) / wallMs) || 0;
}

/** A thread that was taken off its processor so often waited a little everywhere; one that was taken off once waited in one place. */
const SPREAD_SWITCHES = 4;

/**
 * Share of the stop's work that went into some phases of `ms`. Where the thread was kept from running, it is not known in which phases:
 * the more it was, and the fewer times, the less of that counts which the waiting alone could explain.
 */
export function workShare(ms: number, machine: MachineTime): number {
  const waited = waitedShare(machine);
  const spread = ms / machine.wallMs;
  const least = Math.max(0, ms - waited * machine.wallMs) / Math.max(machine.wallMs * (1 - waited), 1e-3);
  const isOnePlace = (waited * SPREAD_SWITCHES) / (SPREAD_SWITCHES + (machine.switches || 0));
  return Math.min(1, spread * (1 - isOnePlace) + least * isOnePlace);
}

export interface SpikeFacts {
  readonly isolate: IsolateData;
  /** Its index; -1: a run of incremental steps. */
  readonly pause: number;
  readonly kind: Spike["kind"];
  readonly startMs: number;
  readonly endMs: number;
  readonly durationMs: number;
  /** From here on a stop is a spike. */
  readonly spikeMs: number;
  /** V8's reason for the collection, "" not known; for one that was marked incrementally also why that began. */
  readonly reasons: readonly string[];
  /** V8's GCCallbackFlags. */
  readonly flags: number;
  readonly machine: MachineTime;
  /** Self time by V8's name of the phase, ms; null: no phases. */
  readonly phases: ReadonlyMap<string, number> | null;
  /** Before and after the pause; `after` is null for steps. */
  readonly before: HeapParts | null;
  readonly after: HeapParts | null;
  readonly usedBefore: number;
  readonly usedAfter: number;
  readonly heapLimit: number;
  readonly promoted: number;
  /** Since the last full collection, or since the isolate's start. */
  readonly since: HeapParts | null;
  /** Null: not known. */
  readonly rate: AllocationRate | null;
  /** Full collections shortly before this and this one, the share of the used heap that each freed. */
  readonly recentFulls: readonly number[];
}

export function isYoungCollection({ kind }: Pick<SpikeFacts, "kind">): boolean {
  return kind === "scavenge" || kind === "minor-mark-sweep";
}

/** The program's innermost function on the stack that triggered it; undefined where none was recorded. */
export function triggerFrame({ isolate, pause }: Pick<SpikeFacts, "isolate" | "pause">): Frame | undefined {
  const stack = isolate.triggerStacks[isolate.pauses.triggerStack[pause] ?? -1] ?? [];
  return stack.find(({ origin }) => origin === "user");
}

export interface Stop {
  readonly kind: Spike["kind"];
  /** -1: a run of incremental steps. */
  readonly pause: number;
  readonly intervals: Intervals;
  readonly startMs: number;
  readonly durationMs: number;
}

/** What is the same for all spikes of a recording. */
export interface SpikeTerms {
  /** From here on a stop is a spike. */
  readonly spikeMs: number;
  /** What a minor page fault costs on that machine, ns; null: not known. */
  readonly pageFaultNs: number | null;
}

export function spikeFacts(isolate: IsolateData, history: GcHistory, stop: Stop, terms: SpikeTerms): SpikeFacts {
  const { spikeMs, pageFaultNs } = terms;
  const { pauses } = isolate;
  const { pause, startMs, intervals } = stop;
  const endMs = intervals.endMs[intervals.count - 1] ?? startMs;
  const before = pause < 0 ? history.partsSampled(startMs) : history.partsAt(pause, "before");
  return {
    isolate,
    pause,
    kind: stop.kind,
    startMs,
    endMs,
    durationMs: stop.durationMs,
    spikeMs,
    reasons: reasonsOf(isolate, history, stop),
    flags: pause < 0 ? 0 : (pauses.flags[pause] ?? 0),
    machine: machineTime(isolate, stop, pageFaultNs ?? MINOR_FAULT_NS),
    phases: isolate.phases === null ? null : selfTimes(isolate.phases, intervals),
    before,
    after: history.partsAt(pause, "after"),
    usedBefore: pauses.usedBefore[pause] ?? (before === null ? Number.NaN : before.young + before.old + before.large),
    usedAfter: pauses.usedAfter[pause] ?? Number.NaN,
    heapLimit: pauses.heapLimit[pause] ?? isolate.heapLimitBytes ?? Number.NaN,
    promoted: pauses.promotedBytes[pause] ?? Number.NaN,
    since: sinceLastFull(isolate, history, startMs),
    rate: rateBefore(history, isolate.startMs, startMs),
    recentFulls: recentFulls(isolate, history, stop),
  };
}

function sinceLastFull(isolate: IsolateData, history: GcHistory, startMs: number): HeapParts | null {
  const full = history.lastFull(startMs);
  if (full >= 0) return history.partsAt(full, "after");
  // Before anything is allocated there is nothing.
  return { timeMs: isolate.startMs, young: 0, youngLarge: 0, old: 0, large: 0, external: 0 };
}

function reasonsOf(isolate: IsolateData, history: GcHistory, stop: Stop): readonly string[] {
  const { pause, startMs } = stop;
  const of = (index: number): string => isolate.reasons[isolate.pauses.reason[index] ?? -1] ?? "";
  if (isYoungCollection(stop)) return [of(pause)];
  // What began the marking is said by the scavenge that came right before it, if V8 says it at all.
  const full = history.lastFull(startMs);
  const reasons: string[] = pause < 0 ? [] : [of(pause)];
  for (let i = Math.max(full + 1, 0); i < isolate.pauses.count && (isolate.pauses.startMs[i] ?? 0) < startMs; i++) {
    if (/external|last resort/.test(of(i))) reasons.push(of(i));
    if (reasons.length > 8) break;
  }
  return reasons;
}

function machineTime(isolate: IsolateData, stop: Stop, faultNs: number): MachineTime {
  const { pauses } = isolate;
  const { pause, durationMs } = stop;
  if (pause < 0) return timeOfSteps(isolate, stop);
  const at = (column: Float64Array | Float32Array): number => column[pause] ?? Number.NaN;
  const [cpuMs, queuedMs] = [at(pauses.cpuMs), at(pauses.runQueueMs)];
  const blocked = durationMs - cpuMs - (Number.isNaN(queuedMs) ? 0 : queuedMs);
  return {
    wallMs: durationMs,
    cpuMs,
    queuedMs,
    stalledMs: Math.max(0, blocked - HELPERS_SHARE * cpuMs),
    switches: at(pauses.involuntarySwitches),
    minorFaults: at(pauses.minorFaults),
    majorFaults: at(pauses.majorFaults),
    faultMs: Math.min((at(pauses.minorFaults) * faultNs) / 1e6, cpuMs),
  };
}

/**
 * Steps are not measured one by one: what the thread had of its processor in the tenths of a second that they lie in, while its event
 * loop was busy, is taken for what they had.
 */
function timeOfSteps({ loop }: IsolateData, { startMs, durationMs, intervals }: Stop): MachineTime {
  const endMs = intervals.endMs[intervals.count - 1] ?? startMs;
  const first = lowerBound(loop.timeMs, startMs, loop.count);
  const last = Math.min(loop.count - 1, lowerBound(loop.timeMs, endMs, loop.count));
  let ran = 0;
  let busy = 0;
  for (let i = first; i <= last; i++) {
    ran += loop.cpuShare[i] ?? Number.NaN;
    busy += loop.utilization[i] ?? Number.NaN;
  }
  const share = Math.min(1, ran / Math.max(busy, ran));
  const cpuMs = share * durationMs;
  return {
    wallMs: durationMs,
    cpuMs,
    queuedMs: Number.NaN,
    stalledMs: durationMs - cpuMs || 0,
    switches: Number.NaN,
    minorFaults: Number.NaN,
    majorFaults: Number.NaN,
    faultMs: Number.NaN,
  };
}

function recentFulls(isolate: IsolateData, history: GcHistory, { startMs, durationMs }: Stop): readonly number[] {
  const { usedBefore, usedAfter } = isolate.pauses;
  return Array.from(history.fullsBetween(startMs - REPEATS_MS, startMs + Math.max(durationMs, 1)), (pause) => {
    const before = usedBefore[pause] ?? Number.NaN;
    return (before - (usedAfter[pause] ?? Number.NaN)) / before;
  });
}

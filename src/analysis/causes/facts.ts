/** Everything that is known about one spike, joined on one clock: what the rules judge by. Plain data, and pure. */
import type { Frame, IsolateData, ProcessColumns } from "../../recording/model.ts";
import { GcFlag } from "../../recording/spec.ts";
import { type AllocationRate, rateBefore } from "../allocation-rate.ts";
import type { GcHistory, HeapParts } from "../gc-history.ts";
import type { Spike } from "../report-types.ts";
import { selfTimes } from "../spike-phases.ts";
import { survivedAgain } from "../survived-again.ts";
import { diedOld, youngAlive } from "../young-alive.ts";
import { copiedBytes, SLOWEST_COPY_MS_A_MIB } from "./copied.ts";
import { type MachineTime, machineTime, type Stop } from "./machine-time.ts";

/** Full collections that repeat: how far back is looked. */
const REPEATS_MS = 10_000;
const MIB = 1024 ** 2;
const LEAST_NEED_MS = 2;
/** References from old objects to young ones, and large objects that have just become old, ms a MiB of the old generation. */
const OLD_PAGES_MS_A_MIB = 0.05;
/** What the kernel needs to give a page of 4 KiB, ns, where the recorder did not measure it. */
const MINOR_FAULT_NS = 700;

export interface SpikeFacts {
  readonly kind: Spike["kind"];
  readonly startMs: number;
  readonly endMs: number;
  /** Since the isolate's start. */
  readonly ageMs: number;
  readonly durationMs: number;
  /** From here on a stop is a spike. */
  readonly spikeMs: number;
  /** V8's reason for the collection, "" not known; for one that was marked incrementally also why that began. */
  readonly reasons: readonly string[];
  /** V8's GCCallbackFlags; of marking, those of the collection that it led to, which say why it began. */
  readonly flags: number;
  readonly machine: MachineTime;
  /** Self time by V8's name of the phase, ms; null: no phases. */
  readonly phases: ReadonlyMap<string, number> | null;
  /** Full collections that began during a run of steps, and the one that the rest of it led to; 1 for a pause. */
  readonly collections: number;
  /** Before and after the pause; of steps what the first collection that they led to met, or the last that is known, and no `after`. */
  readonly before: HeapParts | null;
  readonly after: HeapParts | null;
  readonly usedBefore: number;
  readonly usedAfter: number;
  /** Share of the used heap that this full collection freed, or the one that this marking led to, 0 to 1; NaN: not known. */
  readonly freed: number;
  readonly heapLimit: number;
  readonly promoted: number;
  /** Of what was young before a full collection, bytes that were alive, by what scavenges lately found alive; else NaN. */
  readonly youngAlive: number;
  /** How much of what was new in the old generation the collection that this leads to found dead, or else the last one, 0 to 1; NaN: not known. */
  readonly diedOld: number;
  /** Of what young collections lately left in the young generation, the share that survived the next one, 0 to 1; null: not known. */
  readonly survivedAgain: number | null;
  /** Since the last full collection, or since the isolate's start. */
  readonly since: HeapParts | null;
  /** Null: not known. */
  readonly rate: AllocationRate | null;
  /** Full collections shortly before this and this one, the share of the used heap that each freed. */
  readonly recentFulls: readonly number[];
  /** Largest size of a semi-space; null: not known. */
  readonly semiSpaceBytes: number | null;
  /** The program's innermost function on the stack that triggered it; null where none was recorded. */
  readonly trigger: Frame | null;
}

export function isYoungCollection({ kind }: Pick<SpikeFacts, "kind">): boolean {
  return kind === "scavenge" || kind === "minor-mark-sweep";
}

/**
 * V8 collected because the program was calm, in order to give memory back: its memory reducer asks for all external memory as external
 * pressure does, but not for callbacks at once (MemoryReducer::NotifyTimer against Heap::ReportExternalMemoryPressure).
 */
export function isMemoryReducer(facts: Pick<SpikeFacts, "kind" | "flags">): boolean {
  const asked = GcFlag.synchronousPhantomCallbacks | GcFlag.allAvailableGarbage | GcFlag.allExternalMemory;
  return !isYoungCollection(facts) && (facts.flags & asked) === GcFlag.allExternalMemory;
}

/** What V8 collects with where memory outside the heap has grown past its limit (Heap::ReportExternalMemoryPressure). */
const PRESSURE_FLAGS = GcFlag.synchronousPhantomCallbacks | GcFlag.allExternalMemory;

/** V8 said itself that memory outside the heap is why it collected. */
export function isExternalPressure({ flags, reasons }: Pick<SpikeFacts, "flags" | "reasons">): boolean {
  return reasons.some((reason) => /external/.test(reason)) || (flags & PRESSURE_FLAGS) === PRESSURE_FLAGS;
}

/** What is the same for all spikes of a recording. */
export interface SpikeTerms {
  /** From here on a stop is a spike. */
  readonly spikeMs: number;
  /** What a minor page fault costs on that machine, ns; null: not known. */
  readonly pageFaultNs: number | null;
}

/** An isolate with what is known of the time around. */
export interface Surroundings {
  readonly isolate: IsolateData;
  readonly history: GcHistory;
  /** The process's other isolates. */
  readonly others: readonly IsolateData[];
  readonly process: ProcessColumns | null;
}

export function spikeFacts(
  { isolate, history, others, process }: Surroundings,
  stop: Stop,
  terms: SpikeTerms,
): SpikeFacts {
  const { spikeMs, pageFaultNs } = terms;
  const { pauses } = isolate;
  const { pause, startMs, intervals } = stop;
  const endMs = intervals.endMs[intervals.count - 1] ?? startMs;
  const areRecorded = isolate.collectors.includes("phases");
  const phases = isolate.phases === null || !areRecorded ? null : selfTimes(isolate.phases, intervals);
  const before = pause < 0 ? partsOfSteps(history, startMs, endMs) : history.partsAt(pause, "before");
  const after = history.partsAt(pause, "after");
  const promoted = pauses.promotedBytes[pause] ?? Number.NaN;
  const mostHelpersMs = isYoungCollection(stop)
    ? mostForYoung(before, copiedBytes(before, after, promoted))
    : Number.NaN;
  const faultNs = pageFaultNs ?? MINOR_FAULT_NS;
  return {
    kind: stop.kind,
    startMs,
    endMs,
    ageMs: startMs - isolate.startMs,
    durationMs: stop.durationMs,
    spikeMs,
    reasons: reasonsOf(isolate, history, stop),
    flags: flagsOf(isolate, history, stop),
    machine: machineTime(isolate, stop, { others, process, phases, mostHelpersMs, faultNs }),
    phases,
    collections: pause < 0 ? history.fullsBetween(startMs, endMs).length + 1 : 1,
    before,
    after,
    usedBefore: pauses.usedBefore[pause] ?? (before === null ? Number.NaN : before.young + before.old + before.large),
    usedAfter: pauses.usedAfter[pause] ?? Number.NaN,
    freed: isYoungCollection(stop) ? Number.NaN : freedBy(isolate, history.nextFull(startMs)),
    heapLimit: pauses.heapLimit[pause] ?? isolate.heapLimitBytes ?? Number.NaN,
    promoted,
    youngAlive: isYoungCollection(stop) ? Number.NaN : youngAlive(history, pause),
    diedOld: diedLately(history, startMs),
    survivedAgain: survivedAgain(history, endMs),
    since: sinceLastFull(isolate, history, startMs),
    rate: rateBefore(history, isolate.startMs, startMs),
    recentFulls: recentFulls(isolate, history, stop),
    semiSpaceBytes: isolate.semiSpaceBytes,
    trigger: triggerFrame(isolate, pause),
  };
}

/** Processor time that a young collection can need at most, ms: for what it copies, for going over old pages, and to begin and end. */
function mostForYoung(before: HeapParts | null, copied: number): number {
  const oldMib = before === null ? Number.NaN : (before.old + before.large + before.youngLarge) / MIB;
  return LEAST_NEED_MS + oldMib * OLD_PAGES_MS_A_MIB + (copied / MIB) * SLOWEST_COPY_MS_A_MIB;
}

/** Steps go on into the next marking: what they are about is what had grown up to the first collection that they led to. */
function partsOfSteps(history: GcHistory, startMs: number, endMs: number): HeapParts | null {
  const full = history.nextFull(startMs);
  return full >= 0 && history.startOf(full) < endMs ? history.partsAt(full, "before") : history.partsUpTo(endMs);
}

function sinceLastFull(isolate: IsolateData, history: GcHistory, startMs: number): HeapParts | null {
  const full = history.lastFull(startMs);
  // Before anything is allocated there is nothing.
  if (full < 0) return { timeMs: isolate.startMs, young: 0, youngLarge: 0, old: 0, large: 0, external: 0 };
  const after = history.partsAt(full, "after");
  if (after === null) return null;
  const external = history.leastExternal(after.timeMs, startMs);
  return { ...after, external: external < after.external ? external : after.external };
}

function diedLately(history: GcHistory, startMs: number): number {
  const next = history.nextFull(startMs);
  const full = next < 0 ? history.lastFull(startMs) : next;
  return full < 0 ? Number.NaN : diedOld(history, full);
}

function triggerFrame({ pauses, triggerStacks }: IsolateData, pause: number): Frame | null {
  const stack = triggerStacks[pauses.triggerStack[pause] ?? -1] ?? [];
  return stack.find(({ origin }) => origin === "user") ?? null;
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

function flagsOf({ pauses }: IsolateData, history: GcHistory, { kind, pause, startMs }: Stop): number {
  const isMarking = kind === "incremental-steps" || kind === "incremental-start";
  if (!isMarking) return pauses.flags[pause] ?? 0;
  // Somebody may have asked for the collection while V8 was marking: not for the marking.
  return (pauses.flags[history.nextFull(startMs)] ?? 0) & ~GcFlag.forced;
}

function recentFulls(isolate: IsolateData, history: GcHistory, { startMs, durationMs }: Stop): readonly number[] {
  return Array.from(history.fullsBetween(startMs - REPEATS_MS, startMs + Math.max(durationMs, 1)), (pause) =>
    freedBy(isolate, pause),
  );
}

function freedBy({ pauses }: IsolateData, full: number): number {
  const before = pauses.usedBefore[full] ?? Number.NaN;
  return (before - (pauses.usedAfter[full] ?? Number.NaN)) / before;
}

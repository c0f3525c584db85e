/** Where the time of a stop went: running, waiting for helper threads that ran, kept from its work, faulting memory in. Pure. */
import type { IsolateData, LoopColumns, ProcessColumns } from "../../recording/model.ts";
import { type Intervals, lowerBound } from "../intervals.ts";
import type { Spike } from "../report-types.ts";
import { ramp } from "./ramp.ts";

/**
 * A parallel collection waits for its helpers: on a quiet machine of two cores the thread was seen to run for 28 to 41 % of it. Where
 * it was not measured what the helpers did, the thread's wait beyond that is the machine's.
 */
const HELPERS_SHARE = 3;
/**
 * Phases in which the thread has next to nothing to do: where they take long it waits, for the threads that compile its functions to come
 * to a safepoint (IsolateSafepoint::EnterLocalSafepointScope), or for a processor. No helper collects meanwhile.
 */
const WAITING = /^V8\.GC_(?:TIME_TO_SAFEPOINT|HEAP_(?:PROLOGUE|EPILOGUE)_SAFEPOINT)$/;
/** What a page from a disk takes, ms: less from flash, more where the arm has to move. */
const MOST_DISK_MS = 2;

/** Seen where a virtual machine gave memory to its guest for the first time, ns: 15,000. */
const MOST_FAULT_NS = 20_000;
/** Ticks of the kernel's clock are 1 to 10 ms, mostly 4: over less than the first they say nothing, over the second enough. */
const FEW_TICKS_MS = 10;
const MANY_TICKS_MS = 40;

/** A stop of the main thread: a pause, or a run of incremental steps. */
export interface Stop {
  readonly kind: Spike["kind"];
  /** -1: a run of incremental steps. */
  readonly pause: number;
  readonly intervals: Intervals;
  readonly startMs: number;
  readonly durationMs: number;
}

/** ms. NaN: not measured. */
export interface MachineTime {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** On a run queue: measured by the kernel. */
  readonly queuedMs: number;
  /** Processor time of V8's helper threads. */
  readonly helpersMs: number;
  /** The thread did not run, no helper collected for it, and no disk was waited for. */
  readonly keptMs: number;
  /** Of `keptMs`: it queued behind threads of the process that ran for longer than V8's helpers would for so little work. */
  readonly guessedMs: number;
  /** Of `keptMs`, as much as passed in phases that are nothing but waiting. */
  readonly safepointMs: number;
  /** The thread waited for a disk. */
  readonly diskMs: number;
  /** Times that it was taken off its processor. */
  readonly switches: number;
  /** Of the process, where they are known; else of the thread. */
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** Part of the stop, as well as it can be told. */
  readonly faultMs: number;
}

/** How much of the stop the thread was kept from running, 0 to 1; 0 where it is not known. */
export function waitedShare({ wallMs, keptMs }: MachineTime): number {
  return Math.min(1, keptMs / wallMs) || 0;
}

/**
 * How much of the stop was work, 0 to 1: what a cause that made the work can explain at most. The rest would be there with any other
 * collection as well.
 */
export function workedShare(machine: MachineTime): number {
  return Math.max(0, 1 - waitedShare(machine) - (machine.diskMs / machine.wallMs || 0));
}

/** What is left of the stop without the time in which the thread was kept from running. */
export function workMs(machine: MachineTime): number {
  return machine.wallMs * (1 - waitedShare(machine));
}

/** How much of the work was faulting memory in, 0 to 1; 0 where it is not known. */
export function faultShare(machine: MachineTime): number {
  return Math.min(1, machine.faultMs / workMs(machine)) || 0;
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

/** What is known beside the isolate itself. */
export interface Beside {
  /** The process's other isolates. */
  readonly others: readonly IsolateData[];
  /** Null: not recorded. */
  readonly process: ProcessColumns | null;
  /** Self time of V8's phases in the stop, ms; null: not recorded. */
  readonly phases: ReadonlyMap<string, number> | null;
  /** What V8's helpers can have done at most, processor time; NaN: not known. */
  readonly mostHelpersMs: number;
  /** Processor time of a minor fault. */
  readonly faultNs: number;
}

export function machineTime(isolate: IsolateData, stop: Stop, beside: Beside): MachineTime {
  const { pauses } = isolate;
  const { others, phases, faultNs, mostHelpersMs } = beside;
  const { pause, durationMs } = stop;
  if (pause < 0) return timeOfSteps(isolate, stop, beside);
  const at = (column: Float64Array | Float32Array): number => column[pause] ?? Number.NaN;
  const [cpuMs, queuedMs] = [at(pauses.cpuMs), at(pauses.runQueueMs)];
  const elsewhereMs = Math.max(0, at(pauses.processCpuMs) - cpuMs);
  const helpersMs = helpersTime(elsewhereMs - ranMeanwhile(others, stop), others, mostHelpersMs);
  // Where there is no other isolate it may be libuv's pool, or an addon's threads, that ran.
  const othersMs = elsewhereMs - Math.min(helpersMs, Number.isNaN(mostHelpersMs) ? helpersMs : mostHelpersMs);
  const isKnown = !Number.isNaN(helpersMs);
  const idleMs = Math.max(0, durationMs - cpuMs);
  const safepointMs = Math.min(idleMs, waitingIn(phases));
  const leftMs = idleMs - safepointMs;
  // A thread that queues behind its own helpers is not kept from its work; one that queues behind other threads of its process is.
  const behindOthersMs = Math.min(leftMs, ((queuedMs || 0) * othersMs) / Math.max(elsewhereMs, 1e-3));
  const certainMs = isKnown ? Math.max(0, leftMs - helpersMs) : stillWithoutHelpers(leftMs, cpuMs, queuedMs);
  const moreMs = isKnown ? Math.max(0, behindOthersMs - certainMs) : 0;
  const stillMs = safepointMs + certainMs + moreMs;
  const majorFaults = isKnown ? at(pauses.processMajorFaults) : at(pauses.majorFaults);
  const diskMs = Math.min(stillMs, (majorFaults || 0) * MOST_DISK_MS);
  const own = at(pauses.minorFaults);
  const all = isKnown ? at(pauses.processMinorFaults) : own;
  const kernelMs = at(pauses.kernelMs);
  const ownFaultMs = faultTime({ faults: own, cpuMs, kernelMs }, faultNs);
  const theirFaultMs = faultTime(
    {
      faults: Math.max(0, all - own),
      cpuMs: helpersMs,
      kernelMs: Math.max(0, at(pauses.processKernelMs) - kernelMs),
    },
    faultNs,
  );
  // Helpers that were not measured are taken to have faulted as much for their work as the thread did for its own.
  const theirShare = isKnown ? theirFaultMs / helpersMs : ownFaultMs / cpuMs;
  return {
    wallMs: durationMs,
    cpuMs,
    queuedMs,
    helpersMs,
    keptMs: stillMs - diskMs,
    guessedMs: others.length === 0 ? moreMs : 0,
    safepointMs,
    diskMs,
    switches: at(pauses.involuntarySwitches),
    minorFaults: all,
    majorFaults,
    // What it waited for helpers was faulting by as large a share as what they did.
    faultMs: ownFaultMs + (idleMs - stillMs) * Math.min(1, theirShare || 0),
  };
}

/**
 * What some minor faults took, ms. By their number and what one costs, which is true of memory that the machine has at hand; in a virtual
 * machine that has to get it first, one takes ten times as long. The kernel's clock tells, but in ticks: the longer, the more it counts.
 */
function faultTime(
  { faults, cpuMs, kernelMs }: { readonly faults: number; readonly cpuMs: number; readonly kernelMs: number },
  faultNs: number,
): number {
  const byNumber = Math.min(cpuMs, (faults * faultNs) / 1e6);
  if (Number.isNaN(kernelMs)) return byNumber;
  const byClock = Math.min(cpuMs, kernelMs, (faults * MOST_FAULT_NS) / 1e6);
  const trust = ramp(cpuMs, FEW_TICKS_MS, MANY_TICKS_MS);
  return byNumber * (1 - trust) + byClock * trust;
}

/** Others of the process run on more than their samples say while this thread stands still: what so little work does not need is theirs. */
function helpersTime(leftMs: number, others: readonly IsolateData[], mostMs: number): number {
  const most = others.length === 0 || Number.isNaN(mostMs) ? Number.POSITIVE_INFINITY : mostMs;
  return Math.min(Math.max(0, leftMs), most);
}

function waitingIn(phases: Beside["phases"]): number {
  let sum = 0;
  for (const [name, ms] of phases ?? []) if (WAITING.test(name)) sum += ms;
  return sum;
}

/** What other isolates of the process ran, by the tenths of a second in which it was. */
function ranMeanwhile(others: readonly IsolateData[], { startMs, durationMs }: Stop): number {
  return others.reduce((sum, { loop }) => {
    const sample = lowerBound(loop.timeMs, startMs, loop.count);
    return sum + (loop.cpuShare[sample] || 0) * durationMs;
  }, 0);
}

function stillWithoutHelpers(idleMs: number, cpuMs: number, queuedMs: number): number {
  const queued = Math.min(idleMs, queuedMs || 0);
  return queued + Math.max(0, idleMs - queued - HELPERS_SHARE * cpuMs);
}

/**
 * Steps are not measured one by one: what the thread had of its processor in the tenths of a second that they lie in, while its event
 * loop was busy, is taken for what they had. What it waited for in pauses is known, and theirs; where V8's helpers ran, it may have queued
 * behind them.
 */
function timeOfSteps(isolate: IsolateData, { startMs, durationMs, intervals }: Stop, beside: Beside): MachineTime {
  const { loop, pauses } = isolate;
  const endMs = intervals.endMs[intervals.count - 1] ?? startMs;
  const first = lowerBound(loop.timeMs, startMs, loop.count);
  const last = Math.min(loop.count - 1, lowerBound(loop.timeMs, endMs, loop.count));
  const fromMs = loop.timeMs[first - 1] ?? isolate.startMs;
  const untilMs = loop.timeMs[last] ?? fromMs;
  const time: Sampled = { fromMs, untilMs };
  const ranMs = sampled(loop, loop.cpuShare, time);
  const busyMs = Math.max(ranMs, sampled(loop, loop.utilization, time) - idleInPauses(pauses, time));
  const { process } = beside;
  const othersMs = beside.others.reduce((sum, other) => sum + (sampled(other.loop, other.loop.cpuShare, time) || 0), 0);
  const processMs = process === null ? 0 : sampled(process, process.cpuShare, time);
  const helpersMs = Math.max(0, processMs - ranMs - othersMs) || 0;
  return {
    wallMs: durationMs,
    cpuMs: durationMs * (ranMs / busyMs),
    queuedMs: Number.NaN,
    helpersMs: Number.NaN,
    keptMs: durationMs * (Math.max(0, busyMs - ranMs - helpersMs) / busyMs) || 0,
    guessedMs: 0,
    safepointMs: 0,
    diskMs: 0,
    switches: Number.NaN,
    minorFaults: Number.NaN,
    majorFaults: Number.NaN,
    faultMs: Number.NaN,
  };
}

interface Sampled {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Integral over some time of a share that was sampled again and again, ms; a sample stands for the time since the one before. */
function sampled(
  { timeMs, count }: Pick<LoopColumns, "timeMs" | "count">,
  share: Float64Array,
  { fromMs, untilMs }: Sampled,
): number {
  let sum = 0;
  let sinceMs = fromMs;
  for (let i = lowerBound(timeMs, fromMs, count); i < count && sinceMs < untilMs; i++) {
    const toMs = Math.min(untilMs, timeMs[i] ?? untilMs);
    sum += (share[i] ?? 0) * Math.max(0, toMs - sinceMs);
    sinceMs = toMs;
  }
  return sum;
}

/** How long the thread did not run in the pauses that began between two moments, ms; those that were not measured count as nothing. */
function idleInPauses(
  { count, startMs, durationMs, cpuMs }: IsolateData["pauses"],
  { fromMs, untilMs }: Sampled,
): number {
  let idleMs = 0;
  for (let i = lowerBound(startMs, fromMs, count); i < count && (startMs[i] ?? 0) < untilMs; i++) {
    idleMs += Math.max(0, (durationMs[i] ?? 0) - (cpuMs[i] ?? 0)) || 0;
  }
  return idleMs;
}

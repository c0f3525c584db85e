/** The measurements behind a spike, and a sentence that says what was measured. Nothing here guesses. */
import { plainText, plural } from "../lib/text.ts";
import { formatBytes, formatMs, formatNumber, formatShare } from "../lib/units.ts";
import { type IsolateData, PAUSE_KINDS } from "../recording/model.ts";
import { GcFlag } from "../recording/spec.ts";
import { lowerBound } from "./intervals.ts";
import { formatMoment, KIND_SUBJECT, stackText } from "./phrases.ts";
import type { Evidence } from "./report-types.ts";
import type { StepRun } from "./steps.ts";

/** Frames of the stack that triggered a collection which its evidence names. */
const MAX_TRIGGER_FRAMES = 5;

/** The probe's own time is said from this share of a pause on: it is some microseconds unless the machine was busy. */
const WORTH_SAYING = 0.01;

/** Time in the kernel is said from this share of the processor time on, and where it is more than a tick or two. */
const MUCH = 0.2;
const TICK_MS = 4;

const MIB = 1024 ** 2;

export function reasonOf(isolate: IsolateData, pause: number): string | null {
  return isolate.reasons[isolate.pauses.reason[pause] ?? -1] ?? null;
}

/**
 * What happened, and why as far as it is known: "A scavenge stopped main for 24 ms at 12.3 s: 9.8 of 15.9 MiB of new objects ...",
 * "37 incremental steps took 118 ms of main in the 204 ms from 12.3 s on: ...". `stop`: a pause's number, or a run of steps.
 */
export function headline(isolate: IsolateData, stop: number | StepRun, why: string | null): string {
  const what = typeof stop === "number" ? pauseText(isolate, stop) : stepsText(isolate, stop);
  const unknown = typeof stop === "number" ? pauseFacts(isolate, stop) : "";
  const rest = why ?? unknown;
  return rest === "" ? `${what}.` : `${what}: ${rest}.`;
}

function pauseText(isolate: IsolateData, pause: number): string {
  const { pauses } = isolate;
  const kind = PAUSE_KINDS[pauses.kind[pause] ?? 0] ?? "scavenge";
  const length = formatMs(at(pauses.durationMs, pause));
  return `${KIND_SUBJECT[kind]} stopped ${nameOf(isolate)} for ${length} at ${formatMoment(at(pauses.startMs, pause))}`;
}

/** Where there is no verdict: what V8 said, and the sizes. */
function pauseFacts(isolate: IsolateData, pause: number): string {
  const reason = reasonOf(isolate, pause);
  const used = usedText(at(isolate.pauses.usedBefore, pause), at(isolate.pauses.usedAfter, pause));
  const said = reason === null ? "V8's reason was not recorded" : `V8's reason was "${plainText(reason, 80)}"`;
  return used === null ? said : `${said}; ${used}`;
}

function stepsText(isolate: IsolateData, run: StepRun): string {
  const from = at(run.steps.startMs, 0);
  const span = at(run.steps.endMs, run.steps.count - 1) - from;
  const steps = plural(run.steps.count, "incremental step");
  return run.steps.count === 1
    ? `An incremental step took ${formatMs(run.durationMs)} of ${nameOf(isolate)} at ${formatMoment(from)}`
    : `${steps} took ${formatMs(run.durationMs)} of ${nameOf(isolate)} in the ${formatMs(span)} from ${formatMoment(from)} on`;
}

/** Measurements of a pause in the order in which one asks: was it the machine, what did it free, who started it. */
export function pauseEvidence(isolate: IsolateData, pause: number): readonly Evidence[] {
  return [
    ...reasonEvidence(isolate, pause),
    ...flagEvidence(isolate, pause),
    ...timeEvidence(isolate, pause),
    ...memoryEvidence(isolate, pause),
    ...triggerEvidence(isolate, pause),
    ...missingEvidence(isolate, pause),
  ];
}

export function stepsEvidence(isolate: IsolateData, run: StepRun): readonly Evidence[] {
  const span = at(run.steps.endMs, run.steps.count - 1) - at(run.steps.startMs, 0);
  let longest = 0;
  for (let i = 0; i < run.steps.count; i++)
    longest = Math.max(longest, at(run.steps.endMs, i) - at(run.steps.startMs, i));
  return [
    evidence(
      "steps",
      run.steps.count,
      "steps",
      `${plural(run.steps.count, "step")}; the longest took ${formatMs(longest)}.`,
    ),
    evidence(
      "steps.span",
      span,
      "ms",
      `From the first to the last step ${formatMs(span)} passed; the duration is that of the steps alone.`,
    ),
    evidence("missing", 1, "signals", "Not measured for steps: CPU time."),
    ...heapAround(isolate, at(run.steps.startMs, 0)),
  ];
}

/** Of a full collection, or of marking for one, that nothing but calm was the reason for. */
export function reducerEvidence(): readonly Evidence[] {
  return [evidence("memory-reducer", 1, "flag", "The program was calm, and V8 collected to give memory back.")];
}

function reasonEvidence(isolate: IsolateData, pause: number): readonly Evidence[] {
  const reason = reasonOf(isolate, pause);
  return reason === null ? [] : [evidence("reason", 1, "text", `V8's reason: "${plainText(reason, 80)}".`)];
}

function flagEvidence({ pauses }: IsolateData, pause: number): readonly Evidence[] {
  const flags = pauses.flags[pause] ?? 0;
  const has = (flag: number): number => ((flags & flag) === 0 ? Number.NaN : 1);
  return known([
    [has(GcFlag.forced), "forced", "flag", "Somebody asked for it: gc(), a heap snapshot or an inspector."],
    [
      has(GcFlag.synchronousPhantomCallbacks) * has(GcFlag.allExternalMemory),
      "external-pressure",
      "flag",
      "Memory outside the heap grew past V8's limit for it.",
    ],
  ]);
}

function timeEvidence({ pauses }: IsolateData, pause: number): readonly Evidence[] {
  const wall = at(pauses.durationMs, pause);
  const cpu = at(pauses.cpuMs, pause);
  const queue = at(pauses.runQueueMs, pause);
  const switches = at(pauses.involuntarySwitches, pause);
  const minor = at(pauses.minorFaults, pause);
  const major = at(pauses.majorFaults, pause);
  const kernel = at(pauses.kernelMs, pause);
  const helpers = at(pauses.processCpuMs, pause) - cpu;
  const all = at(pauses.processMinorFaults, pause);
  const share = wall > 0 ? ` (${formatShare(cpu / wall)})` : "";
  const probe = at(pauses.probeMs, pause);
  const probeShown = probe >= wall * WORTH_SAYING ? probe : Number.NaN;
  return known([
    [cpu, "cpu", "ms", `The thread ran for ${formatMs(cpu)} of ${formatMs(wall)}${share}.`],
    [queue, "run-queue", "ms", `It waited ${formatMs(queue)} for a processor.`],
    [
      kernel >= Math.max(cpu * MUCH, 2 * TICK_MS) ? kernel : Number.NaN,
      "kernel",
      "ms",
      `About ${formatMs(kernel)} of what it ran were the kernel's, which counts them in ticks.`,
    ],
    [
      helpers >= wall * WORTH_SAYING ? helpers : Number.NaN,
      "helpers",
      "ms",
      `The other threads of the process, V8's helpers among them, ran for ${formatMs(helpers)} meanwhile.`,
    ],
    [switches, "involuntary-switches", "switches", `It was taken off its processor ${plural(switches, "time")}.`],
    [
      minor > 0 || all > 0 ? minor : Number.NaN,
      "minor-faults",
      "faults",
      `${plural(minor, "page fault")} met memory that was not mapped yet${all > minor ? `, and ${(all - minor).toLocaleString("en-US")} more in the process's other threads` : ""}.`,
    ],
    [
      major > 0 ? major : Number.NaN,
      "major-faults",
      "faults",
      `${plural(major, "page fault")} had to wait for a disk.`,
    ],
    [
      probeShown,
      "probe",
      "ms",
      `gcspike's own probe held the thread for ${formatMs(probe)} more, before and after it.`,
    ],
  ]);
}

function memoryEvidence({ pauses }: IsolateData, pause: number): readonly Evidence[] {
  const before = at(pauses.usedBefore, pause);
  const after = at(pauses.usedAfter, pause);
  const limit = at(pauses.heapLimit, pause);
  const externalBefore = at(pauses.externalBefore, pause);
  const externalAfter = at(pauses.externalAfter, pause);
  const promoted = at(pauses.promotedBytes, pause);
  const change = before >= after ? `${formatBytes(before - after)} freed` : `${formatBytes(after - before)} more`;
  const ofLimit = limit > 0 ? `; ${formatShare(after / limit)} of the limit of ${formatBytes(limit)}` : "";
  return known([
    [before, "heap.before", "bytes", `${formatBytes(before)} of the heap were in use before it.`],
    [after, "heap.after", "bytes", `${formatBytes(after)} were in use after it: ${change}${ofLimit}.`],
    [promoted, "promoted", "bytes", `${formatBytes(promoted)} were promoted to the old generation.`],
    [
      externalAfter,
      "external.after",
      "bytes",
      `External memory: ${formatBytes(externalBefore)} before, ${formatBytes(externalAfter)} after.`,
    ],
  ]);
}

function triggerEvidence({ pauses, triggerStacks }: IsolateData, pause: number): readonly Evidence[] {
  const whole = triggerStacks[pauses.triggerStack[pause] ?? -1] ?? [];
  const all = whole.filter(({ origin }) => origin !== "gcspike");
  // What called the program's outermost function is Node's start of it, and the same everywhere.
  const outermost = all.findLastIndex(({ origin }) => origin === "user");
  const stack = outermost < 0 ? all : all.slice(0, outermost + 1);
  if (stack.length === 0) return [];
  const frames = stackText(stack.slice(0, MAX_TRIGGER_FRAMES));
  const more = stack.length > MAX_TRIGGER_FRAMES ? ` < ${stack.length - MAX_TRIGGER_FRAMES} more` : "";
  return [evidence("trigger-stack", stack.length, "frames", `It was triggered in ${frames}${more}.`)];
}

function missingEvidence(isolate: IsolateData, pause: number): readonly Evidence[] {
  const { pauses } = isolate;
  const missing = [
    Number.isNaN(at(pauses.cpuMs, pause)) ? "CPU time" : "",
    Number.isNaN(at(pauses.runQueueMs, pause)) ? "waiting for a processor" : "",
    Number.isNaN(at(pauses.minorFaults, pause)) ? "page faults" : "",
    Number.isNaN(at(pauses.usedBefore, pause)) ? "heap sizes" : "",
    reasonOf(isolate, pause) === null ? "V8's reason" : "",
    isolate.collectors.includes("phases") ? "" : "V8's phases",
    isolate.allocations === null ? "allocations" : "",
  ].filter((signal) => signal !== "");
  if (missing.length === 0) return [];
  return [evidence("missing", missing.length, "signals", `Not measured: ${missing.join(", ")}.`)];
}

/** Used heap at the last sample before a moment; steps themselves carry no heap sizes. */
function heapAround({ heap }: IsolateData, timeMs: number): readonly Evidence[] {
  const sample = lowerBound(heap.timeMs, timeMs, heap.count) - 1;
  const used = at(heap.used, sample);
  const moment = formatMoment(at(heap.timeMs, sample));
  return known([[used, "heap.before", "bytes", `${formatBytes(used)} of the heap were in use at ${moment}.`]]);
}

function known(
  list: readonly (readonly [value: number, signal: string, unit: string, text: string])[],
): readonly Evidence[] {
  return list
    .filter(([value]) => Number.isFinite(value))
    .map(([value, signal, unit, text]) => evidence(signal, value, unit, text));
}

function evidence(signal: string, value: number, unit: string, text: string): Evidence {
  return { signal, value, unit, text };
}

/** "180 -> 95 MiB used", in the unit that fits both. */
function usedText(before: number, after: number): string | null {
  if (!Number.isFinite(before) || !Number.isFinite(after)) return null;
  if (Math.min(before, after) < MIB) return `${formatBytes(before)} -> ${formatBytes(after)} used`;
  return `${formatNumber(before / MIB)} -> ${formatNumber(after / MIB)} MiB used`;
}

function nameOf(isolate: IsolateData): string {
  const name = plainText(isolate.name, 60);
  return name === "" ? isolate.id : name;
}

function at(column: Float32Array | Float64Array, index: number): number {
  return column[index] ?? Number.NaN;
}

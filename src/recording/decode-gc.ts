/** The .gc log: one column a measurement, one entry a pause. */
import { at, type Clock, damagedRecords, durationAt, numberAt, pick, spanAt, timeAt, timeOrder } from "./columns.ts";
import { gcProcessOffset, gcRecordBytes } from "./gc-log-writer.ts";
import { eachRecord, type Log, type RecordView, recordBehind } from "./log-reader.ts";
import type { Frame, IsolateData, PauseColumns, SpaceColumns } from "./model.ts";
import { PAUSE_KINDS } from "./model.ts";
import { GC, GC_PROCESS, GC_SPACE_BYTES, GcPresent, GcType, SPACE_UNIT, type Warning } from "./spec.ts";
import { type TriggerStacks, triggerStacks } from "./trigger-stacks.ts";

const KIND_INDEX: Readonly<Record<number, number>> = {
  [GcType.scavenge]: PAUSE_KINDS.indexOf("scavenge"),
  [GcType.minorMarkSweep]: PAUSE_KINDS.indexOf("minor-mark-sweep"),
  [GcType.markCompact]: PAUSE_KINDS.indexOf("mark-compact"),
  [GcType.incrementalMarking]: PAUSE_KINDS.indexOf("incremental-start"),
  [GcType.weakCallbacks]: PAUSE_KINDS.indexOf("weak-callbacks"),
};
const SCAVENGE = PAUSE_KINDS.indexOf("scavenge");
const YOUNG_SPACES: readonly string[] = ["new_space", "new_large_object_space"];
/** A pause longer than this is damage: it would swallow everything that happened meanwhile. */
const LONGEST_PAUSE_MS = 3_600_000;

export interface DecodedGc {
  /** Without reasons: they are in the phases. */
  readonly pauses: PauseColumns;
  readonly openPause: IsolateData["openPause"];
  readonly triggerStacks: readonly (readonly Frame[])[];
  readonly warnings: readonly Warning[];
}

/** Columns of no pause at all. */
export function noPauses(): PauseColumns {
  return pauseColumns(0, []);
}

/** Decodes `log`; the numbers in its stacks mean the frames of `functions`, from 1 on. */
export function decodeGc(log: Log, functions: readonly Frame[], clock: Clock): DecodedGc {
  const spaces = usedSpaces(log);
  const names = spaces.map((space) => log.header.strings[space] ?? "");
  const pauses = pauseColumns(log.bytes / log.header.recordBytes, names);
  const stacks = triggerStacks(functions);
  const process = processOffset(log);
  const promoting = names.flatMap((name, space) => (YOUNG_SPACES.includes(name) ? [] : [space]));
  let read = 0;
  let count = 0;
  eachRecord(log, (record, offset) => {
    read++;
    if (!decodeTimes(record.view, offset, clock, pauses, count)) return;
    decodeThread(record.view, offset, pauses, count);
    decodeProcess(record.view, offset, process, pauses, count);
    decodeHeapSizes(record.view, offset, pauses, count);
    decodeSpaces(record.view, offset, pauses, count, spaces, promoting);
    pauses.triggerStack[count] = triggerOf(record, offset, stacks);
    count++;
  });
  return {
    pauses: outermost(pauses, count),
    openPause: openPause(log, clock),
    triggerStacks: stacks.stacks,
    warnings: damagedRecords(log, read - count),
  };
}

/**
 * The spaces that ever held anything. V8 names up to 13 and leaves half of them empty: with a million pauses it is worth
 * going through the log for them first.
 */
function usedSpaces(log: Log): readonly number[] {
  const used = new Set<number>();
  const unused = new Set(log.header.strings.keys());
  eachRecord(log, ({ view }, offset) => {
    for (const space of unused) {
      const field = offset + GC.spaces + space * GC_SPACE_BYTES;
      if (view.getUint32(field, true) === 0 && view.getUint32(field + 4, true) === 0) continue;
      used.add(space);
      unused.delete(space);
    }
  });
  return [...used].sort((a, b) => a - b);
}

function pauseColumns(count: number, names: readonly string[]): PauseColumns {
  const column = () => new Float64Array(count);
  const counts = () => new Float32Array(count);
  return {
    count,
    startMs: column(),
    durationMs: column(),
    kind: new Uint8Array(count),
    flags: new Uint16Array(count),
    cpuMs: column(),
    runQueueMs: column(),
    minorFaults: counts(),
    majorFaults: counts(),
    voluntarySwitches: counts(),
    involuntarySwitches: counts(),
    processCpuMs: column(),
    processMinorFaults: counts(),
    processMajorFaults: counts(),
    processKernelMs: column(),
    kernelMs: column(),
    usedBefore: column(),
    usedAfter: column(),
    committedAfter: column(),
    externalBefore: column(),
    externalAfter: column(),
    mallocedAfter: column(),
    arrayBufferBytes: column(),
    heapLimit: column(),
    promotedBytes: column(),
    probeMs: column(),
    reason: new Int16Array(count).fill(-1),
    spaces: {
      names,
      usedBefore: new Uint32Array(count * names.length),
      usedAfter: new Uint32Array(count * names.length),
      committedAfter: new Uint32Array(count * names.length),
    },
    triggerStack: new Int32Array(count),
  };
}

/** False where the record is damaged: of no known kind, or with times that cannot be. */
function decodeTimes(view: DataView, offset: number, clock: Clock, pauses: PauseColumns, i: number): boolean {
  const kind = KIND_INDEX[view.getUint32(offset + GC.kind, true)];
  const startMs = timeAt(view, offset + GC.startNs, clock);
  const durationMs = spanAt(view, offset + GC.startNs, offset + GC.endNs);
  if (kind === undefined || Number.isNaN(startMs)) return false;
  if (!(durationMs >= 0 && durationMs <= LONGEST_PAUSE_MS)) return false;
  pauses.startMs[i] = startMs;
  pauses.durationMs[i] = durationMs;
  pauses.kind[i] = kind;
  pauses.flags[i] = view.getUint32(offset + GC.flags, true);
  pauses.probeMs[i] = view.getUint32(offset + GC.probeNs, true) / 1e6;
  return true;
}

function decodeThread(view: DataView, offset: number, pauses: PauseColumns, i: number): void {
  const present = view.getUint32(offset + GC.present, true);
  const scheduling = (present & GcPresent.faultsAndSwitches) !== 0;
  const count = (field: number) => (scheduling ? view.getUint32(offset + field, true) : Number.NaN);
  pauses.cpuMs[i] = present & GcPresent.cpu ? durationAt(view, offset + GC.cpuNs) : Number.NaN;
  pauses.runQueueMs[i] = present & GcPresent.runQueue ? durationAt(view, offset + GC.runQueueNs) : Number.NaN;
  pauses.minorFaults[i] = count(GC.minorFaults);
  pauses.majorFaults[i] = count(GC.majorFaults);
  pauses.voluntarySwitches[i] = count(GC.voluntarySwitches);
  pauses.involuntarySwitches[i] = count(GC.involuntarySwitches);
}

/** Where the process's part begins in a record; null in a recording that was made before there was one. */
function processOffset({ header }: Log): number | null {
  const spaces = header.strings.length;
  return header.recordBytes === gcRecordBytes(spaces) ? gcProcessOffset(spaces) : null;
}

function decodeProcess(view: DataView, offset: number, process: number | null, pauses: PauseColumns, i: number): void {
  const isThere = (view.getUint32(offset + GC.present, true) & GcPresent.process) !== 0;
  const from = process === null || !isThere ? null : offset + process;
  pauses.processCpuMs[i] = from === null ? Number.NaN : durationAt(view, from + GC_PROCESS.cpuNs);
  pauses.processMinorFaults[i] = from === null ? Number.NaN : view.getUint32(from + GC_PROCESS.minorFaults, true);
  pauses.processKernelMs[i] = from === null ? Number.NaN : durationAt(view, from + GC_PROCESS.kernelNs);
  pauses.kernelMs[i] = from === null ? Number.NaN : durationAt(view, from + GC_PROCESS.threadKernelNs);
  pauses.processMajorFaults[i] = from === null ? Number.NaN : view.getUint32(from + GC_PROCESS.majorFaults, true);
}

function decodeHeapSizes(view: DataView, offset: number, pauses: PauseColumns, i: number): void {
  const present = view.getUint32(offset + GC.present, true);
  const heap = (present & GcPresent.heap) !== 0;
  const size = (field: number) => (heap ? numberAt(view, offset + field) : Number.NaN);
  pauses.usedBefore[i] = size(GC.usedBefore);
  pauses.usedAfter[i] = size(GC.usedAfter);
  pauses.committedAfter[i] = size(GC.committedAfter);
  pauses.externalBefore[i] = size(GC.externalBefore);
  pauses.externalAfter[i] = size(GC.externalAfter);
  pauses.mallocedAfter[i] = size(GC.mallocedAfter);
  pauses.heapLimit[i] = size(GC.heapLimit);
  pauses.arrayBufferBytes[i] =
    present & GcPresent.arrayBuffers ? numberAt(view, offset + GC.arrayBufferBytes) : Number.NaN;
}

function decodeSpaces(
  view: DataView,
  offset: number,
  pauses: PauseColumns,
  i: number,
  recorded: readonly number[],
  promoting: readonly number[],
): void {
  const { names, usedBefore, usedAfter, committedAfter } = pauses.spaces;
  const present = (view.getUint32(offset + GC.present, true) & GcPresent.spaces) !== 0;
  const first = i * names.length;
  for (let space = 0; present && space < names.length; space++) {
    const field = offset + GC.spaces + at(recorded, space) * GC_SPACE_BYTES;
    usedBefore[first + space] = view.getUint32(field, true);
    usedAfter[first + space] = view.getUint32(field + 4, true);
    committedAfter[first + space] = view.getUint32(field + 12, true);
  }
  const promotes = present && pauses.kind[i] === SCAVENGE;
  pauses.promotedBytes[i] = promotes ? growth(pauses.spaces, first, promoting) : Number.NaN;
}

/** Growth of the spaces outside the young generation; what sweeping gave back meanwhile does not make it negative. */
function growth(spaces: SpaceColumns, first: number, promoting: readonly number[]): number {
  let units = 0;
  for (const space of promoting) units += at(spaces.usedAfter, first + space) - at(spaces.usedBefore, first + space);
  return Math.max(0, units * SPACE_UNIT);
}

function triggerOf(record: RecordView, offset: number, stacks: TriggerStacks): number {
  const present = (record.view.getUint32(offset + GC.present, true) & GcPresent.stack) !== 0;
  return present ? stacks.add(record, offset) : -1;
}

/**
 * The first `count` entries in order of time, without pauses inside others: a collector that cannot tell writes both, the
 * inner one first.
 */
function outermost(pauses: PauseColumns, count: number): PauseColumns {
  if (count === pauses.count && isDisjoint(pauses)) return pauses;
  const kept: number[] = [];
  for (const i of timeOrder(pauses.startMs.subarray(0, count))) {
    // An outer pause that starts together with its inner one comes second: it takes the inner one's place.
    if (isInside(pauses, kept.at(-1), i)) kept.pop();
    if (!isInside(pauses, i, kept.at(-1))) kept.push(i);
  }
  return pickPauses(pauses, Uint32Array.from(kept));
}

function isDisjoint({ startMs, durationMs }: PauseColumns): boolean {
  for (let i = 1; i < startMs.length; i++) {
    if (at(startMs, i) < at(startMs, i - 1) + at(durationMs, i - 1)) return false;
  }
  return true;
}

function isInside(
  { startMs, durationMs }: PauseColumns,
  inner: number | undefined,
  outer: number | undefined,
): boolean {
  if (inner === undefined || outer === undefined) return false;
  const innerEnd = at(startMs, inner) + at(durationMs, inner);
  return at(startMs, inner) >= at(startMs, outer) && innerEnd <= at(startMs, outer) + at(durationMs, outer);
}

function pickPauses(pauses: PauseColumns, order: Uint32Array): PauseColumns {
  const { names, usedBefore, usedAfter, committedAfter } = pauses.spaces;
  return {
    count: order.length,
    startMs: pick(pauses.startMs, order),
    durationMs: pick(pauses.durationMs, order),
    kind: pick(pauses.kind, order),
    flags: pick(pauses.flags, order),
    cpuMs: pick(pauses.cpuMs, order),
    runQueueMs: pick(pauses.runQueueMs, order),
    minorFaults: pick(pauses.minorFaults, order),
    majorFaults: pick(pauses.majorFaults, order),
    voluntarySwitches: pick(pauses.voluntarySwitches, order),
    involuntarySwitches: pick(pauses.involuntarySwitches, order),
    processCpuMs: pick(pauses.processCpuMs, order),
    processMinorFaults: pick(pauses.processMinorFaults, order),
    processMajorFaults: pick(pauses.processMajorFaults, order),
    processKernelMs: pick(pauses.processKernelMs, order),
    kernelMs: pick(pauses.kernelMs, order),
    usedBefore: pick(pauses.usedBefore, order),
    usedAfter: pick(pauses.usedAfter, order),
    committedAfter: pick(pauses.committedAfter, order),
    externalBefore: pick(pauses.externalBefore, order),
    externalAfter: pick(pauses.externalAfter, order),
    mallocedAfter: pick(pauses.mallocedAfter, order),
    arrayBufferBytes: pick(pauses.arrayBufferBytes, order),
    heapLimit: pick(pauses.heapLimit, order),
    promotedBytes: pick(pauses.promotedBytes, order),
    probeMs: pick(pauses.probeMs, order),
    reason: pick(pauses.reason, order),
    spaces: {
      names,
      usedBefore: pick(usedBefore, order, names.length),
      usedAfter: pick(usedAfter, order, names.length),
      committedAfter: pick(committedAfter, order, names.length),
    },
    triggerStack: pick(pauses.triggerStack, order),
  };
}

/** The record behind the last committed one, where it has begun and not ended. */
function openPause(log: Log, clock: Clock): IsolateData["openPause"] {
  if (log.header.committedBytes !== log.bytes) return null;
  const record = recordBehind(log);
  if (record === null || numberAt(record.view, GC.startNs) === 0 || numberAt(record.view, GC.endNs) !== 0) return null;
  const startMs = timeAt(record.view, GC.startNs, clock);
  const kind = PAUSE_KINDS[KIND_INDEX[record.view.getUint32(GC.kind, true)] ?? -1];
  return kind === undefined || Number.isNaN(startMs) ? null : { startMs, kind };
}

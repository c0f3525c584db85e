/** The part of a recording between two times, as if only that had been recorded. Pure. */
import type {
  Allocations,
  HeapColumns,
  IsolateData,
  LoopColumns,
  PauseColumns,
  PhaseColumns,
  ProcessColumns,
  Recording,
  SampleColumns,
  Samples,
  TagColumns,
} from "../recording/model.ts";
import { lowerBound } from "./intervals.ts";

interface Part {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What began from `fromMs` on and before `toMs`, with times from `fromMs`: pauses and V8's spans that reach beyond the end
 * stay whole. Isolates that did not live then are left out. Columns are views where their numbers stay as they are.
 */
export function partOf(recording: Recording, fromMs: number, toMs: number): Recording {
  const part: Part = { fromMs, toMs };
  const { manifest } = recording;
  return {
    ...recording,
    manifest: { ...manifest, startedAt: new Date(Date.parse(manifest.startedAt) + fromMs).toISOString() },
    durationMs: toMs - fromMs,
    isolates: recording.isolates
      .filter(({ startMs, endMs }) => startMs < toMs && endMs > fromMs)
      .map((isolate) => isolatePart(isolate, part)),
    processes: recording.processes.map((process) => processPart(process, part)).filter(({ count }) => count > 0),
  };
}

function isolatePart(isolate: IsolateData, part: Part): IsolateData {
  const { openPause, phases, allocations, samples, tags } = isolate;
  return {
    ...isolate,
    startMs: Math.max(0, isolate.startMs - part.fromMs),
    endMs: Math.min(part.toMs, isolate.endMs) - part.fromMs,
    pauses: pausePart(isolate.pauses, part),
    openPause:
      openPause === null || !isIn(openPause.startMs, part)
        ? null
        : { ...openPause, startMs: openPause.startMs - part.fromMs },
    heap: heapPart(isolate.heap, part),
    loop: loopPart(isolate.loop, part),
    phases: phases === null ? null : phasePart(phases, part),
    allocations: allocations === null ? null : allocationPart(allocations, part),
    tags: tags === null ? null : tagPart(tags, part),
    samples: samples === null ? null : samplesPart(samples, part),
  };
}

const isIn = (timeMs: number, { fromMs, toMs }: Part): boolean => timeMs >= fromMs && timeMs < toMs;

/** Which entries of a column of times lie in the part: `times` rise. */
function rangeOf(times: Float64Array, count: number, part: Part): readonly [from: number, to: number] {
  return [lowerBound(times, part.fromMs, count), lowerBound(times, part.toMs, count)];
}

function shifted(times: Float64Array, from: number, to: number, { fromMs }: Part): Float64Array {
  return times.slice(from, to).map((time) => time - fromMs);
}

function pausePart(pauses: PauseColumns, part: Part): PauseColumns {
  const [from, to] = rangeOf(pauses.startMs, pauses.count, part);
  const { spaces } = pauses;
  const width = spaces.names.length;
  return {
    count: to - from,
    startMs: shifted(pauses.startMs, from, to, part),
    durationMs: pauses.durationMs.subarray(from, to),
    kind: pauses.kind.subarray(from, to),
    flags: pauses.flags.subarray(from, to),
    cpuMs: pauses.cpuMs.subarray(from, to),
    runQueueMs: pauses.runQueueMs.subarray(from, to),
    minorFaults: pauses.minorFaults.subarray(from, to),
    majorFaults: pauses.majorFaults.subarray(from, to),
    voluntarySwitches: pauses.voluntarySwitches.subarray(from, to),
    involuntarySwitches: pauses.involuntarySwitches.subarray(from, to),
    processCpuMs: pauses.processCpuMs.subarray(from, to),
    processMinorFaults: pauses.processMinorFaults.subarray(from, to),
    processMajorFaults: pauses.processMajorFaults.subarray(from, to),
    processKernelMs: pauses.processKernelMs.subarray(from, to),
    kernelMs: pauses.kernelMs.subarray(from, to),
    usedBefore: pauses.usedBefore.subarray(from, to),
    usedAfter: pauses.usedAfter.subarray(from, to),
    committedAfter: pauses.committedAfter.subarray(from, to),
    externalBefore: pauses.externalBefore.subarray(from, to),
    externalAfter: pauses.externalAfter.subarray(from, to),
    mallocedAfter: pauses.mallocedAfter.subarray(from, to),
    arrayBufferBytes: pauses.arrayBufferBytes.subarray(from, to),
    heapLimit: pauses.heapLimit.subarray(from, to),
    promotedBytes: pauses.promotedBytes.subarray(from, to),
    probeMs: pauses.probeMs.subarray(from, to),
    reason: pauses.reason.subarray(from, to),
    spaces: {
      names: spaces.names,
      usedBefore: spaces.usedBefore.subarray(from * width, to * width),
      usedAfter: spaces.usedAfter.subarray(from * width, to * width),
      committedAfter: spaces.committedAfter.subarray(from * width, to * width),
    },
    triggerStack: pauses.triggerStack.subarray(from, to),
  };
}

function heapPart(heap: HeapColumns, part: Part): HeapColumns {
  const [from, to] = rangeOf(heap.timeMs, heap.count, part);
  const width = heap.spaceNames.length;
  return {
    count: to - from,
    timeMs: shifted(heap.timeMs, from, to, part),
    used: heap.used.subarray(from, to),
    committed: heap.committed.subarray(from, to),
    limit: heap.limit.subarray(from, to),
    external: heap.external.subarray(from, to),
    malloced: heap.malloced.subarray(from, to),
    arrayBuffers: heap.arrayBuffers.subarray(from, to),
    spaceNames: heap.spaceNames,
    spaceUsed: heap.spaceUsed.subarray(from * width, to * width),
  };
}

function loopPart(loop: LoopColumns, part: Part): LoopColumns {
  const [from, to] = rangeOf(loop.timeMs, loop.count, part);
  return {
    count: to - from,
    timeMs: shifted(loop.timeMs, from, to, part),
    utilization: loop.utilization.subarray(from, to),
    maxDelayMs: loop.maxDelayMs.subarray(from, to),
    cpuShare: loop.cpuShare.subarray(from, to),
  };
}

function processPart(process: ProcessColumns, part: Part): ProcessColumns {
  const [from, to] = rangeOf(process.timeMs, process.count, part);
  return {
    pid: process.pid,
    count: to - from,
    timeMs: shifted(process.timeMs, from, to, part),
    rss: process.rss.subarray(from, to),
    cpuShare: process.cpuShare.subarray(from, to),
    majorFaults: process.majorFaults.subarray(from, to),
    involuntarySwitches: process.involuntarySwitches.subarray(from, to),
  };
}

function phasePart(phases: PhaseColumns, part: Part): PhaseColumns {
  const [from, to] = rangeOf(phases.startMs, phases.count, part);
  return {
    count: to - from,
    startMs: shifted(phases.startMs, from, to, part),
    durationMs: phases.durationMs.subarray(from, to),
    name: phases.name.subarray(from, to),
    depth: phases.depth.subarray(from, to),
    names: phases.names,
  };
}

function tagPart(tags: TagColumns, part: Part): TagColumns {
  const [from, to] = rangeOf(tags.timeMs, tags.count, part);
  return {
    count: to - from,
    names: tags.names,
    timeMs: shifted(tags.timeMs, from, to, part),
    durationMs: tags.durationMs.subarray(from, to),
    name: tags.name.subarray(from, to),
    source: tags.source.subarray(from, to),
    weight: tags.weight.subarray(from, to),
  };
}

function allocationPart(allocations: Allocations, part: Part): Allocations {
  const windows = allocations.windows
    .filter(({ startMs }) => isIn(startMs, part))
    .map((window) => ({ ...window, startMs: window.startMs - part.fromMs, endMs: window.endMs - part.fromMs }));
  return { ...allocations, windows };
}

function samplesPart(samples: Samples, part: Part): Samples {
  const { heap, buffers } = samples;
  return { ...samples, heap: sampledPart(heap, part), buffers: buffers === null ? null : sampledPart(buffers, part) };
}

/** What died after the part was alive at its end. */
function sampledPart(samples: SampleColumns, part: Part): SampleColumns {
  const [from, to] = rangeOf(samples.bornMs, samples.count, part);
  return {
    count: to - from,
    bornMs: shifted(samples.bornMs, from, to, part),
    diedMs: samples.diedMs
      .subarray(from, to)
      .map((diedMs) => (diedMs < part.toMs ? diedMs - part.fromMs : Number.POSITIVE_INFINITY)),
    bytes: samples.bytes.subarray(from, to),
    objects: samples.objects.subarray(from, to),
    stack: samples.stack.subarray(from, to),
  };
}

/** An isolate out of a log that gcspike did not write: pauses, perhaps phases, and nothing else. */
import { noHeap } from "../decode-heap.ts";
import { noLoop } from "../decode-loop.ts";
import { type IsolateData, PAUSE_KINDS, type PauseColumns, type PauseKind, type PhaseColumns } from "../model.ts";
import { numbering } from "../numbering.ts";

export interface ForeignPause {
  readonly kind: PauseKind;
  readonly startMs: number;
  readonly durationMs: number;
  /** Bytes; NaN: the log does not say. */
  readonly usedBefore: number;
  readonly usedAfter: number;
  readonly committedAfter: number;
  readonly promotedBytes: number;
  /** V8's; "": the log does not say. */
  readonly reason: string;
}

export interface ForeignIsolate {
  readonly pid: number;
  /** The n-th of its process, from 0 on. */
  readonly place: number;
  /** The first of the first process is taken for the program's own. */
  readonly kind: IsolateData["kind"];
  /** "": it has none. */
  readonly name: string;
  /** Versions; "": the log does not say. */
  readonly node: string;
  readonly v8: string;
  readonly startMs: number;
  readonly endMs: number;
  /** In order of time, none inside another. */
  readonly pauses: readonly ForeignPause[];
  readonly phases: PhaseColumns | null;
}

export function foreignIsolate(isolate: ForeignIsolate): IsolateData {
  const { pid, place, kind, startMs, endMs, phases } = isolate;
  const reasons = numbering<string, string>();
  return {
    id: `${pid}-${place}`,
    pid,
    threadId: place,
    name: isolate.name === "" ? nameOf(isolate) : isolate.name,
    kind,
    script: "",
    node: isolate.node,
    v8: isolate.v8,
    execArgv: [],
    startMs,
    endMs,
    heapLimitBytes: null,
    semiSpaceBytes: null,
    collectors: phases === null ? [] : ["phases"],
    pauses: columnsOf(isolate.pauses, ({ reason }) => (reason === "" ? -1 : reasons.number(reason, () => reason))),
    openPause: null,
    reasons: reasons.values,
    triggerStacks: [],
    heap: noHeap(),
    loop: noLoop(),
    phases,
    allocations: null,
    tags: null,
    samples: null,
    warnings: [],
  };
}

function nameOf({ kind, pid, place }: ForeignIsolate): string {
  if (kind === "main") return "main";
  return kind === "worker" ? `worker-${place}` : `process ${pid}`;
}

function columnsOf(pauses: readonly ForeignPause[], reasonOf: (pause: ForeignPause) => number): PauseColumns {
  const count = pauses.length;
  const column = (value: (pause: ForeignPause) => number) => Float64Array.from(pauses, value);
  const unknown = () => new Float64Array(count).fill(Number.NaN);
  const unknownCount = () => new Float32Array(count).fill(Number.NaN);
  const noSpaces = new Uint32Array(0);
  return {
    count,
    startMs: column(({ startMs }) => startMs),
    durationMs: column(({ durationMs }) => durationMs),
    kind: Uint8Array.from(pauses, ({ kind }) => PAUSE_KINDS.indexOf(kind)),
    flags: new Uint16Array(count),
    cpuMs: unknown(),
    runQueueMs: unknown(),
    minorFaults: unknownCount(),
    majorFaults: unknownCount(),
    voluntarySwitches: unknownCount(),
    involuntarySwitches: unknownCount(),
    processCpuMs: unknown(),
    processMinorFaults: unknownCount(),
    processMajorFaults: unknownCount(),
    processKernelMs: unknown(),
    kernelMs: unknown(),
    usedBefore: column(({ usedBefore }) => usedBefore),
    usedAfter: column(({ usedAfter }) => usedAfter),
    committedAfter: column(({ committedAfter }) => committedAfter),
    externalBefore: unknown(),
    externalAfter: unknown(),
    mallocedAfter: unknown(),
    arrayBufferBytes: unknown(),
    heapLimit: unknown(),
    promotedBytes: column(({ promotedBytes }) => promotedBytes),
    probeMs: unknown(),
    reason: Int16Array.from(pauses, reasonOf),
    spaces: { names: [], usedBefore: noSpaces, usedAfter: noSpaces, committedAfter: noSpaces },
    triggerStack: new Int32Array(count).fill(-1),
  };
}

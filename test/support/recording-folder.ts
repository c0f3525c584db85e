/**
 * Recording folders on disk, from plain data: what the recorder, the agent and the probe would have left there.
 * Process ids start above the largest that Linux gives, so that none of them is running.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  encodeGcRecord,
  type GcRecordFields,
  gcRecordBytes,
  type LogHeaderFields,
} from "../../src/recording/gc-log-writer.ts";
import {
  type AllocWindowFields,
  encodeAllocString,
  encodeAllocWindow,
  encodeFunctionRecord,
  encodeHeapRecord,
  encodeLog,
  encodeLoopRecord,
  encodePhaseRecord,
  encodeProcessRecord,
  encodeSampleRecord,
  encodeStackRecord,
  type FunctionRecordFields,
  type HeapRecordFields,
  heapRecordBytes,
  type LoopRecordFields,
  type PhaseRecordFields,
  type ProcessRecordFields,
  type SampleRecordFields,
} from "../../src/recording/log-writer.ts";
import { writeManifest } from "../../src/recording/manifest.ts";
import {
  FORMAT_VERSION,
  type IsolateDescriptor,
  LOOP_RECORD_BYTES,
  LogKind,
  MANIFEST_SCHEMA,
  type Manifest,
  PHASE_RECORD_BYTES,
  PHASES_HEADER_BYTES,
  PROCESS_RECORD_BYTES,
  SAMPLE_RECORD_BYTES,
  TAG_SOURCES,
  type TagSource,
} from "../../src/recording/spec.ts";
import { encodeTag, encodeTagEnd, encodeTagName, tagEndRecord, tagRecord } from "../../src/recording/tag-records.ts";

export const PID = 4_200_000;
/** The monotonic clock at the recording's start: some 11 days after boot, beyond what 32 bits hold in ms. */
export const START_NS = 1_000_000_000_000_000n;
export const STARTED_AT = "2026-11-22T09:14:00.000Z";

/** `ms` after the recording's start, on the monotonic clock. */
export function atMs(ms: number): bigint {
  return START_NS + BigInt(Math.round(ms * 1e6));
}

export interface IsolateFolder {
  readonly id: string;
  /** null: no descriptor. */
  readonly descriptor?: Partial<IsolateDescriptor> | null;
  readonly spaces?: readonly string[];
  readonly gc?: readonly GcRecordFields[];
  /** The record behind the last committed one. */
  readonly openPause?: GcRecordFields;
  readonly heap?: readonly HeapRecordFields[];
  readonly loop?: readonly LoopRecordFields[];
  readonly phaseNames?: readonly string[];
  readonly phases?: readonly PhaseRecordFields[];
  readonly functions?: readonly FunctionRecordFields[];
  /** Numbers of functions, innermost first. */
  readonly stacks?: readonly (readonly number[])[];
  readonly samples?: readonly SampleRecordFields[];
  readonly buffers?: readonly SampleRecordFields[];
  readonly strings?: readonly string[];
  readonly windows?: readonly AllocWindowFields[];
  readonly tagNames?: readonly string[];
  readonly tags?: readonly TagFields[];
  /** Over all headers. */
  readonly header?: Partial<LogHeaderFields>;
}

/** One tag, and where `endNs` is there its end as a record of its own: null for one that does not end. */
export interface TagFields {
  readonly startNs: bigint;
  readonly durationNs?: number;
  readonly endNs?: bigint | null;
  /** Number of its name, and of the one that it has at its end. */
  readonly name: number;
  readonly endName?: number;
  readonly source: TagSource;
  readonly weight?: number;
}

export interface RecordingFolder {
  /** null: no manifest. */
  readonly manifest?: Partial<Manifest> | null;
  readonly isolates?: readonly IsolateFolder[];
  readonly processes?: Readonly<Record<number, readonly ProcessRecordFields[]>>;
}

/** Makes a recording folder in a new temporary folder and returns its path; the caller removes it. */
export function makeRecordingFolder(recording: RecordingFolder): string {
  const folder = join(mkdtempSync(join(tmpdir(), "gcspike-test-")), "test.gcspike");
  mkdirSync(folder);
  writeRecordingFolder(folder, recording);
  return folder;
}

export function writeRecordingFolder(folder: string, recording: RecordingFolder): void {
  if (recording.manifest !== null) writeManifest(folder, { ...testManifest(), ...recording.manifest });
  for (const isolate of recording.isolates ?? []) writeIsolate(folder, isolate);
  for (const [pid, records] of Object.entries(recording.processes ?? {})) {
    const header = {
      kind: LogKind.process,
      recordBytes: PROCESS_RECORD_BYTES,
      pid: Number(pid),
      threadId: 0,
      startNs: START_NS,
    };
    writeFileSync(join(folder, `${pid}.process`), encodeLog(header, records.map(encodeProcessRecord)));
  }
}

function testManifest(): Manifest {
  return {
    schema: MANIFEST_SCHEMA,
    formatVersion: FORMAT_VERSION,
    gcspike: "0.1.0",
    state: "finished",
    command: ["node", "server.js"],
    startedAt: STARTED_AT,
    startNs: String(START_NS),
    endNs: String(atMs(10_000)),
    exit: { code: 0, signal: null },
    pid: PID,
    recorderPid: PID - 1,
    machine: {
      platform: "linux",
      arch: "x64",
      cpus: 2,
      cpuModel: "test",
      memoryBytes: 8 * 1024 ** 3,
      pageFaultNs: null,
      kernel: "6.1",
    },
    options: {
      collector: "probe",
      phases: true,
      allocations: true,
      liveHeap: false,
      cpu: false,
      spikeMs: 10,
      redacted: false,
    },
    dump: null,
    files: [],
    warnings: [],
  };
}

function testDescriptor(id: string): IsolateDescriptor {
  const [pid = PID, threadId = 0] = id.split(/[-.]/).map(Number);
  return {
    schema: "gcspike.isolate/1",
    processSpace: null,
    id,
    pid,
    parentPid: PID - 1,
    threadId,
    name: threadId === 0 ? "main" : `worker-${threadId}`,
    kind: threadId === 0 ? "process" : "worker",
    script: "server.js",
    node: "v24.21.0",
    v8: "13.6.233.17-node.26",
    arch: "x64",
    platform: "linux",
    execArgv: [],
    startNs: String(START_NS),
    heapLimitBytes: 2 * 1024 ** 3,
    semiSpaceBytes: 16 * 1024 ** 2,
    collectors: ["probe", "phases", "heap", "allocations"],
    sampler: null,
    warnings: [],
  };
}

/** A .gc record as a buffer of its own. */
function gcRecord(record: GcRecordFields, spaces: number): Buffer {
  const bytes = Buffer.alloc(gcRecordBytes(spaces));
  encodeGcRecord(bytes, record);
  return bytes;
}

function writeIsolate(folder: string, isolate: IsolateFolder): void {
  const { id, spaces = [] } = isolate;
  const { pid, threadId } = testDescriptor(id);
  const write = (suffix: string, header: Pick<LogHeaderFields, "kind" | "recordBytes"> & Partial<LogHeaderFields>) => {
    const fields = { pid, threadId, startNs: START_NS, ...header, ...isolate.header };
    return (records: readonly Buffer[]) => writeFileSync(join(folder, `${id}.${suffix}`), encodeLog(fields, records));
  };
  if (isolate.descriptor !== null) {
    writeFileSync(join(folder, `${id}.json`), JSON.stringify({ ...testDescriptor(id), ...isolate.descriptor }));
  }
  writeGc(isolate, spaces, write);
  if (isolate.heap) {
    const recordBytes = heapRecordBytes(spaces.length);
    write("heap", { kind: LogKind.heap, recordBytes, strings: spaces })(isolate.heap.map(encodeHeapRecord));
  }
  if (isolate.loop) {
    write("loop", { kind: LogKind.loop, recordBytes: LOOP_RECORD_BYTES })(isolate.loop.map(encodeLoopRecord));
  }
  if (isolate.phases) {
    write("phases", {
      kind: LogKind.phases,
      recordBytes: PHASE_RECORD_BYTES,
      headerBytes: PHASES_HEADER_BYTES,
      strings: isolate.phaseNames ?? [],
    })(isolate.phases.map(encodePhaseRecord));
  }
  if (isolate.tags) {
    const records = [...(isolate.tagNames ?? []).map(encodeTagName), ...tagRecords(isolate.tags)];
    write("tags", { kind: LogKind.tags, recordBytes: 0 })(records);
  }
  if (isolate.functions)
    write("functions", { kind: LogKind.functions, recordBytes: 0 })(isolate.functions.map(encodeFunctionRecord));
  if (isolate.stacks) write("stacks", { kind: LogKind.stacks, recordBytes: 0 })(isolate.stacks.map(encodeStackRecord));
  for (const kind of ["samples", "buffers"] as const) {
    const records = isolate[kind]?.map(encodeSampleRecord);
    if (records) write(kind, { kind: LogKind[kind], recordBytes: SAMPLE_RECORD_BYTES })(records);
  }
  if (isolate.windows) {
    const records = [...(isolate.strings ?? []).map(encodeAllocString), ...isolate.windows.map(encodeAllocWindow)];
    write("alloc", { kind: LogKind.alloc, recordBytes: 0 })(records);
  }
}

/** All tags, then all ends. */
function tagRecords(tags: readonly TagFields[]): readonly Buffer[] {
  const begun = tags.map(({ startNs, durationNs = 0, endNs, name, source, weight = 1 }) => {
    const { bytes, view } = tagRecord();
    const duration = endNs === undefined ? durationNs : null;
    encodeTag(view, TAG_SOURCES.indexOf(source), Number(startNs), duration, name, weight);
    return Buffer.from(bytes);
  });
  const ended = tags.flatMap(({ endNs, endName }, tag) => {
    if (endNs === undefined || endNs === null) return [];
    const { bytes, view } = tagEndRecord();
    encodeTagEnd(view, Number(endNs), tag, endName ?? null);
    return [Buffer.from(bytes)];
  });
  return [...begun, ...ended];
}

function writeGc(
  { gc, openPause }: IsolateFolder,
  spaces: readonly string[],
  write: (
    suffix: string,
    header: Pick<LogHeaderFields, "kind" | "recordBytes"> & Partial<LogHeaderFields>,
  ) => (records: readonly Buffer[]) => void,
): void {
  if (gc === undefined) return;
  const recordBytes = gcRecordBytes(spaces.length);
  const records = gc.map((record) => gcRecord(record, spaces.length));
  const committedBytes = BigInt(records.length * recordBytes);
  const open = openPause === undefined ? [] : [gcRecord(openPause, spaces.length)];
  write("gc", { kind: LogKind.gc, recordBytes, strings: spaces, committedBytes })([...records, ...open]);
}

/** What one thread of the program did, as the logs of an isolate (src/recording/spec.ts). Times come on bpftrace's clock. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeGcRecord, gcRecordBytes, type LogHeaderFields } from "../../recording/gc-log-writer.ts";
import {
  encodeFunctionRecord,
  encodePhaseRecord,
  encodeSampleRecord,
  encodeStackRecord,
} from "../../recording/log-writer.ts";
import {
  GcType,
  type IsolateDescriptor,
  LogKind,
  PHASE_RECORD_BYTES,
  PHASES_HEADER_BYTES,
  SAMPLE_RECORD_BYTES,
  SampleType,
  STACK_INLINED,
} from "../../recording/spec.ts";
import type { Stack } from "./event-order.ts";
import type { FunctionDescription } from "./heap-reader.ts";
import { LogFile } from "./log-file.ts";
import type { OpenPause, TracedAllocation, TracedPause, TracedStep } from "./thread-history.ts";
import { REASONS } from "./v8-functions.ts";

/** V8's names, as its trace has them. */
const SPANS = ["V8.GC_MC_INCREMENTAL", "V8.GC_MC_INCREMENTAL_START", "MajorGC", "MinorGC"] as const;
type Span = (typeof SPANS)[number];

/** Weak callbacks have none. */
const SPAN_OF_PAUSE: Readonly<Record<number, Span>> = {
  [GcType.scavenge]: "MinorGC",
  [GcType.minorMarkSweep]: "MinorGC",
  [GcType.markCompact]: "MajorGC",
  [GcType.incrementalMarking]: "V8.GC_MC_INCREMENTAL_START",
};

/** Bytes of a name or a path; FUNCTION has 16 bits for each. */
const MAX_TEXT = 2000;

interface Births {
  readonly log: LogFile;
  count: number;
}

export class IsolateLogs {
  readonly #gc: LogFile;
  readonly #phases: LogFile;
  readonly #functions: LogFile;
  /** Large objects of the heap are in .samples, ArrayBuffers in .buffers. */
  readonly #allocations: { readonly stacks: LogFile; readonly large: Births; readonly buffer: Births } | null;
  readonly #functionNumbers = new Map<FunctionDescription, number>();
  readonly #stackNumbers = new Map<string, number>();
  #stacks = 0;
  readonly #ns: (traceNs: number) => bigint;
  readonly #withPositions: boolean;

  /**
   * `ns` turns bpftrace's time into that of the recording; `withPositions`: scripts are the files of the same path here, so that places in
   * them mean lines. Throws what the file system throws.
   */
  constructor(
    folder: string,
    descriptor: IsolateDescriptor,
    options: {
      readonly ns: (traceNs: number) => bigint;
      readonly withAllocations: boolean;
      readonly withPositions: boolean;
    },
  ) {
    const { id, pid, threadId } = descriptor;
    const startNs = BigInt(descriptor.startNs);
    const open = (suffix: string, header: Pick<LogHeaderFields, "kind" | "recordBytes" | "headerBytes" | "strings">) =>
      new LogFile(join(folder, `${id}.${suffix}`), { ...header, pid, threadId, startNs });
    writeFileSync(join(folder, `${id}.json`), `${JSON.stringify(descriptor)}\n`);
    this.#ns = options.ns;
    this.#withPositions = options.withPositions;
    this.#gc = open("gc", { kind: LogKind.gc, recordBytes: gcRecordBytes(0) });
    this.#phases = open("phases", {
      kind: LogKind.phases,
      recordBytes: PHASE_RECORD_BYTES,
      headerBytes: PHASES_HEADER_BYTES,
      strings: [...SPANS, ...REASONS],
    });
    this.#functions = open("functions", { kind: LogKind.functions, recordBytes: 0 });
    this.#allocations = options.withAllocations
      ? {
          stacks: open("stacks", { kind: LogKind.stacks, recordBytes: 0 }),
          large: { log: open("samples", { kind: LogKind.samples, recordBytes: SAMPLE_RECORD_BYTES }), count: 0 },
          buffer: { log: open("buffers", { kind: LogKind.buffers, recordBytes: SAMPLE_RECORD_BYTES }), count: 0 },
        }
      : null;
  }

  pause(pause: TracedPause): void {
    const { kind, startNs, endNs, reason } = pause;
    // Inlined functions have no place in it.
    const stack = this.#numbersOf(pause.stack?.filter(({ isInlined }) => !isInlined) ?? null).map(BigInt);
    const record = Buffer.alloc(gcRecordBytes(0));
    encodeGcRecord(record, {
      kind,
      nestedKinds: pause.nestedKinds,
      nestedCount: pause.nestedCount,
      flags: pause.flags,
      startNs: this.#ns(startNs),
      endNs: this.#ns(endNs),
      runQueueNs: BigInt(pause.runQueueNs),
      scheduling: {
        minorFaults: pause.minorFaults,
        majorFaults: pause.majorFaults,
        voluntarySwitches: pause.voluntarySwitches,
        involuntarySwitches: pause.involuntarySwitches,
      },
      ...(pause.cpuNs === null ? {} : { cpuNs: BigInt(pause.cpuNs) }),
      ...(stack.length === 0 ? {} : { stack }),
    });
    this.#gc.append(record);
    const span = SPAN_OF_PAUSE[kind];
    if (span !== undefined) this.#span(span, startNs, endNs, reason);
  }

  step({ startNs, endNs }: TracedStep): void {
    this.#span("V8.GC_MC_INCREMENTAL", startNs, endNs, null);
  }

  allocation({ of, atNs, bytes, standsForBytes, stack }: TracedAllocation): void {
    if (this.#allocations === null) return;
    const births = this.#allocations[of];
    const record = encodeSampleRecord({
      type: SampleType.birth,
      stack: this.#stackNumber(stack),
      timeNs: this.#ns(atNs),
      number: BigInt(births.count + 1),
      bytes: BigInt(bytes),
      standsFor: BigInt(standsForBytes),
    });
    if (births.log.append(record)) births.count++;
  }

  flush(): void {
    // What others name by number comes first: a recording that is cut has no number without its function.
    this.#functions.flush();
    this.#allocations?.stacks.flush();
    for (const log of this.#timed()) log.flush();
  }

  /** `open`: the collection in which the program ended; null: none. */
  close(open: OpenPause | null): void {
    const record = open === null ? null : Buffer.alloc(gcRecordBytes(0));
    if (open !== null && record !== null) {
      encodeGcRecord(record, { kind: open.kind, startNs: this.#ns(open.startNs), endNs: 0n });
    }
    this.#functions.close(null);
    this.#allocations?.stacks.close(null);
    this.#gc.close(record);
    for (const log of this.#timed().filter((one) => one !== this.#gc)) log.close(null);
  }

  #timed(): readonly LogFile[] {
    const { large, buffer } = this.#allocations ?? {};
    return [this.#gc, this.#phases, ...[large, buffer].flatMap((births) => births?.log ?? [])];
  }

  #span(name: Span, startNs: number, endNs: number, reason: number | null): void {
    const isKnown = reason !== null && reason < REASONS.length;
    this.#phases.append(
      encodePhaseRecord({
        startNs: this.#ns(startNs),
        durationNs: BigInt(Math.round(endNs - startNs)),
        name: SPANS.indexOf(name),
        reason: isKnown ? SPANS.length + reason : null,
        depth: 0,
        usedAfter: 0n,
      }),
    );
  }

  /** 0: there is none, or it is not known. */
  #stackNumber(stack: Stack): number {
    const numbers = this.#numbersOf(stack);
    if (numbers.length === 0 || this.#allocations === null) return 0;
    const key = numbers.join();
    const known = this.#stackNumbers.get(key);
    if (known !== undefined) return known;
    if (!this.#allocations.stacks.append(encodeStackRecord(numbers))) return 0;
    this.#stackNumbers.set(key, ++this.#stacks);
    return this.#stacks;
  }

  /** Innermost first. Empty where one function of it has no number: half a stack would blame another one. */
  #numbersOf(stack: Stack): readonly number[] {
    const numbers = (stack ?? []).map((frame) => this.#functionNumber(frame.function));
    if (numbers.includes(0)) return [];
    return numbers.map((number, index) => (stack?.[index]?.isInlined === true ? number + STACK_INLINED : number));
  }

  #functionNumber(one: FunctionDescription): number {
    const known = this.#functionNumbers.get(one);
    if (known !== undefined) return known;
    const record = encodeFunctionRecord({
      name: one.name.slice(0, MAX_TEXT),
      script: one.script.slice(0, MAX_TEXT),
      position: this.#withPositions ? one.position : null,
    });
    const number = this.#functions.append(record) ? this.#functionNumbers.size + 1 : 0;
    if (number !== 0) this.#functionNumbers.set(one, number);
    return number;
  }
}

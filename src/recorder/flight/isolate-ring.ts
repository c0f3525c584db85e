/** The logs of one isolate, and of what the ring has forgotten what later records may refer to. */
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDescriptor, type ReadDescriptor, unknownDescriptor } from "../../recording/descriptor.ts";
import { GC, HEADER, LOOP, LOOP_RECORD_BYTES } from "../../recording/spec.ts";
import { ISOLATE_LOGS } from "../../recording/trim-logs.ts";
import { AllocationMemory, type Memory, recordsFrom, SampleMemory, StackMemory, TagMemory } from "./cut.ts";
import { readMemory, writeMemory } from "./memory-file.ts";
import { type LogState, RingLog } from "./ring-log.ts";

/** How far each log was at one moment. */
export type Mark = ReadonlyMap<string, LogState>;

/** What a dump gets of one log. */
interface Piece {
  readonly suffix: string;
  readonly records: Buffer;
  /** A collection in which the process died: it stands behind the committed records. */
  readonly open?: Buffer | null;
}

const DESCRIPTOR = "json";
/** Stacks before what refers to them: then a mark forgets none that is needed. */
const IN_ORDER = ["stacks", "samples", "buffers", "gc", "heap", "loop", "phases", "tags", "alloc", "functions"];

export class IsolateRing {
  readonly id: string;
  readonly #folder: string;
  readonly #memoryPath: string;
  readonly #logs = new Map<string, RingLog>();
  readonly #stacks = new StackMemory();
  readonly #samples = new SampleMemory();
  readonly #buffers = new SampleMemory();
  readonly #tags = new TagMemory();
  readonly #allocations = new AllocationMemory();
  /** By suffix. */
  readonly #memories: Readonly<Record<string, Memory>> = {
    stacks: this.#stacks,
    samples: this.#samples,
    buffers: this.#buffers,
    tags: this.#tags,
    alloc: this.#allocations,
  };
  #descriptor: ReadDescriptor | null = null;

  constructor(folder: string, id: string) {
    this.#folder = folder;
    this.#memoryPath = join(folder, `${id}.memory.json`);
    this.id = id;
  }

  /** Opens the logs that came since. */
  look(suffixes: ReadonlySet<string>): void {
    for (const suffix of IN_ORDER) {
      const kind = ISOLATE_LOGS[suffix];
      if (kind === undefined || this.#logs.has(suffix) || !suffixes.has(suffix)) continue;
      const log = RingLog.open(join(this.#folder, `${this.id}.${suffix}`), kind);
      if (log !== null) this.#logs.set(suffix, log);
    }
  }

  log(suffix: string): RingLog | undefined {
    return this.#logs.get(suffix);
  }

  descriptor(): ReadDescriptor {
    if (this.#descriptor !== null) return this.#descriptor;
    const path = join(this.#folder, `${this.id}.${DESCRIPTOR}`);
    // Written when the isolate's collectors have started: at first it is empty.
    if (existsSync(path)) this.#descriptor = parseDescriptor(readFileSync(path, "utf8"), this.id);
    return this.#descriptor ?? unknownDescriptor(this.id);
  }

  mark(): Mark {
    const states = new Map<string, LogState>();
    for (const suffix of IN_ORDER) {
      const log = this.#logs.get(suffix);
      if (log !== undefined) states.set(suffix, log.state());
    }
    return states;
  }

  /** Bytes of records up to the mark `to` that are left when what was written before the mark `from` is forgotten. */
  bytesBetween(from: Mark | undefined, to: Mark): number {
    return [...this.#logs].reduce((sum, [suffix, log]) => sum + bytesOf(log, from?.get(suffix), to.get(suffix)), 0);
  }

  /** Is a log then still so full that the program may soon find no room in it? */
  isFullBetween(from: Mark | undefined, to: Mark): boolean {
    return [...this.#logs].some(
      ([suffix, log]) =>
        log.ringBytes > 0 && bytesOf(log, from?.get(suffix), to.get(suffix)) > MOST_OF_RING * log.ringBytes,
    );
  }

  /** Forgets what was written before `mark`. What is to be remembered is on the disk before its room is given away. */
  forget(mark: Mark): void {
    const positions = [...this.#logs].flatMap(([suffix, log]): [string, number][] => {
      const to = mark.get(suffix)?.committed ?? 0;
      // Any stack may be used again, and there mostly are few.
      const isRoomy = suffix === "stacks" && log.state().committed - log.first < MOST_OF_STACKS * log.ringBytes;
      return log.ringBytes === 0 || isRoomy || to <= log.first ? [] : [[suffix, to]];
    });
    if (positions.length === 0) return;
    for (const [suffix, to] of positions) {
      const log = this.#logs.get(suffix);
      if (log !== undefined) this.#memories[suffix]?.forget(log.read(log.first, to));
    }
    this.#stacks.forgetUnused(new Set([...this.#samples.stacks(), ...this.#buffers.stacks()]));
    const first = { ...this.#firsts(), ...Object.fromEntries(positions) };
    const memories = Object.entries(this.#memories).map(([suffix, memory]) => [suffix, memory.save()]);
    writeMemory(this.#memoryPath, { first, memories: Object.fromEntries(memories) });
    for (const [suffix, to] of positions) this.#logs.get(suffix)?.forget(to);
  }

  #firsts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#logs].map(([suffix, log]) => [suffix, log.first]));
  }

  /** Of a ring whose recorder was killed: what that had forgotten and remembered. After `look`. */
  restore(): void {
    const { first, memories } = readMemory(this.#memoryPath);
    for (const [suffix, memory] of Object.entries(this.#memories)) {
      const saved = memories[suffix];
      if (saved !== undefined) memory.restore(saved);
    }
    for (const [suffix, log] of this.#logs) log.resume(first[suffix] ?? 0);
  }

  /** Time of the first and the last record about the event loop, ns; null: there is none. */
  times(): { readonly firstNs: bigint; readonly lastNs: bigint } | null {
    const log = this.#logs.get("loop");
    if (log === undefined || log.recordBytes < LOOP_RECORD_BYTES) return null;
    const { committed } = log.state();
    if (committed <= log.first) return null;
    const timeAt = (position: number): bigint =>
      log.read(position, position + log.recordBytes).readBigUInt64LE(LOOP.timeNs);
    return { firstNs: timeAt(log.first), lastNs: timeAt(committed - log.recordBytes) };
  }

  /** Writes into `folder` what the logs hold from `fromNs` on. `since`: records that were dropped before it are not counted. */
  write(folder: string, fromNs: bigint, since: Mark | undefined): void {
    const pieces = this.#pieces(fromNs);
    // It ended before.
    if (pieces.every(({ suffix, records }) => records.length === 0 || !LIVES_BY.includes(suffix))) return;
    const descriptor = join(this.#folder, `${this.id}.${DESCRIPTOR}`);
    if (existsSync(descriptor)) copyFileSync(descriptor, join(folder, `${this.id}.${DESCRIPTOR}`));
    for (const { suffix, records, open } of pieces) {
      const log = this.#logs.get(suffix);
      if (log === undefined) continue;
      const path = join(folder, `${this.id}.${suffix}`);
      writeFileSync(
        path,
        Buffer.concat([headerOf(log, records.length, fromNs, since?.get(suffix)), records, open ?? NONE]),
      );
    }
  }

  #pieces(fromNs: bigint): readonly Piece[] {
    const pieces: Piece[] = this.#sampled(fromNs);
    for (const suffix of ["gc", "heap", "loop", "phases", "tags", "alloc", "functions"]) {
      const log = this.#logs.get(suffix);
      if (log === undefined) continue;
      const { committed } = log.state();
      const records = log.read(log.first, committed);
      if (suffix === "tags") pieces.push({ suffix, records: this.#tags.cut(records, fromNs) });
      else if (suffix === "alloc") pieces.push({ suffix, records: this.#allocations.cut(records, fromNs) });
      else if (suffix === "functions") pieces.push({ suffix, records });
      else {
        const open = suffix === "gc" ? openCollection(log, committed, fromNs) : null;
        pieces.push({ suffix, records: recordsFrom(records, log.kind, log.recordBytes, fromNs), open });
      }
    }
    return pieces;
  }

  #sampled(fromNs: bigint): Piece[] {
    const samples = this.#logs.get("samples");
    if (samples === undefined) return [];
    const cut = this.#samples.cut(kept(samples), fromNs);
    const buffers = this.#logs.get("buffers");
    const cutBuffers = buffers === undefined ? null : this.#buffers.cut(kept(buffers), fromNs);
    // Read last: what the others refer to was there before them.
    const log = this.#logs.get("stacks");
    const used = new Set([...cut.stacks, ...(cutBuffers?.stacks ?? [])]);
    const stacks = this.#stacks.cut(log === undefined ? NONE : kept(log), used);
    return [
      { suffix: "stacks", records: stacks.records },
      { suffix: "samples", records: cut.numbered(stacks.numbers) },
      ...(cutBuffers === null ? [] : [{ suffix: "buffers", records: cutBuffers.numbered(stacks.numbers) }]),
    ];
  }

  /** For an isolate that has ended, and of which nothing is wanted any more. */
  remove(): void {
    this.close();
    for (const suffix of [DESCRIPTOR, "memory.json", ...this.#logs.keys()]) {
      rmSync(join(this.#folder, `${this.id}.${suffix}`), { force: true });
    }
  }

  close(): void {
    for (const log of this.#logs.values()) log.close();
  }
}

const NONE = Buffer.alloc(0);
/** What an isolate writes as long as there is one. */
const LIVES_BY = ["gc", "heap", "loop"];
const MOST_OF_RING = 0.75;
/** Of the ring of stacks, so much may be full of them. */
const MOST_OF_STACKS = 0.5;

function bytesOf(log: RingLog, from: LogState | undefined, to: LogState | undefined): number {
  return to === undefined ? 0 : to.committed - Math.max(log.first, from?.committed ?? 0);
}

function kept(log: RingLog): Buffer {
  return log.read(log.first, log.state().committed);
}

/** The header of a log that holds so many bytes and is no ring. */
export function headerOf(log: RingLog, bytes: number, fromNs: bigint, since: LogState | undefined): Buffer {
  const header = log.header();
  const startNs = header.readBigUInt64LE(HEADER.startNs);
  const dropped = header.readBigUInt64LE(HEADER.droppedRecords) - BigInt(since?.dropped ?? 0);
  header.writeBigUInt64LE(BigInt(bytes), HEADER.committedBytes);
  header.writeBigUInt64LE(dropped > 0n ? dropped : 0n, HEADER.droppedRecords);
  header.writeBigUInt64LE(startNs > fromNs ? startNs : fromNs, HEADER.startNs);
  header.writeBigUInt64LE(0n, HEADER.firstBytes);
  header.writeBigUInt64LE(0n, HEADER.ringBytes);
  return header;
}

/** The record of a collection that has begun and not ended; null where none has. An older lap may stand there. */
export function openCollection(log: RingLog, committed: number, fromNs: bigint): Buffer | null {
  const record = log.read(committed, committed + log.recordBytes);
  if (record.length < log.recordBytes || record.readBigUInt64LE(GC.endNs) !== 0n) return null;
  return record.readBigUInt64LE(GC.startNs) >= fromNs ? record : null;
}

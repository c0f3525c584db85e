/**
 * The part of a log from a moment on, as a log of its own. Pure.
 *
 * Records refer to earlier ones by number: deaths to births, births to stacks, the ends of tags to tags, tags to names. A part whose
 * beginning is cut off is given what it refers to, under new numbers. So each kind of log has a memory, which eats the records that
 * the ring forgets and keeps what later ones may refer to.
 *
 * - An object that was sampled before the moment and had not been found dead then is a birth with its own time, before the
 *   beginning: it was retained from before.
 * - A tag that went on at the moment begins with it.
 * - What began before it and ended before it, or reached over it and is no tag, is left out.
 */
import {
  ALLOC,
  ALLOC_STRING,
  GC,
  HEAP,
  LOOP,
  LogKind,
  PHASE,
  PROCESS,
  SAMPLE,
  SAMPLE_RECORD_BYTES,
  SampleType,
  STACK,
  TAG,
  TAG_END,
  TAG_NAME,
  TAG_OPEN,
  TAG_RECORD,
} from "../../recording/spec.ts";

/** Where the time of a record stands, of the kinds that refer to nothing. */
const TIMES: Readonly<Partial<Record<LogKind, number>>> = {
  [LogKind.gc]: GC.startNs,
  [LogKind.heap]: HEAP.timeNs,
  [LogKind.loop]: LOOP.timeNs,
  [LogKind.phases]: PHASE.startNs,
  [LogKind.process]: PROCESS.timeNs,
};

/** The records that began at `fromNs` or later, of a log whose records have one length and refer to none. */
export function recordsFrom(records: Buffer, kind: LogKind, recordBytes: number, fromNs: bigint): Buffer {
  const timeAt = TIMES[kind] ?? 0;
  // In runs: there may be millions.
  const runs: Buffer[] = [];
  let from = 0;
  let at = 0;
  for (; at + recordBytes <= records.length; at += recordBytes) {
    if (records.readBigUInt64LE(at + timeAt) >= fromNs) continue;
    if (from < at) runs.push(records.subarray(from, at));
    from = at + recordBytes;
  }
  if (from < at) runs.push(records.subarray(from, at));
  return Buffer.concat(runs);
}

/** Records that begin with their own length; ends where that makes no sense. */
function* sizedRecords(records: Buffer, minimumBytes: number): Generator<Buffer> {
  for (let at = 0; at + minimumBytes <= records.length; ) {
    const length = records.readUInt32LE(at);
    if (length < minimumBytes || at + length > records.length) return;
    yield records.subarray(at, at + length);
    at += length;
  }
}

function copyOf(record: Buffer): Buffer {
  return Buffer.from(record);
}

/** A memory as it lies on the disk: what it takes to have it again where gcspike was killed. */
export interface SavedMemory {
  readonly records: readonly Buffer[];
  /** Of each record, where records do not say it themselves. */
  readonly numbers: readonly number[];
  /** Of all that had a number. */
  readonly count: number;
}

export interface Memory {
  readonly forget: (records: Buffer) => void;
  readonly save: () => SavedMemory;
  /** Of a memory that is empty. */
  readonly restore: (saved: SavedMemory) => void;
}

/** Stacks by their numbers, from 1 on. */
export class StackMemory implements Memory {
  readonly #stacks = new Map<number, Buffer>();
  #count = 0;

  save(): SavedMemory {
    return { records: [...this.#stacks.values()], numbers: [...this.#stacks.keys()], count: this.#count };
  }

  restore({ records, numbers, count }: SavedMemory): void {
    for (const [i, number] of numbers.entries()) this.#stacks.set(number, records[i] ?? Buffer.alloc(0));
    this.#count = count;
  }

  forget(records: Buffer): void {
    for (const record of sizedRecords(records, STACK.frames)) this.#stacks.set(++this.#count, copyOf(record));
  }

  /**
   * The probe gives the stacks that it knows their numbers again; when it knows so many, it forgets them all. Those of before are
   * needed no more but for the objects that still live: `used` has the numbers of their stacks.
   */
  forgetUnused(used: ReadonlySet<number>): void {
    const firstKnown = STACKS_AT_ONCE * Math.floor((this.#count - 1) / STACKS_AT_ONCE) + 1;
    for (const number of this.#stacks.keys()) {
      if (number >= firstKnown) return;
      if (!used.has(number)) this.#stacks.delete(number);
    }
  }

  /** The stacks with these numbers, from memory or out of `records`, and their new numbers. */
  cut(records: Buffer, used: ReadonlySet<number>): { readonly records: Buffer; readonly numbers: Map<number, number> } {
    const kept: Buffer[] = [];
    const numbers = new Map<number, number>();
    const keep = (number: number, record: Buffer): void => {
      if (used.has(number)) numbers.set(number, kept.push(record));
    };
    for (const [number, record] of this.#stacks) keep(number, record);
    let number = this.#count;
    for (const record of sizedRecords(records, STACK.frames)) keep(++number, record);
    return { records: Buffer.concat(kept), numbers };
  }
}

/** kSlots / 2 of native/gc-probe/stack_table.cc. */
const STACKS_AT_ONCE = 8192;

export interface CutSamples {
  /** Numbers of the stacks that they refer to. */
  readonly stacks: ReadonlySet<number>;
  /** The records, once it is known what those stacks are called. */
  readonly numbered: (stacks: ReadonlyMap<number, number>) => Buffer;
}

/** Sampled objects: births that nothing has found dead. */
export class SampleMemory implements Memory {
  readonly #living = new Map<number, Buffer>();
  /** The program took V8's sampler. */
  #yielded: Buffer | null = null;

  save(): SavedMemory {
    const yielded = this.#yielded === null ? [] : [this.#yielded];
    return { records: [...this.#living.values(), ...yielded], numbers: [], count: 0 };
  }

  restore({ records }: SavedMemory): void {
    this.forget(Buffer.concat(records));
  }

  forget(records: Buffer): void {
    for (const record of samplesIn(records)) {
      const type = record.readUInt32LE(SAMPLE.type);
      if (type === SampleType.birth) this.#living.set(numberOf(record), copyOf(record));
      else if (type === SampleType.death) this.#living.delete(numberOf(record));
      else if (type === SampleType.yielded) this.#yielded = copyOf(record);
    }
  }

  /** Numbers of the stacks of the objects that live. */
  stacks(): ReadonlySet<number> {
    return new Set([...this.#living.values()].map((record) => record.readUInt32LE(SAMPLE.stack)));
  }

  cut(records: Buffer, fromNs: bigint): CutSamples {
    const living = new Map(this.#living);
    const later: Buffer[] = this.#yielded === null ? [] : [yieldedAt(this.#yielded, fromNs)];
    for (const record of samplesIn(records)) {
      const type = record.readUInt32LE(SAMPLE.type);
      const isLater = record.readBigUInt64LE(SAMPLE.timeNs) >= fromNs;
      if (isLater) later.push(record);
      else if (type === SampleType.birth) living.set(numberOf(record), record);
      else if (type === SampleType.death) living.delete(numberOf(record));
      else if (type === SampleType.yielded) later.push(yieldedAt(record, fromNs));
    }
    const kept = [...[...living.values()].sort((a, b) => numberOf(a) - numberOf(b)), ...later];
    return {
      stacks: new Set(kept.map((record) => record.readUInt32LE(SAMPLE.stack))),
      numbered: (stacks) => renumbered(kept, stacks),
    };
  }
}

function* samplesIn(records: Buffer): Generator<Buffer> {
  for (let at = 0; at + SAMPLE_RECORD_BYTES <= records.length; at += SAMPLE_RECORD_BYTES) {
    yield records.subarray(at, at + SAMPLE_RECORD_BYTES);
  }
}

function numberOf(sample: Buffer): number {
  return Number(sample.readBigUInt64LE(SAMPLE.number));
}

function yieldedAt(record: Buffer, timeNs: bigint): Buffer {
  const moved = copyOf(record);
  moved.writeBigUInt64LE(timeNs, SAMPLE.timeNs);
  return moved;
}

function renumbered(records: readonly Buffer[], stacks: ReadonlyMap<number, number>): Buffer {
  const numbers = new Map<number, number>();
  return Buffer.concat(
    records.flatMap((record) => {
      const type = record.readUInt32LE(SAMPLE.type);
      if (type === SampleType.birth) numbers.set(numberOf(record), numbers.size + 1);
      const number = numbers.get(numberOf(record));
      if (type !== SampleType.yielded && number === undefined) return [];
      const copy = copyOf(record);
      copy.writeBigUInt64LE(BigInt(number ?? 0), SAMPLE.number);
      copy.writeUInt32LE(stacks.get(record.readUInt32LE(SAMPLE.stack)) ?? 0, SAMPLE.stack);
      return [copy];
    }),
  );
}

/** More than this many that never end are those of a program that ends none. */
const MOST_OPEN_TAGS = 10_000;

/** Names of tags, and the tags that go on. */
export class TagMemory implements Memory {
  readonly #names: Buffer[] = [];
  readonly #open = new Map<number, Buffer>();
  #count = 0;

  save(): SavedMemory {
    return { records: [...this.#open.values(), ...this.#names], numbers: [...this.#open.keys()], count: this.#count };
  }

  restore({ records, numbers, count }: SavedMemory): void {
    for (const [i, number] of numbers.entries()) this.#open.set(number, records[i] ?? Buffer.alloc(0));
    this.#names.push(...records.slice(numbers.length));
    this.#count = count;
  }

  forget(records: Buffer): void {
    for (const record of sizedRecords(records, TAG.text)) {
      const type = record.readUInt16LE(TAG.type);
      if (type === TAG_NAME) this.#names.push(copyOf(record));
      else if (type === TAG_RECORD) {
        if (isOpen(record)) this.#open.set(this.#count, copyOf(record));
        this.#count++;
      } else if (type === TAG_END) this.#open.delete(record.readUInt32LE(TAG.endedTag));
    }
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= MOST_OPEN_TAGS) return;
      this.#open.delete(oldest);
    }
  }

  cut(records: Buffer, fromNs: bigint): Buffer {
    const names = [...this.#names];
    const open = new Map(this.#open);
    const later: { readonly number: number | null; readonly record: Buffer }[] = [];
    let count = this.#count;
    for (const record of sizedRecords(records, TAG.text)) {
      const type = record.readUInt16LE(TAG.type);
      if (type === TAG_NAME) names.push(record);
      else if (type === TAG_RECORD) {
        const number = count++;
        const isBefore = record.readBigUInt64LE(TAG.timeNs) < fromNs;
        if (!isBefore) later.push({ number, record });
        else if (isOpen(record)) open.set(number, record);
        else if (endOf(record) > fromNs) later.push({ number, record: begunAt(record, fromNs) });
      } else if (type === TAG_END) {
        if (record.readBigUInt64LE(TAG.timeNs) >= fromNs) later.push({ number: null, record });
        else open.delete(record.readUInt32LE(TAG.endedTag));
      }
    }
    const numbers = new Map<number, number>();
    const begun = [...open].map(([number, record]) => ({ number, record: begunAt(record, fromNs) }));
    const tags = [...begun, ...later].flatMap(({ number, record }) => {
      if (number === null) return endedTag(record, numbers);
      numbers.set(number, numbers.size);
      return [record];
    });
    return Buffer.concat([...names, ...tags]);
  }
}

function isOpen(tag: Buffer): boolean {
  return tag.readUInt32LE(TAG.durationNs) === TAG_OPEN && tag.readUInt32LE(TAG.durationNs + 4) === TAG_OPEN;
}

function endOf(tag: Buffer): bigint {
  return tag.readBigUInt64LE(TAG.timeNs) + tag.readBigUInt64LE(TAG.durationNs);
}

/** The tag as if it had begun then; it ends when it did. */
function begunAt(tag: Buffer, timeNs: bigint): Buffer {
  const moved = copyOf(tag);
  moved.writeBigUInt64LE(timeNs, TAG.timeNs);
  if (!isOpen(tag)) moved.writeBigUInt64LE(endOf(tag) - timeNs, TAG.durationNs);
  return moved;
}

function endedTag(end: Buffer, numbers: ReadonlyMap<number, number>): readonly Buffer[] {
  const number = numbers.get(end.readUInt32LE(TAG.endedTag));
  if (number === undefined) return [];
  const copy = copyOf(end);
  copy.writeUInt32LE(number, TAG.endedTag);
  return [copy];
}

/** The texts of V8's allocation windows; the probe writes a bounded number of them. */
export class AllocationMemory implements Memory {
  readonly #strings: Buffer[] = [];

  save(): SavedMemory {
    return { records: this.#strings, numbers: [], count: 0 };
  }

  restore({ records }: SavedMemory): void {
    this.#strings.push(...records);
  }

  forget(records: Buffer): void {
    for (const record of sizedRecords(records, ALLOC.text)) {
      if (record.readUInt16LE(ALLOC.type) === ALLOC_STRING) this.#strings.push(copyOf(record));
    }
  }

  cut(records: Buffer, fromNs: bigint): Buffer {
    const strings = [...this.#strings];
    const windows: Buffer[] = [];
    for (const record of sizedRecords(records, ALLOC.text)) {
      if (record.readUInt16LE(ALLOC.type) === ALLOC_STRING) strings.push(record);
      else if (record.length >= ALLOC.nodes && record.readBigUInt64LE(ALLOC.startNs) >= fromNs) windows.push(record);
    }
    return Buffer.concat([...strings, ...windows]);
  }
}

/** What a dump has of logs whose beginning the ring has forgotten: the same as what is seen in the whole log from that moment on. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  AllocationMemory,
  type Memory,
  recordsFrom,
  SampleMemory,
  StackMemory,
  TagMemory,
} from "../../../../src/recorder/flight/cut.ts";
import { readMemory, writeMemory } from "../../../../src/recorder/flight/memory-file.ts";
import { clockAt } from "../../../../src/recording/columns.ts";
import { decodeAllocations } from "../../../../src/recording/decode-allocations.ts";
import { decodeSamples } from "../../../../src/recording/decode-samples.ts";
import { decodeTags } from "../../../../src/recording/decode-tags.ts";
import { frameOf } from "../../../../src/recording/frames.ts";
import { openLog } from "../../../../src/recording/log-reader.ts";
import {
  encodeAllocString,
  encodeAllocWindow,
  encodeLog,
  encodeLoopRecord,
  encodeSampleRecord,
  encodeStackRecord,
} from "../../../../src/recording/log-writer.ts";
import {
  type LogKind as Kind,
  LOOP_RECORD_BYTES,
  LogKind,
  SAMPLE_RECORD_BYTES,
  SampleType,
} from "../../../../src/recording/spec.ts";
import {
  encodeTag,
  encodeTagEnd,
  encodeTagName,
  tagEndRecord,
  tagRecord,
} from "../../../../src/recording/tag-records.ts";
import { atMs, START_NS } from "../../../support/recording-folder.ts";

/** What `read` makes of logs with these records. */
function decoded<T>(
  logs: Readonly<Record<string, { readonly kind: Kind; readonly records: Buffer }>>,
  read: (path: (name: string) => string) => T,
): T {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-cut-"));
  try {
    for (const [name, { kind, records }] of Object.entries(logs)) {
      const isSample = kind === LogKind.samples;
      const header = { kind, recordBytes: isSample ? SAMPLE_RECORD_BYTES : 0, pid: 1, threadId: 0, startNs: START_NS };
      writeFileSync(join(folder, name), encodeLog(header, [records]));
    }
    return read((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface SeenObject {
  readonly bornMs: number;
  readonly diedMs: number;
  readonly bytes: number;
  readonly stack: string;
}

/** The sampled objects of these logs, each with its stack as the numbers of its functions. */
function objectsOf(stacks: Buffer, samples: Buffer, startMs = 0): readonly SeenObject[] {
  const logs = {
    stacks: { kind: LogKind.stacks, records: stacks },
    samples: { kind: LogKind.samples, records: samples },
  };
  return decoded(logs, (path) => {
    const opened = {
      stacks: openLog(path("stacks"), LogKind.stacks).log,
      samples: openLog(path("samples"), LogKind.samples).log,
    };
    if (opened.samples === null) throw new Error("no log");
    const frames = Array.from({ length: 10 }, (_, i) => frameOf(`f${i}`, "", 0, 0));
    const clock = clockAt(START_NS + BigInt(startMs) * 1_000_000n);
    const found = decodeSamples({ ...opened, samples: opened.samples, buffers: null }, frames, {
      clock,
      endMs: 0,
      sampler: "exact",
    });
    expect(found.warnings).toEqual([]);
    const { count, bornMs, diedMs, bytes, stack } = found.samples.heap;
    return Array.from({ length: count }, (_, i) => ({
      bornMs: (bornMs[i] ?? Number.NaN) + startMs,
      diedMs: (diedMs[i] ?? Number.NaN) + startMs,
      bytes: bytes[i] ?? Number.NaN,
      stack: (found.allocations.stacks[stack[i] ?? -1] ?? [])
        .map((frame) => found.allocations.frames[frame]?.function)
        .join(),
    }));
  });
}

/** The memory as it comes back from the disk. */
function restored<T extends Memory>(memory: T, empty: T): T {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-memory-"));
  try {
    writeMemory(join(folder, "memory.json"), { first: {}, memories: { it: memory.save() } });
    empty.restore(readMemory(join(folder, "memory.json")).memories.it ?? expect.fail("no memory"));
    return empty;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A program's life: at each ms an object is born on one of some stacks, or one that lives dies. */
const life = fc.array(fc.record({ isDeath: fc.boolean(), pick: fc.nat(1000) }), { maxLength: 60 }).map((steps) => {
  const living: number[] = [];
  const known: number[] = [];
  const stacks: Buffer[] = [];
  const records: Buffer[] = [];
  /** How many stacks there were after each record. */
  const stacksThen: number[] = [];
  let born = 0;
  steps.forEach(({ isDeath, pick }, ms) => {
    const size = { bytes: 64n, standsFor: BigInt(1000 + ms) };
    if (isDeath && living.length > 0) {
      const [number = 0] = living.splice(pick % living.length, 1);
      records.push(
        encodeSampleRecord({ type: SampleType.death, stack: 0, timeNs: atMs(ms), number: BigInt(number), ...size }),
      );
    } else {
      if (known.length === 0 || pick % 3 === 0) known.push(stacks.push(encodeStackRecord([(pick % 9) + 1, 10])));
      const stack = known[pick % known.length] ?? 0;
      records.push(
        encodeSampleRecord({ type: SampleType.birth, stack, timeNs: atMs(ms), number: BigInt(++born), ...size }),
      );
      living.push(born);
    }
    stacksThen.push(stacks.length);
  });
  return { stacks, records, stacksThen };
});

test("objects that live at the moment are there with their own birth, those of later too, and no others", () => {
  fc.assert(
    fc.property(life, fc.nat(60), fc.nat(60), ({ stacks, records, stacksThen }, forgotten, fromMs) => {
      const first = Math.min(forgotten, fromMs, records.length);
      const firstStack = first === 0 ? 0 : (stacksThen[first - 1] ?? 0);
      const stackMemory = new StackMemory();
      const memory = new SampleMemory();
      stackMemory.forget(Buffer.concat(stacks.slice(0, firstStack)));
      memory.forget(Buffer.concat(records.slice(0, first)));
      const cut = restored(memory, new SampleMemory()).cut(Buffer.concat(records.slice(first)), atMs(fromMs));
      const cutStacks = restored(stackMemory, new StackMemory()).cut(
        Buffer.concat(stacks.slice(firstStack)),
        cut.stacks,
      );
      const whole = objectsOf(Buffer.concat(stacks), Buffer.concat(records));
      const expected = whole.filter(({ bornMs, diedMs }) => bornMs >= fromMs || diedMs >= fromMs);
      expect(objectsOf(cutStacks.records, cut.numbered(cutStacks.numbers), fromMs)).toEqual(expected);
    }),
  );
});

test("stacks that the probe may still refer to stay; of older ones those of living objects", () => {
  const memory = new StackMemory();
  memory.forget(Buffer.concat(Array.from({ length: 8192 + 3 }, (_, i) => encodeStackRecord([(i % 9) + 1]))));
  memory.forgetUnused(new Set([7]));
  const all = new Set(Array.from({ length: 9000 }, (_, i) => i));
  const { numbers } = memory.cut(Buffer.alloc(0), all);
  expect([...numbers.keys()]).toEqual([7, 8193, 8194, 8195]);
  // The number behind the last one that was forgotten goes on from there.
  expect([...memory.cut(encodeStackRecord([1]), new Set([8196])).numbers]).toEqual([[8196, 1]]);
});

test("a program that took the sampler before has taken it", () => {
  const memory = new SampleMemory();
  const yielded = {
    type: SampleType.yielded,
    stack: 0,
    timeNs: atMs(5),
    number: 0n,
    bytes: 0n,
    standsFor: 0n,
  } as const;
  memory.forget(encodeSampleRecord(yielded));
  const records = memory.cut(Buffer.alloc(0), atMs(20)).numbered(new Map());
  expect(records.equals(encodeSampleRecord({ ...yielded, timeNs: atMs(20) }))).toBe(true);
});

function tagBytes(timeMs: number, durationMs: number | null, name: number): Buffer {
  const record = tagRecord();
  encodeTag(record.view, 2, Number(atMs(timeMs)), durationMs === null ? null : durationMs * 1e6, name, 1);
  return Buffer.from(record.bytes);
}

function endBytes(timeMs: number, tag: number): Buffer {
  const record = tagEndRecord();
  encodeTagEnd(record.view, Number(atMs(timeMs)), tag, null);
  return Buffer.from(record.bytes);
}

interface SeenTag {
  readonly name: string | undefined;
  readonly fromMs: number;
  /** NaN: it went on. */
  readonly toMs: number;
}

function tagsOf(records: Buffer): readonly SeenTag[] {
  return decoded({ tags: { kind: LogKind.tags, records } }, (path) => {
    const { log } = openLog(path("tags"), LogKind.tags);
    if (log === null) throw new Error("no log");
    const { tags, warnings } = decodeTags(log, clockAt(START_NS));
    expect(warnings).toEqual([]);
    return Array.from({ length: tags.count }, (_, i) => ({
      name: tags.names[tags.name[i] ?? -1],
      fromMs: Math.round(tags.timeMs[i] ?? Number.NaN),
      toMs: Math.round((tags.timeMs[i] ?? Number.NaN) + (tags.durationMs[i] ?? Number.NaN)),
    }));
  });
}

/** At each ms: a new name, a tag that goes on, the end of one, or one that began some ms ago. */
const tagging = fc.array(fc.record({ what: fc.nat(3), pick: fc.nat(1000) }), { maxLength: 60 }).map((steps) => {
  const records: Buffer[] = [encodeTagName("first")];
  const open: number[] = [];
  let names = 1;
  let tags = 0;
  steps.forEach(({ what, pick }, ms) => {
    if (what === 0) {
      records.push(encodeTagName(`name ${names++}`));
    } else if (what === 1 && open.length > 0) {
      const [tag = 0] = open.splice(pick % open.length, 1);
      records.push(endBytes(ms, tag));
    } else if (what === 2) {
      const length = pick % (ms + 1);
      records.push(tagBytes(ms - length, length, pick % names));
      tags++;
    } else {
      records.push(tagBytes(ms, null, pick % names));
      open.push(tags++);
    }
  });
  return records;
});

test("tags that go on at the moment begin with it; later ones are as they were", () => {
  fc.assert(
    fc.property(tagging, fc.nat(60), fc.nat(60), (records, forgotten, fromMs) => {
      // Record n + 1 was written at ms n.
      const first = Math.min(forgotten, fromMs, records.length);
      const memory = new TagMemory();
      memory.forget(Buffer.concat(records.slice(0, first)));
      const keyOf = ({ name, fromMs: from, toMs }: SeenTag): string => `${String(from).padStart(4)} ${name} ${toMs}`;
      const byTime = (a: SeenTag, b: SeenTag): number => keyOf(a).localeCompare(keyOf(b));
      const expected = tagsOf(Buffer.concat(records))
        .filter(
          (tag) =>
            tag.fromMs >= fromMs ||
            Number.isNaN(tag.toMs) ||
            tag.toMs > fromMs ||
            (tag.toMs === fromMs && tag.fromMs === fromMs),
        )
        .map((tag) => ({ ...tag, fromMs: Math.max(fromMs, tag.fromMs) }));
      const found = tagsOf(restored(memory, new TagMemory()).cut(Buffer.concat(records.slice(first)), atMs(fromMs)));
      // One that ends at the very moment may be there with no length.
      const isLong = ({ fromMs: from, toMs }: SeenTag): boolean => Number.isNaN(toMs) || toMs > Math.max(from, fromMs);
      expect([...found].filter(isLong).sort(byTime)).toEqual([...expected].filter(isLong).sort(byTime));
    }),
  );
});

test("V8's windows have their texts", () => {
  const window = (ms: number, name: number): Buffer =>
    encodeAllocWindow({
      startNs: atMs(ms),
      endNs: atMs(ms + 1000),
      intervalBytes: 1024n,
      truncated: false,
      nodes: [{ parent: null, function: name, script: 0, line: 1, column: 1 }],
      entries: [{ node: 0, count: 1, objectBytes: 100 }],
    });
  const memory = new AllocationMemory();
  memory.forget(Buffer.concat([encodeAllocString("/app/a.js"), encodeAllocString("old"), window(0, 1)]));
  const rest = Buffer.concat([window(1000, 1), encodeAllocString("new"), window(2000, 2)]);
  const records = memory.cut(rest, atMs(1500));
  const functions = decoded({ alloc: { kind: LogKind.alloc, records } }, (path) => {
    const { log } = openLog(path("alloc"), LogKind.alloc);
    if (log === null) throw new Error("no log");
    const { allocations } = decodeAllocations(log, clockAt(START_NS));
    return allocations.windows.map(({ samples }) =>
      samples.map(({ stack }) => (allocations.stacks[stack] ?? []).map((frame) => allocations.frames[frame]?.function)),
    );
  });
  expect(functions).toEqual([[["new"]]]);
});

test("records that refer to nothing are those that began at the moment or later", () => {
  const loop = (ms: number): Buffer => encodeLoopRecord({ timeNs: atMs(ms), idleNs: 0n, maxBusyNs: 0n, cpuNs: 0n });
  const all = [1, 2, 3, 4].map(loop);
  const kept = recordsFrom(Buffer.concat(all), LogKind.loop, LOOP_RECORD_BYTES, atMs(3));
  expect(kept.equals(Buffer.concat(all.slice(2)))).toBe(true);
});

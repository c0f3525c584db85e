import { rmSync } from "node:fs";
import { dirname } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GcRecordFields } from "../../../src/recording/gc-log-writer.ts";
import type { IsolateData, PauseColumns, Recording } from "../../../src/recording/model.ts";
import { PAUSE_KINDS } from "../../../src/recording/model.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import { TAG_SOURCES } from "../../../src/recording/spec.ts";
import { arbitraryIsolate, SPACES } from "../../support/arbitrary-recording.ts";
import { makeRecordingFolder, PID, type RecordingFolder, START_NS } from "../../support/recording-folder.ts";

const KIND: Readonly<Record<number, number>> = { 1: 0, 2: 1, 4: 2, 8: 3, 16: 4 };
const ms = (ns: bigint) => Number(ns - START_NS) / 1e6;

async function read(content: RecordingFolder): Promise<Recording> {
  const folder = makeRecordingFolder(content);
  try {
    return await readRecording(folder);
  } finally {
    rmSync(dirname(folder), { recursive: true });
  }
}

function onlyIsolate({ isolates }: Recording): IsolateData {
  expect(isolates).toHaveLength(1);
  const [isolate] = isolates;
  if (isolate === undefined) throw new Error("no isolate");
  return isolate;
}

function expectPause(pauses: PauseColumns, i: number, record: GcRecordFields): void {
  expect(pauses.startMs[i]).toBe(ms(record.startNs));
  expect(pauses.durationMs[i]).toBe(Number(record.endNs - record.startNs) / 1e6);
  expect(pauses.kind[i]).toBe(KIND[record.kind]);
  expect(pauses.flags[i]).toBe(record.flags ?? 0);
  expect(pauses.cpuMs[i]).toBe(record.cpuNs === undefined ? Number.NaN : Number(record.cpuNs) / 1e6);
  expect(pauses.runQueueMs[i]).toBe(record.runQueueNs === undefined ? Number.NaN : Number(record.runQueueNs) / 1e6);
  expect(pauses.minorFaults[i]).toBe(record.scheduling?.minorFaults ?? Number.NaN);
  expect(pauses.majorFaults[i]).toBe(record.scheduling?.majorFaults ?? Number.NaN);
  expect(pauses.voluntarySwitches[i]).toBe(record.scheduling?.voluntarySwitches ?? Number.NaN);
  expect(pauses.involuntarySwitches[i]).toBe(record.scheduling?.involuntarySwitches ?? Number.NaN);
  const processCpuNs = record.process?.cpuNs;
  expect(pauses.processCpuMs[i]).toBe(processCpuNs === undefined ? Number.NaN : Number(processCpuNs) / 1e6);
  expect(pauses.processKernelMs[i]).toBe(
    record.process === undefined ? Number.NaN : Number(record.process.kernelNs) / 1e6,
  );
  expect(pauses.kernelMs[i]).toBe(
    record.process === undefined ? Number.NaN : Number(record.process.threadKernelNs) / 1e6,
  );
  expect(pauses.processMinorFaults[i]).toBe(record.process?.minorFaults ?? Number.NaN);
  expect(pauses.processMajorFaults[i]).toBe(record.process?.majorFaults ?? Number.NaN);
  expect(pauses.usedBefore[i]).toBe(record.heap?.usedBefore ?? Number.NaN);
  expect(pauses.usedAfter[i]).toBe(record.heap?.usedAfter ?? Number.NaN);
  expect(pauses.committedAfter[i]).toBe(record.heap?.committedAfter ?? Number.NaN);
  expect(pauses.externalBefore[i]).toBe(record.heap?.externalBefore ?? Number.NaN);
  expect(pauses.externalAfter[i]).toBe(record.heap?.externalAfter ?? Number.NaN);
  expect(pauses.mallocedAfter[i]).toBe(record.heap?.mallocedAfter ?? Number.NaN);
  expect(pauses.heapLimit[i]).toBe(record.heap?.heapLimit ?? Number.NaN);
  expect(pauses.arrayBufferBytes[i]).toBe(record.arrayBufferBytes ?? Number.NaN);
  expect(pauses.probeMs[i]).toBe((record.probeNs ?? 0) / 1e6);
  expect(pauses.promotedBytes[i]).toBe(promoted(record));
  SPACES.forEach((name, space) => {
    const column = pauses.spaces.names.indexOf(name);
    const place = i * pauses.spaces.names.length + column;
    const units = (sizes: Uint32Array) => (column === -1 ? 0 : sizes[place]);
    expect(units(pauses.spaces.usedBefore)).toBe((record.spaces?.[space]?.usedBefore ?? 0) / 8);
    expect(units(pauses.spaces.usedAfter)).toBe((record.spaces?.[space]?.usedAfter ?? 0) / 8);
    const known = column === -1 ? 0 : (record.spaces?.[space]?.committedAfter ?? 0) / 8;
    expect(units(pauses.spaces.committedAfter)).toBe(known);
  });
}

/** Growth of all but new_space, which is the first. */
function promoted({ kind, spaces }: GcRecordFields): number {
  if (kind !== 1 || spaces === undefined) return Number.NaN;
  return Math.max(
    0,
    spaces.slice(1).reduce((sum, space) => sum + space.usedAfter - space.usedBefore, 0),
  );
}

describe("what is written is read", () => {
  test("every field of every pause, for any recording", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryIsolate, async (content) => {
        const recording = await read({ isolates: [content] });
        const isolate = onlyIsolate(recording);
        expect(isolate.pauses.count).toBe(content.gc?.length);
        content.gc?.forEach((record, i) => {
          expectPause(isolate.pauses, i, record);
        });
        expect(isolate.warnings).toEqual([]);
        expect(recording.complete).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("phases in order of start, outer ones first", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryIsolate, async (content) => {
        const { phases } = onlyIsolate(await read({ isolates: [content] }));
        const expected = [...(content.phases ?? [])]
          .sort((a, b) => Number(a.startNs - b.startNs) || a.depth - b.depth)
          .map(({ startNs, durationNs, name, depth }) => [ms(startNs), Number(durationNs) / 1e6, name, depth]);
        const found = Array.from({ length: phases?.count ?? 0 }, (_, i) => [
          phases?.startMs[i],
          phases?.durationMs[i],
          phases?.name[i],
          phases?.depth[i],
        ]);
        expect(found).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test("tags by when they began, with the end and the name that came later", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryIsolate, async (content) => {
        const { tags, warnings } = onlyIsolate(await read({ isolates: [content] }));
        const expected = (content.tags ?? [])
          .toSorted((a, b) => Number(a.startNs - b.startNs))
          .map(({ startNs, durationNs = 0, endNs, name, endName, source, weight }) => [
            ms(startNs),
            endNs === undefined ? durationNs / 1e6 : endNs === null ? Number.NaN : ms(endNs) - ms(startNs),
            content.tagNames?.[endName ?? name],
            source,
            weight,
          ]);
        const found = Array.from({ length: tags?.count ?? 0 }, (_, i) => [
          tags?.timeMs[i],
          tags?.durationMs[i],
          tags?.names[tags.name[i] ?? -1],
          TAG_SOURCES[tags?.source[i] ?? -1],
          tags?.weight[i],
        ]);
        expect(found).toEqual(expected);
        expect(warnings).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("heap, event loop and process samples", async () => {
    const recording = await read({
      isolates: [
        {
          id: `${PID}-0`,
          spaces: SPACES,
          gc: [],
          heap: [100, 200].map((at) => ({
            timeNs: START_NS + BigInt(at) * 1_000_000n,
            used: BigInt(at) * 1000n,
            committed: 2n ** 40n,
            limit: 4_345_298_944n,
            external: 7n,
            malloced: 8n,
            arrayBuffers: at === 100 ? null : 9n,
            spaces: SPACES.map((_, space) => ({ used: 8 * (at + space), committed: 0 })),
          })),
          loop: [
            { timeNs: START_NS + 100_000_000n, idleNs: 0n, maxBusyNs: 5_000_000n, cpuNs: 0n },
            { timeNs: START_NS + 200_000_000n, idleNs: 75_000_000n, maxBusyNs: 6_000_000n, cpuNs: 50_000_000n },
          ],
        },
      ],
      processes: {
        [PID]: [0n, 1n].map((i) => ({
          timeNs: START_NS + i * 100_000_000n,
          rss: 10n + i,
          cpuNs: i * 150_000_000n,
          minorFaults: 1n,
          majorFaults: 2n + i,
          involuntarySwitches: 3n + i,
        })),
      },
    });
    const { heap, loop } = onlyIsolate(recording);
    expect([...heap.timeMs]).toEqual([100, 200]);
    expect([...heap.used]).toEqual([100_000, 200_000]);
    expect([...heap.committed]).toEqual([2 ** 40, 2 ** 40]);
    expect([...heap.limit]).toEqual([4_345_298_944, 4_345_298_944]);
    expect([...heap.arrayBuffers]).toEqual([Number.NaN, 9]);
    expect([...heap.spaceUsed]).toEqual([800, 808, 816, 1600, 1608, 1616]);
    expect([...loop.utilization]).toEqual([Number.NaN, 0.25]);
    expect([...loop.maxDelayMs]).toEqual([5, 6]);
    expect([...loop.cpuShare]).toEqual([Number.NaN, 0.5]);
    const [system] = recording.processes;
    expect(system?.pid).toBe(PID);
    expect([...(system?.rss ?? [])]).toEqual([10, 11]);
    expect([...(system?.cpuShare ?? [])]).toEqual([Number.NaN, 1.5]);
    expect([...(system?.majorFaults ?? [])]).toEqual([2, 3]);
    expect([...(system?.involuntarySwitches ?? [])]).toEqual([3, 4]);
  });

  test("a pause inside another is part of it, in whichever order they are written", async () => {
    const pause = (kind: number, from: number, to: number): GcRecordFields => ({
      kind,
      startNs: START_NS + BigInt(from),
      endNs: START_NS + BigInt(to),
    });
    const inner = pause(1, 2_000_000, 4_000_000);
    const outer = pause(4, 2_000_000, 9_000_000);
    const later = pause(1, 20_000_000, 21_000_000);
    for (const gc of [
      [inner, outer, later],
      [later, outer, inner],
    ]) {
      const { pauses } = onlyIsolate(await read({ isolates: [{ id: `${PID}-0`, gc }] }));
      expect([...pauses.startMs]).toEqual([2, 20]);
      expect([...pauses.durationMs]).toEqual([7, 1]);
      expect([...pauses.kind].map((kind) => PAUSE_KINDS[kind])).toEqual(["mark-compact", "scavenge"]);
    }
  });
});

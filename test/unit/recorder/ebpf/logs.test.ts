/** What is written reads back: pauses with reasons, steps, allocations with stacks, and a collection that had no end. */
import { mkdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { analyse } from "../../../../src/analysis/analyse.ts";
import { IsolateLogs } from "../../../../src/recorder/ebpf/isolate-logs.ts";
import type { TracedPause } from "../../../../src/recorder/ebpf/thread-history.ts";
import { startingManifest } from "../../../../src/recorder/starting-manifest.ts";
import { writeManifest } from "../../../../src/recording/manifest.ts";
import { PAUSE_KINDS } from "../../../../src/recording/model.ts";
import { readRecording } from "../../../../src/recording/read-recording.ts";
import type { IsolateDescriptor } from "../../../../src/recording/spec.ts";
import { temporaryFolder } from "../../../support/cli.ts";
import { bytesByFunction } from "../../../support/traced.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const START_NS = 1_000_000_000;
const MS = 1e6;
const load = { function: { name: "load", script: "/nowhere/load.js", position: 3 }, isInlined: false };
const make = { function: { name: "makeBuffer", script: "/nowhere/load.js", position: 100 }, isInlined: false };
const inlined = { ...make, isInlined: true };
const alloc = { function: { name: "alloc", script: "node:buffer", position: 9 }, isInlined: false };

function descriptor(): IsolateDescriptor {
  return {
    schema: "gcspike.isolate/1",
    id: "77-0",
    pid: 77,
    parentPid: 0,
    threadId: 0,
    name: "load.js",
    kind: "process",
    script: "load.js",
    node: "v24.21.0",
    v8: "",
    arch: "x64",
    platform: "linux",
    execArgv: [],
    startNs: String(START_NS),
    processSpace: null,
    heapLimitBytes: null,
    semiSpaceBytes: null,
    collectors: ["allocations", "ebpf"],
    sampler: "ebpf",
    warnings: [],
  };
}

function pause(startMs: number, endMs: number, changes: Partial<TracedPause> = {}): TracedPause {
  return {
    thread: 77,
    kind: 1,
    nestedKinds: 0,
    nestedCount: 0,
    flags: 0,
    startNs: startMs * MS,
    endNs: endMs * MS,
    cpuNs: 2 * MS,
    runQueueNs: MS,
    voluntarySwitches: 0,
    involuntarySwitches: 2,
    minorFaults: 3,
    majorFaults: 0,
    reason: 1,
    stack: [inlined, make, load],
    ...changes,
  };
}

/** A recording of one isolate; its clock is that of the events, a second later. */
function written(name: string, fill: (logs: IsolateLogs) => void, withAllocations = true): string {
  const path = join(folder.path, name);
  mkdirSync(path);
  const options = { collector: "ebpf", phases: false, allocations: true, liveHeap: false, cpu: false } as const;
  const manifest = startingManifest(["node", "load.js"], { ...options, spikeMs: 10, redacted: false });
  writeManifest(path, {
    ...manifest,
    pid: 77,
    startNs: String(START_NS),
    endNs: String(START_NS + 5e9),
    state: "finished",
  });
  const logs = new IsolateLogs(path, descriptor(), {
    ns: (traceNs) => BigInt(Math.round(traceNs) + START_NS),
    withAllocations,
    withPositions: true,
  });
  fill(logs);
  return path;
}

test("pauses, steps and allocations", async () => {
  const path = written("whole.gcspike", (logs) => {
    logs.pause(pause(100, 104));
    logs.pause(pause(200, 201, { kind: 8, reason: 7, stack: [] }));
    logs.step({ thread: 77, startNs: 210 * MS, endNs: 213 * MS });
    logs.pause(pause(300, 320, { kind: 4, reason: 9, cpuNs: null, nestedKinds: 16, nestedCount: 1 }));
    logs.pause(pause(400, 401, { kind: 16, reason: null }));
    logs.flush();
    logs.pause(pause(500, 501, { kind: 4, reason: 99 }));
    logs.allocation({
      thread: 77,
      of: "buffer",
      atNs: 600 * MS,
      bytes: 65536,
      standsForBytes: 65536,
      stack: [alloc, inlined, load],
    });
    logs.allocation({
      thread: 77,
      of: "buffer",
      atNs: 700 * MS,
      bytes: 65536,
      standsForBytes: 3 * 65536,
      stack: [alloc, make, load],
    });
    logs.allocation({ thread: 77, of: "large", atNs: 650 * MS, bytes: 400_000, standsForBytes: 400_000, stack: null });
    logs.close(null);
  });
  const recording = await readRecording(path);
  expect(recording).toMatchObject({ complete: true, warnings: [] });
  const [main] = recording.isolates;
  if (main === undefined) throw new Error("no isolate");
  const { pauses, reasons, phases } = main;
  const all = Array.from({ length: pauses.count }, (_, i) => [
    PAUSE_KINDS[pauses.kind[i] ?? -1],
    pauses.startMs[i],
    pauses.durationMs[i],
    reasons[pauses.reason[i] ?? -1] ?? null,
  ]);
  expect(all).toEqual([
    ["scavenge", 100, 4, "allocation failure"],
    ["incremental-start", 200, 1, "external memory pressure"],
    ["mark-compact", 300, 20, "finalize incremental marking via task"],
    ["weak-callbacks", 400, 1, null],
    ["mark-compact", 500, 1, null],
  ]);
  expect(Array.from(pauses.cpuMs)).toEqual([2, 2, Number.NaN, 2, 2]);
  expect(pauses.runQueueMs[0]).toBe(1);
  expect(pauses.minorFaults[0]).toBe(3);
  expect(pauses.usedBefore[0]).toBeNaN();
  expect(main.triggerStacks[pauses.triggerStack[0] ?? -1]?.map((frame) => frame.function)).toEqual([
    "makeBuffer",
    "load",
  ]);
  expect(phases?.names[phases.name[2] ?? -1]).toBe("V8.GC_MC_INCREMENTAL");
  expect(main.samples).toMatchObject({ isExact: false, hasDeaths: false, heap: { count: 1 }, buffers: { count: 2 } });
  expect([...bytesByFunction(main)]).toEqual([
    ["makeBuffer", 4 * 65536],
    ["", 400_000],
  ]);
  const report = analyse(recording);
  expect(report.summary.outsidePausesMs).toBe(3);
  expect(report.spikes).toHaveLength(1);
  expect(report.spikes[0]?.phases).toEqual([]);
  const missing = report.spikes[0]?.evidence.find(({ signal }) => signal === "missing")?.text;
  expect(missing).toBe("Not measured: CPU time, heap sizes, V8's phases.");
});

test("a collection in which the program ended", async () => {
  const path = written("died.gcspike", (logs) => {
    logs.pause(pause(100, 104));
    logs.close({ thread: 77, kind: 4, startNs: 900 * MS });
  });
  const { complete, isolates } = await readRecording(path);
  expect(complete).toBe(false);
  expect(isolates[0]?.pauses.count).toBe(1);
  expect(isolates[0]?.openPause).toEqual({ startMs: 900, kind: "mark-compact" });
});

test("without allocations", async () => {
  const path = written("pauses.gcspike", (logs) => logs.close(null), false);
  expect((await readRecording(path)).isolates[0]).toMatchObject({ allocations: null, samples: null });
});

test("cut while it grows, it has what was there", async () => {
  const path = written("cut.gcspike", (logs) => {
    for (let i = 0; i < 10; i++) logs.pause(pause(100 * i, 100 * i + 1));
    logs.flush();
  });
  const log = join(path, "77-0.gc");
  truncateSync(log, readFileSync(log).length - 100);
  expect((await readRecording(path)).isolates[0]?.pauses.count).toBe(9);
});

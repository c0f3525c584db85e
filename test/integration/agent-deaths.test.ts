/** However a process, a worker or an event loop ends or stalls, everything up to then is in the recording. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { analyse } from "../../src/analysis/analyse.ts";
import { NODES } from "../support/nodes.ts";
import {
  fixture,
  isolateOf,
  type Pause,
  pausesOf,
  type Recorded,
  type Started,
  Workplace,
} from "../support/recorded.ts";

const MIB = 1024 ** 2;
const workplace = new Workplace();
afterAll(() => {
  expect(workplace.filesInCwd()).toEqual([]);
  workplace.remove();
});

/** The program's own process; `start` starts gcspike around it. */
function pidOf({ path }: Started): number {
  const { pid }: { pid: number } = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"));
  return pid;
}

/** Collections that the program asked for, which finish what they begin: V8 may do other things before. */
function asked(recorded: Recorded, isolate = "main"): readonly Pause[] {
  const pauses = pausesOf(isolateOf(recorded.recording, isolate), recorded.recording);
  return pauses.filter(({ kind, forced }) => kind === "mark-compact" && forced);
}

/** What fixtures/agent/dying.cjs printed last. */
function lastPrinted(stdout: string): { readonly count: number; readonly ns: number } {
  const [count, ns] = (stdout.trimEnd().split("\n").at(-1) ?? "").split(" ").map(Number);
  return { count: count ?? Number.NaN, ns: ns ?? Number.NaN };
}

describe.each(NODES)("$version", ({ path }) => {
  const dying = (way: string): readonly string[] => [path, "--expose-gc", fixture("dying.cjs"), way, "12"];

  test("kill -9 in the middle", async () => {
    const started = workplace.start(dying("never"));
    await started.running.waitFor("\n12 ");
    process.kill(pidOf(started), "SIGKILL");
    const recorded = await started.recorded();
    const { count, ns } = lastPrinted(recorded.stdout);
    expect(recorded.code).toBe(137);
    expect(count).toBeGreaterThanOrEqual(12);
    expect(recorded.recording.complete).toBe(false);
    expect(recorded.recording.manifest.exit).toEqual({ code: null, signal: "SIGKILL" });
    // Killed between the collection and the print, or inside the next collection.
    expect(asked(recorded).filter(({ endNs }) => endNs <= ns)).toHaveLength(count);
    expect(analyse(recorded.recording, { spikeMs: 10 }).summary.pauses.count).toBeGreaterThanOrEqual(count);
  });

  test.each([
    ["process.exit", "exit", 9, true],
    ["an exception that nobody catches", "throw", 1, true],
    ["abort", "abort", 134, false],
    ["a signal to itself", "kill-self", 137, false],
  ])("%s in the middle", async (_name, way, code, complete) => {
    const recorded = await workplace.record(dying(way));
    expect(recorded.code).toBe(code);
    expect(lastPrinted(recorded.stdout).count).toBe(12);
    expect(asked(recorded)).toHaveLength(12);
    const { pauses, phases, reasons, allocations, warnings } = isolateOf(recorded.recording, "main");
    expect(recorded.recording.complete).toBe(complete);
    expect(warnings).toEqual([]);
    expect(reasons).toContain("testing");
    expect(phases?.names).toContain("MajorGC");
    // The last window is written where the process ends in order.
    if (complete) expect(allocations?.windows.at(-1)?.endMs).toBeGreaterThan(pauses.startMs.at(-1) ?? Number.NaN);
  });

  test("killed inside a collection", async () => {
    // Nearly all of its time passes inside collections: that ten kills all miss them is out of the question.
    for (let attempt = 1; ; attempt++) {
      const started = workplace.start([path, "--expose-gc", fixture("long-pauses.cjs")]);
      await started.running.waitFor("collecting\ncollecting\n");
      process.kill(pidOf(started), "SIGKILL");
      const { recording } = await started.recorded();
      const { openPause, pauses } = isolateOf(recording, "main");
      expect(recording.complete).toBe(false);
      if (openPause === null && attempt < 10) continue;
      expect(openPause?.kind).toBe("mark-compact");
      expect(openPause?.startMs).toBeGreaterThan((pauses.startMs.at(-1) ?? 0) + (pauses.durationMs.at(-1) ?? 0));
      break;
    }
  });

  test("out of memory", async () => {
    const recorded = await workplace.record([path, "--max-old-space-size=40", fixture("oom.cjs")]);
    expect(recorded.code).toBe(134);
    expect(recorded.recording.complete).toBe(false);
    const { pauses, openPause, warnings } = isolateOf(recorded.recording, "main");
    expect(warnings).toEqual([]);
    // What V8 prints when it gives up: its last collections, with the heap before and after in MiB.
    const printed = Array.from(
      recorded.stderr.matchAll(/Mark-Compact.*? ([\d.]+) \([\d.]+\) -> ([\d.]+) \([\d.]+\) MB/g),
      ([, before, after]) => `${Number(before)} ${Number(after)}`,
    );
    expect(printed.length).toBeGreaterThan(0);
    const inMib = (bytes = Number.NaN): number => Number((bytes / MIB).toFixed(1));
    const sizes = Array.from(pauses.usedAfter, (after, i) => `${inMib(pauses.usedBefore[i])} ${inMib(after)}`);
    // It may give up at the very end of a collection, before it tells anyone that the collection is over.
    const finished = openPause === null ? printed : printed.slice(0, -1);
    for (const pair of finished) expect(sizes).toContain(pair);
  });

  test("workers that throw, exit, return and are terminated", async () => {
    const recorded = await workplace.record([path, "--expose-gc", fixture("dying-workers.cjs")]);
    expect(recorded.code).toBe(0);
    expect(recorded.recording.complete).toBe(true);
    for (const name of ["throws", "exits", "returns"]) {
      expect(recorded.stdout).toContain(`${name} 5\n`);
      expect(asked(recorded, name)).toHaveLength(5);
    }
    expect(recorded.stdout).toContain("terminated exit 1\n");
    expect(asked(recorded, "terminated").length).toBeGreaterThanOrEqual(5);
    for (const isolate of recorded.recording.isolates) {
      expect(isolate.warnings).toEqual([]);
      expect(isolate.openPause).toBeNull();
      expect(isolate.allocations?.windows.at(-1)?.endMs).toBeGreaterThan(isolate.pauses.startMs.at(-1) ?? 0);
    }
  });

  test("an event loop that is blocked for two seconds", async () => {
    const recorded = await workplace.record([path, fixture("blocked.cjs")]);
    const { heap, loop, allocations, pauses } = isolateOf(recorded.recording, "main");
    const [fromMs = Number.NaN, untilMs = Number.NaN] = recorded.stdout
      .split(" ")
      .map((ns) => (Number(ns) - Number(recorded.recording.manifest.startNs)) / 1e6);
    const during = (timeMs: number): boolean => timeMs > fromMs && timeMs < untilMs;
    // Ten a second, of which a busy machine may skip most.
    expect(heap.timeMs.filter(during).length).toBeGreaterThanOrEqual(8);
    expect(loop.timeMs.filter(during).length).toBeGreaterThanOrEqual(8);
    expect(pauses.startMs.filter(during).length).toBeGreaterThan(3);
    const windows = allocations?.windows ?? [];
    expect(windows.filter(({ endMs }) => during(endMs)).length).toBeGreaterThanOrEqual(1);
    // An event that came at the block's beginning waited until its end.
    expect(Math.max(...loop.maxDelayMs)).toBeGreaterThanOrEqual(untilMs - fromMs);
    // While it lasts, the delay grows from sample to sample; the first one may still tell of what was before.
    const growing = loop.maxDelayMs.filter((_, i) => during(loop.timeMs[i] ?? 0)).slice(1);
    expect([...growing]).toEqual([...growing].sort((a, b) => a - b));
  });
});

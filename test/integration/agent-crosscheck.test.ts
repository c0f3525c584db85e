/** What the probe recorded is what PerformanceObserver and --trace-gc of the same process say, on every Node version. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { parseTraceGc, type TracedCollection, unknownLines } from "../../bench/lib/trace-gc.mjs";
import type { IsolateData, Recording } from "../../src/recording/model.ts";
import { GcType } from "../../src/recording/spec.ts";
import { NODES } from "../support/nodes.ts";
import { fixture, isolateOf, median, type Pause, pausesOf, Workplace } from "../support/recorded.ts";

/** Two clocks are read one after the other, and performance.now() has the precision of a double: far less than this. */
const CLOCKS_NS = 20_000;
/** --trace-gc counts whole milliseconds. */
const PRINTED_MS = 2;
const KINDS: Readonly<Record<number, Pause["kind"]>> = {
  [GcType.scavenge]: "scavenge",
  [GcType.minorMarkSweep]: "minor-mark-sweep",
  [GcType.markCompact]: "mark-compact",
  [GcType.incrementalMarking]: "incremental-start",
  [GcType.weakCallbacks]: "weak-callbacks",
};

interface Observed {
  readonly fromNs: number;
  readonly untilNs: number;
  readonly entries: readonly (readonly [kind: number, startNs: number, durationNs: number])[];
}

const workplace = new Workplace();
afterAll(() => workplace.remove());

describe.each(NODES)("$version", ({ path }) => {
  test("every entry of a PerformanceObserver is a recorded pause, and every pause an entry", async () => {
    const output = workplace.path("observed");
    const { recording, code } = await workplace.record([path, "--expose-gc", fixture("observed.cjs"), output]);
    expect(code).toBe(0);
    for (const [which, thread] of [
      ["main", 0],
      ["second", 1],
    ] as const) {
      const seen: Observed = JSON.parse(readFileSync(`${output}-${thread}.json`, "utf8"));
      const pauses = pausesOf(isolateOf(recording, which), recording).filter(
        ({ startNs }) => startNs >= seen.fromNs && startNs <= seen.untilNs,
      );
      const entries = seen.entries.filter(([, startNs]) => startNs <= seen.untilNs + CLOCKS_NS);
      expect(pauses.length).toBeGreaterThan(12);
      expect(pauses.map(({ kind }) => kind)).toEqual(entries.map(([kind]) => KINDS[kind]));
      const pairs = pauses.map((pause, i) => {
        const [, startNs = 0, durationNs = 0] = entries[i] ?? [];
        return { start: startNs - pause.startNs, end: startNs + durationNs - pause.endNs };
      });
      // V8 calls the probe first, before and after each collection: whatever the machine does meanwhile, its times are the
      // earlier ones.
      for (const { start, end } of pairs) {
        expect(start).toBeGreaterThan(-CLOCKS_NS);
        expect(end).toBeGreaterThan(-CLOCKS_NS);
      }
      expect(median(pairs.map(({ start }) => start))).toBeLessThan(1e6);
      expect(median(pairs.map(({ end }) => end))).toBeLessThan(1e6);
    }
  });

  test("--trace-gc prints the collections that are recorded, kind by kind", async () => {
    const output = workplace.path("observed");
    const command = [path, "--expose-gc", "--trace-gc", fixture("observed.cjs"), output];
    const { recording, stdout } = await workplace.record(command);
    expect(unknownLines(stdout)).toEqual([]);
    const printed = parseTraceGc(stdout);
    // The main thread collects before it starts the worker.
    const isMain = ({ isolate }: TracedCollection): boolean => isolate === printed[0]?.isolate;
    const main = collections(isolateOf(recording, "main"), recording);
    expect(main.map(({ kind }) => kind)).toEqual(printed.filter(isMain).map(({ kind }) => kind));

    // A worker boots before it loads any JavaScript of ours: what it collects until then is V8's and Node's own.
    const worker = isolateOf(recording, "second");
    const workerPrinted = printed.filter((line) => !isMain(line));
    const workerRecorded = collections(worker, recording);
    const early = workerPrinted.length - workerRecorded.length;
    expect(workerRecorded.map(({ kind }) => kind)).toEqual(workerPrinted.slice(early).map(({ kind }) => kind));
    const clockMs = median(workerRecorded.map(({ endNs }, i) => endNs / 1e6 - (workerPrinted[early + i]?.atMs ?? 0)));
    const probeStartedMs = Number(recording.manifest.startNs) / 1e6 + (worker.heap.timeMs[0] ?? 0);
    for (const { atMs } of workerPrinted.slice(0, early)) {
      expect(atMs + clockMs).toBeLessThan(probeStartedMs + PRINTED_MS);
    }
  });
});

/** What --trace-gc prints a line for. */
function collections(isolate: IsolateData, recording: Recording): readonly Pause[] {
  return pausesOf(isolate, recording).filter(({ kind }) => kind !== "incremental-start" && kind !== "weak-callbacks");
}

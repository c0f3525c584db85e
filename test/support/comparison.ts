/** Comparisons for tests: columns of recordings from lines of text. */
import { type Column, runOf } from "../../src/analysis/run.ts";
import type { MeasuredWorkload, Recording } from "../../src/recording/model.ts";
import { buildComparisonView, type ComparisonView } from "../../src/report/compare-view.ts";
import { type RunPictures, runPictures } from "../../src/report/run-pictures.ts";
import { type RecordingOptions, recording } from "./timeline.ts";

/** Its runs, by column. */
export type Story = Readonly<Record<string, readonly Recording[]>>;

export function columnsOf(story: Story): readonly Column[] {
  return Object.entries(story).map(([name, runs]) => ({ name, runs: runs.map((run) => runOf(run)) }));
}

export function comparisonOf(story: Story): ComparisonView {
  return buildComparisonView(columnsOf(story));
}

export function picturesOf(story: Story): readonly (readonly RunPictures[])[] {
  return Object.values(story).map((runs) => runs.map(runPictures));
}

export function workload(
  options: MeasuredWorkload["options"],
  values: Readonly<Record<string, number>>,
): MeasuredWorkload {
  const metrics = Object.entries(values).map(([metric, value]) => ({
    metric,
    unit: metric === "throughput" ? "1/s" : "ms",
    better: metric === "throughput" ? ("higher" as const) : ("lower" as const),
    value,
  }));
  return { schema: "gcspike.workload/1", name: "txpool", options, metrics, measured: null };
}

const program = (mode: string, run: number, timeline: string, latency: number): Recording =>
  recording(timeline, {
    path: `/tmp/${mode}-${run}.gcspike`,
    command: ["node", "txpool.js", "--mode", mode],
    workload: workload({ mode, tps: 10_000 }, { throughput: 10_000 - latency, "latency.p99": latency }),
  });

const many = (unit: string, times: number): string => unit.repeat(times);

/** What `compare --workload` makes: three modes of three runs each. */
export function modes(): Story {
  return {
    pooled: [1, 2, 3].map((run) => program("pooled", run, many(".s.s-M.", 60) + many(".", run), 40 + run)),
    naive: [1, 2, 3].map((run) => program("naive", run, many(".s.sM=.", 147) + many(".", run), 50 + run)),
    mmap: [1, 2, 3].map((run) => program("mmap", run, many(".....s.", 159) + many(".", run), 2 + run / 10)),
  };
}

/** Two single recordings that differ in everything. */
export function strangers(): Story {
  const other: RecordingOptions = {
    path: "/tmp/after.gcspike",
    command: ["node", "other.js"],
    complete: false,
    machine: { cpus: 8, cpuModel: "Other CPU", memoryBytes: 2 ** 35, platform: "darwin" },
  };
  return { before: [recording(many(".s", 300))], after: [recording("-".repeat(50), other)] };
}

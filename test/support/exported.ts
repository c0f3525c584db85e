/** Recordings that exports are made from, with the report of each. */
import { analyse } from "../../src/analysis/analyse.ts";
import type { ExportInput } from "../../src/export/export-input.ts";
import type { AllocationWindow, Recording } from "../../src/recording/model.ts";
import { STORIES } from "./stories.ts";
import { frame, isolate, recording, type SampledObjects, type SampleSpec, samples, tagColumns } from "./timeline.ts";

const SERVE = "(root) > listen@server.js:3 > handle@src/orders.js:12";
const KIB = 1024;

/** Every 20 ms an object that dies young, every 100 ms one that is kept, every 250 ms a Buffer. */
function objects(endMs: number): SampledObjects {
  const every = (ms: number, of: (at: number) => SampleSpec) =>
    Array.from({ length: Math.floor(endMs / ms) }, (_, i) => of(i * ms));
  return samples(
    [
      ...every(20, (at) => ({
        stack: `${SERVE} > parse@src/parse.js:7`,
        bornMs: at,
        diedMs: at + 30,
        bytes: 600.4 * KIB,
        objects: 9.6,
      })),
      ...every(100, (at) => ({
        stack: `${SERVE} > hydrate@src/session.js:48`,
        bornMs: at,
        bytes: 512.2 * KIB,
        objects: 4.2,
      })),
      ...every(350, (at) => ({ stack: "(root)", bornMs: at, bytes: 700 * KIB })),
    ],
    {
      buffers: every(250, (at) => ({
        stack: `${SERVE} > Buffer.alloc@node:buffer:400`,
        bornMs: at,
        diedMs: at + 400,
        bytes: KIB * KIB,
      })),
    },
  );
}

/** In windows of a second, as the reader makes them of samples. */
function inWindows({ samples: { heap }, allocations }: SampledObjects, endMs: number): SampledObjects["allocations"] {
  const windows = Array.from({ length: Math.ceil(endMs / 1000) }, (_, second): AllocationWindow => {
    const sums = new Map<number, { objects: number; bytes: number }>();
    for (let i = 0; i < heap.count; i++) {
      if (Math.floor((heap.bornMs[i] ?? 0) / 1000) !== second) continue;
      const sum = sums.get(heap.stack[i] ?? -1) ?? { objects: 0, bytes: 0 };
      sums.set(heap.stack[i] ?? -1, {
        objects: sum.objects + (heap.objects[i] ?? 0),
        bytes: sum.bytes + (heap.bytes[i] ?? 0),
      });
    }
    return {
      startMs: second * 1000,
      endMs: Math.min(endMs, second * 1000 + 1000),
      samples: Array.from(sums, ([stack, { objects: count, bytes }]) => ({ stack, objects: Math.round(count), bytes })),
      truncated: false,
    };
  });
  return { ...allocations, windows };
}

/** A server with everything that a recording can hold: spikes, steps, sampled objects, requests at once, and a worker. */
function everything(): Recording {
  const timeline = "--s.-s-.i.=====.====.M.-s--s-----s-s";
  const { endMs } = isolate(timeline, { durationMs: { 1: 14 } });
  const sampled = objects(endMs);
  return recording([
    isolate(timeline, {
      durationMs: { 1: 14 },
      samples: sampled,
      allocations: inWindows(sampled, endMs),
      triggerStack: [frame("hydrate@src/session.js:48"), frame("handle@src/orders.js:12")],
      tags: tagColumns([
        { name: "GET /orders/:id", at: [100, 120, 140, 500], durationMs: 90, source: "http" },
        { name: "nightly", at: [10], durationMs: 900, source: "measure" },
        { name: "flush", at: [50, 700], source: "mark" },
      ]),
    }),
    isolate("--s-s---s--M---s", { threadId: 1, name: "image-worker", startMs: 50 }),
    isolate("-s-", { pid: 200, kind: "child", name: "child.js", collector: "perf_hooks", phases: false }),
  ]);
}

export const EXPORT_STORIES: Readonly<Record<string, () => Recording>> = { ...STORIES, everything };

export function exportInput(story: string): ExportInput {
  const told = EXPORT_STORIES[story];
  if (told === undefined) throw new Error(`no story ${story}`);
  const made = told();
  return { recording: made, report: analyse(made, { spikeMs: 10 }) };
}

/** What the report says of all isolates. */
export function pauseTotals({ report }: ExportInput): { readonly count: number; readonly totalMs: number } {
  const { count, totalMs } = report.summary.pauses;
  return { count, totalMs };
}

/** Bytes of all windows of all isolates. */
export function allocatedBytes({ recording: { isolates } }: ExportInput): number {
  const windows = isolates.flatMap(({ allocations }) => allocations?.windows ?? []);
  return windows.flatMap((window) => window.samples).reduce((sum, { bytes }) => sum + bytes, 0);
}

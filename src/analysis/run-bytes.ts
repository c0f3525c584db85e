/** What one isolate allocated over its whole run, by the stack that allocated it. Pure. */
import type { IsolateData, SampleColumns } from "../recording/model.ts";
import { lowerBound } from "./intervals.ts";
import { bytesOfWindows, type StackBytes } from "./stack-bytes.ts";

/** Bytes that were allocated, that survived a collection, or that are kept at the end. */
export type RunMeasure = "allocated" | "survived" | "kept";

/** By measure; null where it was not recorded: without sampled objects nobody knows what died. */
export type RunBytes = Readonly<Record<RunMeasure, StackBytes | null>>;

type Sums = Readonly<Record<RunMeasure, Map<number, number>>>;

type Isolate = Pick<IsolateData, "allocations" | "samples" | "pauses">;

export function runBytes(isolate: Isolate): RunBytes {
  const { samples, allocations } = isolate;
  if (samples === null || !samples.hasDeaths) {
    return { allocated: bytesOfWindows(allocations?.windows ?? []), survived: null, kept: null };
  }
  const sums: Sums = { allocated: new Map(), survived: new Map(), kept: new Map() };
  for (const columns of [samples.heap, samples.buffers]) if (columns !== null) addSamples(sums, columns, isolate);
  return sums;
}

function addSamples(sums: Sums, { count, bornMs, diedMs, bytes, stack }: SampleColumns, { pauses }: Isolate): void {
  const add = (measure: RunMeasure, i: number): void => {
    const sum = sums[measure];
    const index = stack[i] ?? -1;
    sum.set(index, (sum.get(index) ?? 0) + (bytes[i] ?? 0));
  };
  for (let i = 0; i < count; i++) {
    // Before the recording began, in a flight recorder's dump: retained, not allocated here.
    const isOlder = (bornMs[i] ?? 0) < 0;
    if (!isOlder) add("allocated", i);
    // Of what was born after the last collection nobody knows.
    const next = pauses.startMs[lowerBound(pauses.startMs, bornMs[i] ?? 0, pauses.count)];
    const died = diedMs[i] ?? 0;
    if (next === undefined || died <= next) continue;
    if (!isOlder) add("survived", i);
    if (died === Number.POSITIVE_INFINITY) add("kept", i);
  }
}

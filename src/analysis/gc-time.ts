/** When the main thread of an isolate was at garbage collection: in pauses, and outside them. */
import type { IsolateData, PauseColumns } from "../recording/model.ts";
import { IntervalBuilder, type Intervals, union } from "./intervals.ts";
import { outsidePauses } from "./outside-pauses.ts";

export interface GcTime {
  /** The time over which this isolate was observed; every pause lies inside. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly pauses: Intervals;
  /** Incremental marking, sweeping and other work between pauses; null where no phases were recorded. */
  readonly outside: Intervals | null;
  /** Both. */
  readonly stops: Intervals;
}

export function gcTime(isolate: IsolateData): GcTime {
  const pauses = pauseIntervals(isolate.pauses);
  const outside = isolate.phases === null ? null : outsidePauses(pauses, isolate.phases);
  const stops = outside === null ? pauses : union(pauses, outside);
  return {
    fromMs: Math.min(isolate.startMs, stops.startMs[0] ?? isolate.startMs),
    toMs: Math.max(isolate.endMs, stops.endMs[stops.count - 1] ?? isolate.endMs),
    pauses,
    outside,
    stops,
  };
}

function pauseIntervals(pauses: PauseColumns): Intervals {
  const builder = new IntervalBuilder();
  for (let i = 0; i < pauses.count; i++) {
    const start = pauses.startMs[i] ?? 0;
    builder.add(start, start + (pauses.durationMs[i] ?? 0));
  }
  return builder.finish();
}

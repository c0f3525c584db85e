/** Isolates with what every part of the analysis asks of them. */
import type { IsolateData, Recording } from "../recording/model.ts";
import { GcHistory } from "./gc-history.ts";
import { type GcTime, gcTime } from "./gc-time.ts";

export interface ObservedIsolate {
  readonly isolate: IsolateData;
  /** The process's other isolates. */
  readonly others: readonly IsolateData[];
  readonly time: GcTime;
  readonly history: GcHistory;
}

export function observe({ isolates }: Recording): readonly ObservedIsolate[] {
  return isolates.map((isolate) => ({
    isolate,
    others: isolates.filter((other) => other !== isolate && other.pid === isolate.pid),
    time: gcTime(isolate),
    history: new GcHistory(isolate),
  }));
}

/** Isolates with what every part of the analysis asks of them. */
import type { IsolateData, ProcessColumns, Recording } from "../recording/model.ts";
import { GcHistory } from "./gc-history.ts";
import { type GcTime, gcTime } from "./gc-time.ts";

export interface ObservedIsolate {
  readonly isolate: IsolateData;
  /** The process's other isolates. */
  readonly others: readonly IsolateData[];
  /** Null: not recorded. */
  readonly process: ProcessColumns | null;
  readonly time: GcTime;
  readonly history: GcHistory;
}

export function observe({ isolates, processes }: Recording): readonly ObservedIsolate[] {
  return isolates.map((isolate) => ({
    isolate,
    others: isolates.filter((other) => other !== isolate && other.pid === isolate.pid),
    process: processes.find(({ pid }) => pid === isolate.pid) ?? null,
    time: gcTime(isolate),
    history: new GcHistory(isolate),
  }));
}

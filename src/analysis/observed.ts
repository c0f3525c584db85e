/** An isolate with what every part of the analysis asks of it. */
import type { IsolateData } from "../recording/model.ts";
import { GcHistory } from "./gc-history.ts";
import { type GcTime, gcTime } from "./gc-time.ts";

export interface ObservedIsolate {
  readonly isolate: IsolateData;
  readonly time: GcTime;
  readonly history: GcHistory;
}

export function observe(isolate: IsolateData): ObservedIsolate {
  return { isolate, time: gcTime(isolate), history: new GcHistory(isolate) };
}

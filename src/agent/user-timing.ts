/**
 * performance.mark and performance.measure, as the program calls them. They are wrapped: a PerformanceObserver would double what
 * a mark costs, keep every entry until the event loop gets to it, and lose those that it has not delivered when the process ends.
 */
import type { Performance } from "node:perf_hooks";
import { TAG_SOURCES } from "../recording/spec.ts";
import { replace } from "./replace.ts";
import { type Stop, stopAll } from "./stop.ts";
import type { TagLog } from "./tag-log.ts";

const MARK = TAG_SOURCES.indexOf("mark");
const MEASURE = TAG_SOURCES.indexOf("measure");

interface TimingEntry {
  readonly name: string;
  readonly startTime: number;
  readonly duration: number;
}

type TimingFunction = (...words: unknown[]) => TimingEntry;

export function followUserTiming(performance: Performance, log: Pick<TagLog, "span">): Stop {
  let isOn = true;
  const methods = Object.getPrototypeOf(performance) as Record<string, unknown>;
  const follow = (method: string, source: number): Stop => {
    const original = methods[method];
    if (typeof original !== "function") return () => {};
    const followed = new Proxy(original as TimingFunction, {
      apply: (target, self, words) => {
        const entry = Reflect.apply(target, self, words);
        try {
          if (isOn) log.span(source, entry.name, entry.startTime, entry.duration);
        } catch {
          // The program changed what entries are: it gets its own all the same.
        }
        return entry;
      },
    });
    return replace(methods, method, followed);
  };
  const stops = [follow("mark", MARK), follow("measure", MEASURE)];
  return () => {
    isOn = false;
    stopAll(stops);
  };
}

/** Starts recording what the program is doing: its marks and measures, its tags, its HTTP requests, the labels of its contexts. */
import { builtin } from "./builtin.ts";
import { followContexts } from "./contexts.ts";
import { type Stop, stopAll } from "./stop.ts";
import { type Channels, followChannels } from "./tag-channels.ts";
import { type AppendTag, TagLog } from "./tag-log.ts";
import { TagLogs } from "./tag-logs.ts";
import { followUserTiming } from "./user-timing.ts";

type Performance = typeof import("node:perf_hooks").performance;

/**
 * Of all recordings of this isolate. What the program calls is replaced once for all of them, so that any of them can end first and the
 * program's own functions are back after the last.
 */
const calls = new TagLogs();
let stopCalls: Stop = () => {};

function followCalls(performance: Performance, log: TagLog): Stop {
  if (calls.isEmpty) {
    const { AsyncLocalStorage } = builtin<typeof import("node:async_hooks")>("node:async_hooks");
    const { types } = builtin<typeof import("node:util")>("node:util");
    const stops = [followUserTiming(performance, calls), followContexts(AsyncLocalStorage, types, calls)];
    stopCalls = () => stopAll(stops);
  }
  calls.add(log);
  return () => {
    calls.remove(log);
    if (calls.isEmpty) stopCalls();
  };
}

/** `isRing`: see TagLog. */
export function startTags(append: AppendTag, isRing: boolean): Stop {
  const { performance } = builtin<typeof import("node:perf_hooks")>("node:perf_hooks");
  const channels = builtin<Channels>("node:diagnostics_channel");
  // Node's own, whatever the program puts in its place.
  const nowMs = performance.now.bind(performance);
  const originNs = Number(process.hrtime.bigint()) - nowMs() * 1e6;
  const log = new TagLog(append, nowMs, originNs, isRing);
  const stops = [followCalls(performance, log), followChannels(channels, log)];
  return () => stopAll(stops);
}

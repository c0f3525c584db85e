/** Starts recording what the program is doing: its marks and measures, its tags, its HTTP requests, the labels of its contexts. */
import { builtin } from "./builtin.ts";
import { followContexts } from "./contexts.ts";
import { followChannels, type Subscribe } from "./tag-channels.ts";
import { type AppendTag, TagLog } from "./tag-log.ts";
import { followUserTiming } from "./user-timing.ts";

export function startTags(append: AppendTag): void {
  const { performance } = builtin<typeof import("node:perf_hooks")>("node:perf_hooks");
  const { subscribe } = builtin<{ readonly subscribe: Subscribe }>("node:diagnostics_channel");
  // Node's own, whatever the program puts in its place.
  const nowMs = performance.now.bind(performance);
  const originNs = Number(process.hrtime.bigint()) - nowMs() * 1e6;
  const log = new TagLog(append, nowMs, originNs);
  followUserTiming(performance, log);
  followChannels(subscribe, log);
  const { AsyncLocalStorage } = builtin<typeof import("node:async_hooks")>("node:async_hooks");
  followContexts(AsyncLocalStorage, builtin<typeof import("node:util")>("node:util").types, log);
}

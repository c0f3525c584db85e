/**
 * V8 has one heap sampler an isolate, and tells nobody who asks for a second one. A program that wants it gets it: ours
 * stops for good just before, and the recording says from when on allocations are unknown.
 */
// The module itself: a namespace would be a copy whose properties nobody else sees.
import workerThreads from "node:worker_threads";
import { builtin, isFromSnapshot } from "./builtin.ts";
import { replace } from "./replace.ts";
import { type Stop, stopAll } from "./stop.ts";

/** Of this isolate, or of the worker with this thread id. */
export type YieldSampler = (threadId?: number) => void;

type Method<T> = (this: T, ...words: never[]) => unknown;

/** Calls `first` before each call of a method; the method looks as it did. */
function before<T extends object, K extends keyof T>(
  owner: T,
  name: K,
  first: (self: unknown, words: readonly unknown[]) => void,
): Stop {
  const original = owner[name];
  if (typeof original !== "function") return () => {};
  const watched = new Proxy(original as Method<T>, {
    apply: (target, self, words: never[]) => {
      first(self, words);
      return Reflect.apply(target, self, words) as unknown;
    },
  });
  return replace(owner, name, watched as T[K]);
}

interface InspectorBinding {
  readonly Connection?: { readonly prototype: { dispatch?: (message: string) => void } };
}

/** process.binding warns under --pending-deprecation. */
function warnsOfBinding(): boolean {
  const { NODE_OPTIONS = "", NODE_PENDING_DEPRECATION } = process.env;
  const words = [...process.execArgv, NODE_OPTIONS].join(" ").replaceAll("_", "-");
  return NODE_PENDING_DEPRECATION === "1" || words.includes("--pending-deprecation");
}

/** node:inspector's sessions come here. Loading that module for this would cost every program 3 ms. */
function watchInspector(yieldSampler: YieldSampler): Stop {
  const { binding } = process as unknown as { binding?: (name: string) => InspectorBinding };
  if (binding === undefined || warnsOfBinding()) return () => {};
  const prototype = binding("inspector").Connection?.prototype;
  if (prototype === undefined) return () => {};
  return before(prototype, "dispatch", (_self, [message]) => {
    if (typeof message === "string" && message.includes("HeapProfiler.startSampling")) yieldSampler();
  });
}

/** v8.startHeapProfile came with Node 26, that of workers with Node 24. */
function watchHeapProfiles(yieldSampler: YieldSampler): Stop {
  const stops: Stop[] = [];
  if (Number.parseInt(process.versions.node, 10) >= 24 && !isFromSnapshot) {
    const v8 = builtin<{ startHeapProfile?: unknown }>("node:v8");
    stops.push(before(v8, "startHeapProfile", () => yieldSampler()));
  }
  const { prototype } = workerThreads.Worker as unknown as { prototype: { startHeapProfile?: unknown } };
  stops.push(
    before(prototype, "startHeapProfile", (worker) => yieldSampler((worker as { threadId: number }).threadId)),
  );
  return () => stopAll(stops);
}

/** Profilers with native code of their own (@datadog/pprof and what is built on it) ask V8 directly. */
function watchAddons(yieldSampler: YieldSampler): Stop {
  return before(process as { dlopen?: unknown }, "dlopen", (_self, [, file]) => {
    if (typeof file === "string" && /pprof/.test(file)) yieldSampler();
  });
}

/** What cannot be watched here is not; recording goes on. */
export function yieldSamplerToProgram(yieldSampler: YieldSampler): Stop {
  const stops: Stop[] = [];
  for (const watch of [watchInspector, watchHeapProfiles, watchAddons]) {
    try {
      stops.push(watch(yieldSampler));
    } catch {
      // The permission model, for example, has no process.binding.
    }
  }
  return () => stopAll(stops);
}

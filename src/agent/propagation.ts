/**
 * Workers and child processes inherit NODE_OPTIONS and are recorded by themselves, unless the program gives them an
 * environment of its own. These two functions add what is missing then, and change nothing otherwise.
 */
import * as childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
// The module itself: a namespace would be a copy whose properties nobody else sees.
import workerThreads from "node:worker_threads";
import { passWorkerName, RECORDING_VARIABLE } from "./options.ts";

interface WorkerOptions {
  readonly env?: unknown;
  readonly execArgv?: readonly string[];
}

/** `--require <preload>` for a worker whose environment lacks it; the same options otherwise. */
export function withPreload(options: unknown, preload: string): unknown {
  if (typeof options !== "object" || options === null) return options;
  const { env, execArgv } = options as WorkerOptions;
  if (typeof env !== "object" || env === null) return options;
  const nodeOptions: unknown = (env as Record<string, unknown>).NODE_OPTIONS;
  if (typeof nodeOptions === "string" && nodeOptions.includes(preload)) return options;
  return { ...options, execArgv: [...(execArgv ?? process.execArgv), "--require", preload] };
}

export function followWorkers(preload: string): void {
  workerThreads.Worker = new Proxy(workerThreads.Worker, {
    construct: (worker, [file, options, ...rest]: unknown[], newTarget) => {
      passWorkerName((options as { readonly name?: unknown } | null | undefined)?.name);
      return Reflect.construct(worker, [file, withPreload(options, preload), ...rest], newTarget) as object;
    },
  });
  syncBuiltinESMExports();
}

/** The environment of a child ("NAME=value" each) with our two variables, where it has none of them. */
export function withRecording(pairs: readonly string[], folder: string, nodeOptions: string): readonly string[] {
  if (pairs.some((pair) => pair.startsWith(`${RECORDING_VARIABLE}=`))) return pairs;
  const own = pairs.find((pair) => pair.startsWith("NODE_OPTIONS="))?.slice("NODE_OPTIONS=".length) ?? "";
  return [
    ...pairs.filter((pair) => !pair.startsWith("NODE_OPTIONS=")),
    `${RECORDING_VARIABLE}=${folder}`,
    `NODE_OPTIONS=${nodeOptions} ${own}`.trimEnd(),
  ];
}

interface SpawnOptions {
  envPairs?: readonly string[];
}

export function followChildren(folder: string, preload: string): void {
  const prototype = childProcess.ChildProcess.prototype as unknown as { spawn?: (options: SpawnOptions) => unknown };
  const original = prototype.spawn;
  if (typeof original !== "function") return;
  const require = `--require "${preload.replaceAll(/["\\]/g, "\\$&")}"`;
  prototype.spawn = function spawn(options: SpawnOptions): unknown {
    if (Array.isArray(options?.envPairs)) options.envPairs = withRecording(options.envPairs, folder, require);
    return original.call(this, options);
  };
}

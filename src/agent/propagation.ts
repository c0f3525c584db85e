/**
 * Workers and child processes inherit NODE_OPTIONS and are recorded by themselves, unless the program gives them an
 * environment of its own. These functions add what is missing then, and change nothing otherwise.
 */
import { syncBuiltinESMExports } from "node:module";
// The module itself: a namespace would be a copy whose properties nobody else sees.
import workerThreads from "node:worker_threads";
import { builtin, isFromSnapshot } from "./builtin.ts";
import { RECORDING_VARIABLE, tellWorker } from "./options.ts";

/** What makes a process, or a worker, part of the recording. */
export interface Membership {
  readonly folder: string;
  /** The part of NODE_OPTIONS that loads the agent. */
  readonly agentOption: string;
}

export function membership(folder: string, preload: string): Membership {
  return { folder, agentOption: `--require "${preload.replaceAll(/["\\]/g, "\\$&")}"` };
}

type Environment = Readonly<Record<string, unknown>>;

/**
 * A worker's options, with NODE_OPTIONS that load the agent where its environment lacks them; the same object otherwise.
 * `execArgv` would not do: what the worker inherits from the process may stand in none that is given.
 */
export function withAgent(options: unknown, { agentOption }: Membership): unknown {
  if (typeof options !== "object" || options === null) return options;
  const { env } = options as { readonly env?: unknown };
  if (typeof env !== "object" || env === null) return options;
  const own = (env as Environment).NODE_OPTIONS ?? "";
  if (typeof own !== "string" || own.includes(agentOption)) return options;
  return { ...options, env: { ...env, NODE_OPTIONS: `${agentOption} ${own}`.trimEnd() } };
}

/** The NODE_OPTIONS that the program gave a worker, "" for none; undefined where they are what the worker gets. */
function nodeOptionsBefore(options: unknown, given: unknown): string | undefined {
  if (options === given) return undefined;
  const own = (options as { readonly env: Environment }).env.NODE_OPTIONS;
  return typeof own === "string" ? own : "";
}

function followWorkers(to: Membership): void {
  const original = workerThreads.Worker;
  const followed = new Proxy(original, {
    construct: (worker, [file, options, ...rest]: unknown[], newTarget) => {
      const given = withAgent(options, to);
      tellWorker({
        name: (options as { readonly name?: unknown } | null | undefined)?.name,
        nodeOptions: nodeOptionsBefore(options, given),
      });
      return Reflect.construct(worker, [file, given, ...rest], newTarget) as object;
    },
  });
  Object.defineProperty(original.prototype, "constructor", { value: followed, writable: true, configurable: true });
  workerThreads.Worker = followed;
}

/** The variables that make a child with these two part of the recording; null where it is, or belongs to another one. */
function lackingVariables(
  recording: unknown,
  nodeOptions: unknown,
  { folder, agentOption }: Membership,
): Readonly<Record<string, string>> | null {
  if (recording !== undefined && recording !== folder) return null;
  const own = typeof nodeOptions === "string" ? nodeOptions : "";
  const isLoaded = own.includes(agentOption);
  if (isLoaded && recording === folder) return null;
  return {
    [RECORDING_VARIABLE]: folder,
    NODE_OPTIONS: isLoaded ? own : `${agentOption} ${own}`.trimEnd(),
  };
}

/** The environment of a child ("NAME=value" each) with our two variables; the same object where it needs none. */
export function withRecording(pairs: readonly string[], to: Membership): readonly string[] {
  const find = (name: string): string | undefined =>
    pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  const lacking = lackingVariables(find(RECORDING_VARIABLE), find("NODE_OPTIONS"), to);
  if (lacking === null) return pairs;
  const others = pairs.filter((pair) => !(pair.slice(0, pair.indexOf("=")) in lacking));
  return [...others, ...Object.entries(lacking).map(([name, value]) => `${name}=${value}`)];
}

/** The same for an environment that is an object, of which Node takes inherited properties too. */
export function withRecordingObject(env: unknown, to: Membership): unknown {
  if (typeof env !== "object" || env === null) return env;
  const { [RECORDING_VARIABLE]: recording, NODE_OPTIONS: nodeOptions } = env as Environment;
  const lacking = lackingVariables(recording, nodeOptions, to);
  if (lacking === null) return env;
  const copy: Record<string, unknown> = {};
  for (const name in env) copy[name] = (env as Environment)[name];
  return Object.assign(copy, lacking);
}

interface SpawnOptions {
  envPairs?: readonly string[];
}

type ChildProcessModule = typeof import("node:child_process");

/** fork, spawn, exec and execFile all come here. */
function followChildren(childProcess: ChildProcessModule, to: Membership): void {
  const prototype = childProcess.ChildProcess.prototype as unknown as { spawn?: (options: SpawnOptions) => unknown };
  const original = prototype.spawn;
  if (typeof original !== "function") return;
  prototype.spawn = function spawn(options: SpawnOptions): unknown {
    if (Array.isArray(options?.envPairs)) options.envPairs = withRecording(options.envPairs, to);
    return original.call(this, options);
  };
}

type AnyFunction = (...words: never[]) => unknown;

/** A function that looks like `original` and gives it other arguments. */
function withArguments<F extends AnyFunction>(original: F, change: (words: readonly unknown[]) => unknown[]): F {
  return new Proxy(original, {
    apply: (target, self, words: unknown[]) => Reflect.apply(target, self, change(words)) as unknown,
  });
}

/**
 * The arguments of execSync, execFileSync or spawnSync with what the child lacks; the same where it lacks nothing. `takesArguments`:
 * a list of arguments may stand before the options.
 */
export function withRecordedOptions(
  words: readonly unknown[],
  takesArguments: boolean,
  inherited: Environment,
  to: Membership,
): readonly unknown[] {
  const at = takesArguments && (words[1] === undefined || words[1] === null || Array.isArray(words[1])) ? 2 : 1;
  const options = words[at];
  // Anything else is an error, which Node's own function names.
  if (options !== undefined && options !== null && typeof options !== "object") return words;
  const env = (options as { readonly env?: unknown } | null | undefined)?.env || inherited;
  const recorded = withRecordingObject(env, to);
  if (recorded === env) return words;
  const changed = [...words];
  changed[at] = { ...options, env: recorded };
  return changed;
}

/** Functions that reach Node's own without a ChildProcess. process.execve came with Node 22.15. */
function followOtherChildren(childProcess: ChildProcessModule, to: Membership): void {
  const follow = (takesArguments: boolean) => (words: readonly unknown[]) => [
    ...withRecordedOptions(words, takesArguments, process.env, to),
  ];
  childProcess.execSync = withArguments(childProcess.execSync, follow(false));
  childProcess.execFileSync = withArguments(childProcess.execFileSync, follow(true));
  childProcess.spawnSync = withArguments(childProcess.spawnSync, follow(true));
  if (!("execve" in process)) return;
  process.execve = withArguments(process.execve, ([file, words, env = process.env]) => [
    file,
    words,
    withRecordingObject(env, to),
  ]);
}

/** Makes the workers and the children of this isolate part of the recording. */
export function followDescendants(folder: string, preload: string): void {
  const to = membership(folder, preload);
  followWorkers(to);
  if (!isFromSnapshot) {
    const childProcess = builtin<ChildProcessModule>("node:child_process");
    followChildren(childProcess, to);
    followOtherChildren(childProcess, to);
  }
  syncBuiltinESMExports();
}

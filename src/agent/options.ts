/** Where the recording is, and what the recorder wants recorded. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import workerThreads, { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import type { AgentOptions } from "../recording/spec.ts";

export const RECORDING_VARIABLE = "GCSPIKE_RECORDING";
/** Environment data that workers inherit: the folder, for those with an environment of their own; what tellWorker says. */
const FOLDER_KEY = "gcspike.recording";
const NAME_KEY = "gcspike.worker-name";
const NODE_OPTIONS_KEY = "gcspike.node-options";

export interface OpenRecording {
  readonly folder: string;
  readonly options: AgentOptions;
}

function recordingFolder(): string | null {
  const fromEnvironment = process.env[RECORDING_VARIABLE];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
  const fromParent: unknown = isMainThread ? undefined : getEnvironmentData(FOLDER_KEY);
  return typeof fromParent === "string" ? fromParent : null;
}

/** null where nothing records. Throws where the folder cannot be read. */
export function openRecording(): OpenRecording | null {
  const folder = recordingFolder();
  if (folder === null) return null;
  const recording = readOptions(folder);
  if (recording !== null) setEnvironmentData(FOLDER_KEY, folder);
  return recording;
}

/** null where the folder is none of this version's. Throws where it cannot be read. */
export function readOptions(folder: string): OpenRecording | null {
  const options = JSON.parse(readFileSync(join(folder, "agent.json"), "utf8")) as AgentOptions;
  return options.schema === "gcspike.agent/1" ? { folder, options } : null;
}

/**
 * Tells the worker that is created next its name, which before Node 22.20 and 24.6 it cannot find out by itself, and the
 * NODE_OPTIONS that it would have without us: "" for none, undefined where it has them.
 */
export function tellWorker(worker: { readonly name: unknown; readonly nodeOptions: string | undefined }): void {
  setEnvironmentData(NAME_KEY, typeof worker.name === "string" ? worker.name : "");
  setEnvironmentData(NODE_OPTIONS_KEY, worker.nodeOptions);
}

/** The `name` option that this worker was created with, "" without one. */
export function workerName(): string {
  const name: unknown = getEnvironmentData(NAME_KEY);
  return typeof name === "string" ? name : "";
}

/**
 * The name that this worker was given; "" for a process. Before Node 22.20 and 24.6 a worker cannot find out its own: then "", too, unless
 * a gcspike that was there first has told it.
 */
export function ownName(): string {
  const { threadName } = workerThreads as { readonly threadName?: unknown };
  if (isMainThread) return "";
  if (typeof threadName !== "string") return workerName();
  // Node's, for a worker without one.
  return threadName === "WorkerThread" ? "" : threadName;
}

/** Gives a worker the environment that the program gave it: the agent is loaded. */
export function restoreNodeOptions(): void {
  const before: unknown = isMainThread ? undefined : getEnvironmentData(NODE_OPTIONS_KEY);
  if (typeof before !== "string") return;
  if (before === "") delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = before;
}

/** Where the recording is, and what the recorder wants recorded. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import type { AgentOptions } from "../recording/spec.ts";

export const RECORDING_VARIABLE = "GCSPIKE_RECORDING";
/** Environment data that workers inherit: the folder, for those with an environment of their own, and their name. */
const FOLDER_KEY = "gcspike.recording";
const NAME_KEY = "gcspike.worker-name";

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
  const options = JSON.parse(readFileSync(join(folder, "agent.json"), "utf8")) as AgentOptions;
  if (options.schema !== "gcspike.agent/1") return null;
  setEnvironmentData(FOLDER_KEY, folder);
  return { folder, options };
}

/** Tells the worker that is created next its name: before Node 22.20 and 24.6 it cannot find it out by itself. */
export function passWorkerName(name: unknown): void {
  setEnvironmentData(NAME_KEY, typeof name === "string" ? name : "");
}

/** The `name` option that this worker was created with, "" without one. */
export function workerName(): string {
  const name: unknown = getEnvironmentData(NAME_KEY);
  return typeof name === "string" ? name : "";
}

/**
 * What gcspike loads through the inspector into a program that runs already, in each of its isolates. Loaded again for the next
 * recording, Node gives the same module.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { ATTACHED_FILE, type AttachAnswer, MOST_RECORDINGS } from "../recording/spec.ts";
import { recordedInto } from "./gc-probe.ts";
import { ownName, readOptions } from "./options.ts";
import { followWorkers } from "./reach-workers.ts";
import { sayExit } from "./say-exit.ts";
import { startIsolate } from "./start-isolate.ts";
import type { Stop } from "./stop.ts";

/**
 * Records this isolate, and the workers that it has and gets, into `folder` until its recorder wants no more. Returns an AttachAnswer
 * as JSON; never throws.
 */
export function attach(folder: string): string {
  let answer: AttachAnswer;
  try {
    answer = start(folder);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    answer = { state: "failed", reason };
  }
  return JSON.stringify(answer);
}

function start(folder: string): AttachAnswer {
  const recording = readOptions(folder);
  if (recording === null) return { state: "failed", reason: "its agent.json is of another version" };
  // A worker may come to this long after the recorder has gone.
  if (statSync(join(folder, ATTACHED_FILE)).size === 0) return { state: "failed", reason: "the recording is over" };
  const folders = recordedInto(recording.options.probeFolder);
  if (folders.includes(folder)) return { state: "recording" };
  if (folders.length === MOST_RECORDINGS) return { state: "full", folders };
  const stops: Stop[] = [];
  startIsolate(recording, ownName(), stops);
  if (recording.options.ring && isMainThread) stops.push(sayExit(folder));
  stops.push(followWorkers(recording, __filename));
  return { state: "recording" };
}

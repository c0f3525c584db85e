/**
 * Loads the agent into worker threads that exist already, and into those that this process creates later: most programs got hold of
 * the Worker class before gcspike came. The probe has each worker do so by itself, on its own thread; an inspector session, which
 * would reach them from here, aborts a program whose worker is just ending (native/gc-probe/worker_reach.h).
 */
import { dirname, sep } from "node:path";
import { isMainThread, type Worker } from "node:worker_threads";
import { workerFunction } from "../recording/attach-expression.ts";
import { type WorkerProbe, workerProbe } from "./gc-probe.ts";
import type { OpenRecording } from "./options.ts";
import type { Stop } from "./stop.ts";

function reach(probe: WorkerProbe, agent: string, folder: string): Stop {
  const number = probe.reachWorkers(workerFunction(agent, folder), dirname(agent) + sep);
  return () => probe.leaveWorkers(number);
}

/** `agent`: path of the file to load. Throws where the probe cannot be loaded. */
export function followWorkers({ folder, options }: OpenRecording, agent: string): Stop {
  const probe = workerProbe(options.probeFolder);
  // What is loaded into a worker before it is online keeps it from getting there.
  const created = (worker: Worker): void => {
    worker.once("online", probe.askWorkers);
  };
  process.on("worker", created);
  const leave = isMainThread && probe.canReachWorkers() ? reach(probe, agent, folder) : () => {};
  return () => {
    process.off("worker", created);
    leave();
  };
}

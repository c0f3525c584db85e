/** The workload's worker threads are programs of their own, which the build puts into dist/workload/. */
import { join } from "node:path";
import { Worker, type WorkerOptions } from "node:worker_threads";
import { packageRoot } from "../../lib/package.ts";

/** Where the build puts what runs in a thread of its own: `make-arrivals`, `verify-signatures`. */
export function startWorker(program: string, workerData: WorkerOptions["workerData"]): Worker {
  return new Worker(join(packageRoot(), "dist/workload", `${program}.js`), { workerData });
}

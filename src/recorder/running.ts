/** Which processes may still write to a recording: files that are mapped into one must not shrink under it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../lib/is-alive.ts";
import { processSpace } from "../lib/process-space.ts";
import { parseDescriptor } from "../recording/descriptor.ts";
import { trimLogs } from "../recording/trim-logs.ts";

/** A process ended some time before this notices it. */
const TRIM_INTERVAL_MS = 2000;

/** Does an isolate of this process say that its numbers are those of another container or machine? */
function isElsewhere(folder: string, pid: number): boolean {
  const own = processSpace();
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${pid}-`) && name.endsWith(".json"))
    .some((name) => {
      const descriptor = parseDescriptor(readFileSync(join(folder, name), "utf8"), name.slice(0, -".json".length));
      return descriptor !== null && descriptor.processSpace !== null && descriptor.processSpace !== own;
    });
}

/** May the process of this number, which recorded into `folder`, still be running? Processes of another container may. */
export function mayRun(folder: string): (pid: number) => boolean {
  const elsewhere = new Map<number, boolean>();
  return (pid) => {
    if (isAlive(pid)) return true;
    const known = elsewhere.get(pid) ?? isElsewhere(folder, pid);
    elsewhere.set(pid, known);
    return known;
  };
}

/**
 * While the program runs, cuts the logs of its processes that have ended: each takes megabytes more room than it has content,
 * and a program may start thousands. Returns what stops it.
 */
export function trimMeanwhile(folder: string): () => void {
  const done = new Set<number>();
  const trim = (): void => {
    const running = mayRun(folder);
    const ended: number[] = [];
    try {
      trimLogs(folder, (pid) => {
        if (done.has(pid) || running(pid)) return true;
        ended.push(pid);
        return false;
      });
    } catch {
      // The folder is gone, or somebody took the right to it away: the end of the recording says so.
    }
    for (const pid of ended) done.add(pid);
  };
  const timer = setInterval(trim, TRIM_INTERVAL_MS);
  return () => clearInterval(timer);
}

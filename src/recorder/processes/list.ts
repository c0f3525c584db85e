/** The Node processes of this machine. */
import type { NodeProcess } from "./node-process.ts";
import { procProcesses } from "./proc.ts";
import { psProcesses } from "./ps.ts";

/** Those that this user may see, but this process and what it started. `named`: processes that are wanted whatever they are called. */
export async function nodeProcesses(named: ReadonlySet<number>): Promise<readonly NodeProcess[]> {
  const all = process.platform === "linux" ? procProcesses(named) : await psProcesses(named);
  return all.filter(({ pid, parentPid }) => pid !== process.pid && parentPid !== process.pid);
}

/** Which files a recording folder holds, by their names. */
import { readdirSync } from "node:fs";

const ISOLATE_FILE =
  /^(\d{1,10}-\d{1,10}(?:\.\d{1,10})?)\.(json|gc|heap|loop|tags|phases|functions|stacks|samples|buffers|alloc|alloc\.pb\.gz)$/;
const PROCESS_FILE = /^(\d{1,10})\.process$/;

export interface RecordingFiles {
  /** Suffixes of the files that an isolate has, by isolate id. */
  readonly isolates: ReadonlyMap<string, ReadonlySet<string>>;
  /** Process ids that have a .process log. */
  readonly processes: readonly number[];
}

/** Throws what the file system throws. */
export function listRecording(folder: string): RecordingFiles {
  const isolates = new Map<string, Set<string>>();
  const processes: number[] = [];
  for (const name of readdirSync(folder).sort()) {
    const [, id, suffix] = ISOLATE_FILE.exec(name) ?? [];
    if (id !== undefined && suffix !== undefined) isolates.set(id, (isolates.get(id) ?? new Set()).add(suffix));
    const pid = PROCESS_FILE.exec(name)?.[1];
    if (pid !== undefined) processes.push(Number(pid));
  }
  return { isolates, processes };
}

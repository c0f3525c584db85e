import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes the folder `path` (absolute) and those above it that are missing. Returns the topmost one that was made, undefined
 * where something is at `path` already. Throws what mkdir throws.
 *
 * Not mkdir's own `recursive`: where a file system says that there is no folder above one that cannot be made, as /proc does,
 * Node tries for ever.
 */
export function makeFolder(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return undefined;
  const first = makeFolder(dirname(path));
  mkdirSync(path);
  return first ?? path;
}

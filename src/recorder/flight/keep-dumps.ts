/** Dumps are bounded in number and in bytes. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

export interface KeptDump {
  readonly path: string;
  readonly bytes: number;
}

/** Which of the dumps go, the oldest first in the list and first to go; the newest stays. Pure. */
export function surplus<T extends { readonly bytes: number }>(
  dumps: readonly T[],
  most: { readonly dumps: number; readonly bytes: number },
): readonly T[] {
  let bytes = dumps.reduce((sum, dump) => sum + dump.bytes, 0);
  let go = 0;
  while (go < dumps.length - 1 && (dumps.length - go > most.dumps || bytes > most.bytes))
    bytes -= dumps[go++]?.bytes ?? 0;
  return dumps.slice(0, go);
}

export function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

export function removeDump({ path }: KeptDump): void {
  rmSync(path, { recursive: true, force: true });
}

/** Folders for temporary files that say whose they are, so that those of a process that was killed can be removed. */
import { lstatSync, mkdtempSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GcspikeError } from "./errors.ts";
import { isAlive } from "./is-alive.ts";

/** Containers may share the folder, but not the numbers of processes. */
function numbering(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}

/** A new one, absolute; `stem` begins its name. Throws GcspikeError where there is no room for one. */
export function makeTemporaryFolder(stem: string): string {
  try {
    return realpathSync(mkdtempSync(join(tmpdir(), `${stem}-${numbering()}-${process.pid}-`)));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new GcspikeError("temporary", `Cannot make a folder for temporary files in ${tmpdir()}: ${code}.`, {
      kept: "Nothing was run.",
      hint: "TMPDIR names another place for it.",
      cause,
    });
  }
}

/** This user's, of processes of this machine, or this container, that are no more. */
export function abandonedFolders(stem: string): readonly string[] {
  const own = `${stem}-${numbering()}-`;
  const isAbandoned = (name: string): boolean => {
    const pid = name.startsWith(own) ? (/^(\d{1,9})-/.exec(name.slice(own.length))?.[1] ?? "") : "";
    return pid !== "" && !isAlive(Number(pid));
  };
  return readdirSync(tmpdir())
    .filter(isAbandoned)
    .map((name) => join(tmpdir(), name))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.());
}

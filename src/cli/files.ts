/** The only place that writes reports to disk. */
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { GcspikeError } from "../lib/errors.ts";
import { makeFolder } from "../lib/make-folder.ts";

/** A pipe or a device, such as /dev/stdout, cannot be replaced by a file. */
function isSpecial(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && !found.isFile();
}

function writeBeside(path: string, bytes: Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Writes a file whole or not at all. Throws GcspikeError where that fails; what was there before is still there. */
export function writeReportFile(path: string, bytes: Uint8Array): void {
  try {
    if (isSpecial(path)) writeFileSync(path, bytes);
    else writeBeside(path, bytes);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new GcspikeError("write", `Cannot write ${path}: ${code}.`, {
      kept: "The recording is untouched.",
      hint: "Name a file in a folder that exists and that you may write.",
      cause,
    });
  }
}

/** Writes several files into a folder, which is made where it is missing. */
export function writeReportFiles(
  folder: string,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): void {
  try {
    makeFolder(resolve(folder));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new GcspikeError("write", `Cannot create ${folder}: ${code}.`, {
      kept: "The recording is untouched.",
      cause,
    });
  }
  for (const { name, bytes } of files) writeReportFile(join(folder, name), bytes);
}

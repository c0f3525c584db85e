/** The only place that writes reports to disk. */
import {
  accessSync,
  chmodSync,
  constants,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { GcspikeError, usageError } from "../lib/errors.ts";
import { makeFolder } from "../lib/make-folder.ts";

/** A pipe or a device, such as /dev/stdout, cannot be replaced by a file: it is written where it stands. */
function writeWhole(path: string, bytes: Uint8Array): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) writeBeside(path, bytes, null);
  else if (found.isFile()) writeBeside(realpathSync(path), bytes, found.mode & 0o777);
  else writeFileSync(path, bytes);
}

function writeBeside(path: string, bytes: Uint8Array, mode: number | null): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    writeFileSync(temporary, bytes, { mode: mode ?? 0o666 });
    if (mode !== null) chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: free some space, or name a file on another disk.",
  EDQUOT: "Your quota is used up: free some space, or name a file on another disk.",
  EISDIR: "It is a folder: name a file.",
  ENOENT: "Name a file in a folder that exists.",
  EBADF: "Open that descriptor for gcspike, as in `3>file`, or name a file.",
};

const hintOf = (code: string): string => HINTS[code] ?? "Name one that you may write.";

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}

function cannot(verb: string, path: string, cause: unknown): GcspikeError {
  const code = codeOf(cause);
  return new GcspikeError("write", `Cannot ${verb} ${path}: ${code}.`, {
    kept: "The recording is untouched.",
    hint: hintOf(code),
    cause,
  });
}

/** For who has much to do before it writes a file there. Throws a usage error where that cannot work. */
export function requireWritable(path: string): void {
  const code = obstacle(path);
  if (code !== null) throw usageError(`Cannot write ${path}: ${code}. Nothing was run.`, hintOf(code));
}

/**
 * Whether the user has not opened /dev/fd/N: there is none, or it is a file that Node opened for itself, a loop's or a pipe whose other end is
 * here, too.
 */
function isNotOpened(path: string): boolean {
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path)?.[1];
  if (number === undefined || process.platform !== "linux") return false;
  const target = targetOf(number);
  if (!target.startsWith("pipe:")) return target === "" || target.startsWith("anon_inode:");
  return readdirSync("/proc/self/fd").some((other) => targetOf(other) === target && isReadOnly(other));
}

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // Closed meanwhile: that of the folder.
    return "";
  }
}

function isReadOnly(descriptor: string): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1] ?? "0";
  return (Number.parseInt(flags, 8) & (constants.O_WRONLY | constants.O_RDWR)) === 0;
}

function obstacle(path: string): string | null {
  try {
    if (isNotOpened(path)) return "EBADF";
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return "EISDIR";
    const isWrittenWhole = found === undefined || found.isFile();
    accessSync(isWrittenWhole ? `${dirname(found === undefined ? path : realpathSync(path))}/.` : path, constants.W_OK);
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

/**
 * Writes a file whole or not at all; through a symbolic link, its target. Throws GcspikeError where that fails; what was there
 * before is still there.
 */
export function writeReportFile(path: string, bytes: Uint8Array): void {
  try {
    writeWhole(path, bytes);
  } catch (cause) {
    throw cannot("write", path, cause);
  }
}

/** Writes several files into a folder, which is made where it is missing, and is there only with all of them then. */
export function writeReportFiles(
  folder: string,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): void {
  let made: string | undefined;
  try {
    made = makeFolder(resolve(folder));
  } catch (cause) {
    throw cannot("create", folder, cause);
  }
  try {
    for (const { name, bytes } of files) writeReportFile(join(folder, name), bytes);
  } catch (error) {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    throw error;
  }
}

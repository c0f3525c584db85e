/**
 * Opening files that a recording names or holds. It comes from anywhere: reading a device or a pipe may never end, so that
 * only regular files are opened, and only up to a size.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { formatBytes } from "../lib/units.ts";

const STEP_BYTES = 64 * 1024;

/** Opens a regular file for reading; the error's code where that fails, "EINVAL" where the path leads to something else. */
export function openRegular(path: string): number | string {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
    return "EINVAL";
  } catch (error) {
    return errorCode(error);
  }
}

/** The file's bytes; the code of the error, or a few words, where it cannot be read or has more than `limit` bytes. */
export function readBounded(path: string, limit: number): Buffer | string {
  const fd = openRegular(path);
  if (typeof fd === "string") return fd;
  try {
    return readUpTo(fd, limit) ?? `larger than ${formatBytes(limit)}`;
  } catch (error) {
    return errorCode(error);
  } finally {
    closeSync(fd);
  }
}

/** Null where there is more. Files of /proc say that they have no bytes, and have gigabytes. */
function readUpTo(fd: number, limit: number): Buffer | null {
  const { size } = fstatSync(fd);
  if (size > limit) return null;
  const parts: Buffer[] = [];
  for (let total = 0; total <= limit; ) {
    const part = Buffer.allocUnsafe(Math.min(limit + 1 - total, Math.max(size + 1 - total, STEP_BYTES)));
    const read = readSync(fd, part);
    if (read === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, read));
    total += read;
  }
  return null;
}

export function errorCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "unknown error";
}

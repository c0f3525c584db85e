/** The recording's folder: its name, and its first and last moment. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { GcspikeError, usageError } from "../lib/errors.ts";
import { makeFolder } from "../lib/make-folder.ts";
import { programName } from "../lib/program-name.ts";

/** `server-2026-11-22T09-14-07`, in local time: a name to be recognised by the person who started it. */
export function defaultStem(command: readonly string[], now: Date): string {
  const stem = programName(command).replace(/\.[cm]?[jt]sx?$/, "");
  const safe = stem
    .replaceAll(/[^\w.-]+/g, "_")
    .replace(/^[.-]+/, "")
    .slice(0, 60);
  return timedName(safe === "" ? "recording" : safe, now);
}

function timedName(stem: string, now: Date): string {
  return `${stem}-${timeText(now)}`;
}

/** `2026-11-22T09-14-07`, in local time. */
export function timeText(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}-${two(now.getMinutes())}-${two(now.getSeconds())}`;
  return `${date}T${time}`;
}

export interface RecordingFolder {
  /** Absolute. */
  readonly path: string;
  /** Takes back what `createFolder` did, and the files written since: the command could not be started. */
  readonly discard: () => void;
}

function create(path: string): RecordingFolder {
  try {
    // The first folder that did not exist; undefined where an empty one was given.
    const first = makeFolder(path);
    const discard = (): void => {
      if (first !== undefined) rmSync(first, { recursive: true, force: true });
      else for (const name of readdirSync(path)) rmSync(resolve(path, name), { recursive: true, force: true });
    };
    return { path, discard };
  } catch (error) {
    throw notCreated(path, error, "-o DIR.gcspike");
  }
}

/** `elsewhere` is how another folder is chosen. */
function notCreated(path: string, error: unknown, elsewhere: string): GcspikeError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EIO") {
    return new GcspikeError("folder", `Cannot create ${path}: ${code}. Nothing was run.`, {
      hint: `Free some space, or choose a folder on another disk: ${elsewhere}`,
      cause: error,
    });
  }
  return usageError(
    `Cannot create ${path}: ${code}. Nothing was run.`,
    `Choose a folder that you may write: ${elsewhere}`,
  );
}

/** The folder of `-o`: new, or empty. Throws a usage error where something is there already. */
function chosenFolder(output: string): RecordingFolder {
  const path = resolve(output);
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) throw usageError(`-o ${output} is a file.`, "Name a new folder.");
    if (readdirSync(path).length > 0) {
      throw usageError(
        `-o ${output} exists already and is not empty.`,
        "Name a new folder, or remove the old one first.",
      );
    }
  }
  return create(path);
}

/** Creates the recording's folder: `output`, or a new name in the current folder. `extension`: ".gcspike", or that of another folder. */
export function createFolder(
  output: string | undefined,
  command: readonly string[],
  now: Date,
  extension = ".gcspike",
): RecordingFolder {
  if (output !== undefined) return chosenFolder(output);
  const path = createUntaken(defaultStem(command, now), extension, `-o DIR${extension}`);
  return { path, discard: () => rmSync(path, { recursive: true, force: true }) };
}

/** Creates a folder for several recordings, with a new name in the current folder. Returns its path, absolute. */
export function createGroupFolder(stem: string, now: Date): string {
  return createUntaken(timedName(stem, now), "", "cd DIR");
}

/** Creates a folder with a new name, which another gcspike may be about to take. Returns its path. */
export function createUntaken(stem: string, extension: string, elsewhere: string): string {
  for (let number = 1; ; number++) {
    const path = resolve(`${stem}${number === 1 ? "" : `.${number}`}${extension}`);
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw notCreated(path, error, elsewhere);
    }
  }
}

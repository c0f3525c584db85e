/** What is left to do when the target has ended: the folder becomes a finished recording. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { plural } from "../lib/text.ts";
import { convertAllocations } from "../recording/convert-allocations.ts";
import { listRecording } from "../recording/files.ts";
import { MANIFEST_FILE, writeManifest } from "../recording/manifest.ts";
import { mergeProfiles, type ProfileKind } from "../recording/merge-profiles.ts";
import type { Manifest, Warning } from "../recording/spec.ts";
import { trimLogs } from "../recording/trim-logs.ts";
import { redactFolder } from "./redact.ts";
import { mayRun } from "./running.ts";

/** `<pid>-<threadId>` begins with the process. */
function pidOf(isolateId: string): number {
  return Number.parseInt(isolateId, 10);
}

/** The words of docs/recording-format.md, by what a file's name ends with. */
const FORMATS: Readonly<Record<string, string>> = {
  ".gc": "gc log",
  ".heap": "heap log",
  ".loop": "loop log",
  ".tags": "tags log",
  ".phases": "phases log",
  ".functions": "functions log",
  ".stacks": "stacks log",
  ".samples": "samples log",
  ".buffers": "buffers log",
  ".alloc": "alloc log",
  ".process": "process log",
  ".gz": "pprof",
  ".json": "JSON",
};

function listIsolates(folder: string): readonly string[] {
  try {
    return [...listRecording(folder).isolates.keys()];
  } catch {
    return [];
  }
}

function listFiles(folder: string): Manifest["files"] {
  return readdirSync(folder)
    .filter((name) => name !== MANIFEST_FILE && !name.endsWith(".tmp"))
    .sort()
    .map((name) => ({ name, format: FORMATS[extname(name)] ?? "", bytes: statSync(join(folder, name)).size }));
}

/** Runs one step; what it could not do becomes a warning, and the steps behind it still run. */
async function attempt(warnings: Warning[], what: string, step: () => Promise<void> | void): Promise<void> {
  try {
    await step();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
    warnings.push({ code: "finish", message: `${what} (${reason}).` });
  }
}

function stillRunning(pids: readonly number[]): Warning {
  return {
    code: "still-running",
    message: `${plural(pids.length, "recorded process was", "recorded processes were")} still running when the program ended (${pids.slice(0, 10).join(", ")}${pids.length > 10 ? ", ..." : ""}): what they did later is not in the summary.`,
    hint: "They keep writing to the folder while it exists; read it again when they have ended.",
  };
}

const PROFILES: Readonly<Record<ProfileKind, string>> = { live: "live-heap", wall: "wall-clock" };

/** Merges the profiles that were asked for, of the isolates that have ended. */
async function finishProfiles(
  folder: string,
  { options }: Manifest,
  isolates: readonly string[],
  warnings: Warning[],
): Promise<void> {
  const kinds = [...(options.liveHeap ? (["live"] as const) : []), ...(options.cpu ? (["wall"] as const) : [])];
  for (const kind of kinds) {
    const missing: string[] = [];
    for (const id of isolates) {
      await attempt(warnings, `The ${PROFILES[kind]} profile of ${id} stays as the program wrote it, in parts`, () => {
        const found = mergeProfiles(folder, id, kind);
        if (found === null) missing.push(id);
        else warnings.push(...found);
      });
    }
    if (missing.length > 0) warnings.push(missingProfile(kind, missing));
  }
}

function missingProfile(kind: ProfileKind, isolates: readonly string[]): Warning {
  return {
    code: "profile-missing",
    message: `There is no ${PROFILES[kind]} profile of ${isolates.slice(0, 10).join(", ")}${isolates.length > 10 ? ", ..." : ""}.`,
    hint: "It is written every ten seconds and when a program ends by itself: let it run longer.",
  };
}

interface Known {
  /** May the process of this number still write to the folder? */
  readonly isRunning: (pid: number) => boolean;
  readonly warnings: readonly Warning[];
}

/**
 * Turns a recording folder into a finished recording: logs cut to their length, allocations as pprof, texts redacted where
 * that was asked for, the manifest with the program's end. Files of processes that still run stay as they are: they are
 * mapped into them. Returns what is missing, and why; never throws.
 */
export async function finishRecording(
  folder: string,
  manifest: Manifest,
  known: Known = { isRunning: mayRun(folder), warnings: [] },
): Promise<readonly Warning[]> {
  if (!existsSync(folder)) {
    return [{ code: "folder-removed", message: `${folder} was removed while the program ran: nothing was kept.` }];
  }
  const warnings = [...known.warnings];
  const { isRunning } = known;
  await attempt(warnings, "The logs could not be cut to their content: they take more room than they need", () => {
    warnings.push(...trimLogs(folder, isRunning));
  });
  const ended = listIsolates(folder).filter((isolate) => !isRunning(pidOf(isolate)));
  for (const id of ended) {
    await attempt(
      warnings,
      `The allocations of ${id} stay as the program wrote them: they could not become pprof`,
      async () => {
        warnings.push(...(await convertAllocations(folder, id)));
      },
    );
  }
  await finishProfiles(folder, manifest, ended, warnings);
  const running = [...new Set(listIsolates(folder).map(pidOf))].filter(isRunning);
  if (running.length > 0 && known.warnings.length === 0) warnings.push(stillRunning(running));
  if (manifest.options.redacted) {
    await attempt(warnings, "The recording could not be redacted: names and paths in it stand as they were", () => {
      redactFolder(folder, isRunning);
    });
  }
  await attempt(warnings, "The manifest could not be written: the recording reads as one that was cut", () => {
    writeManifest(folder, { ...manifest, state: "finished", files: listFiles(folder), warnings: [...warnings] });
  });
  return warnings;
}

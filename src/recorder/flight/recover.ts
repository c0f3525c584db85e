/** What a flight recorder that was killed had in its ring, as a recording. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { GcspikeError } from "../../lib/errors.ts";
import { isAlive } from "../../lib/is-alive.ts";
import { MANIFEST_FILE, parseManifest, writeManifest } from "../../recording/manifest.ts";
import { type Manifest, RING_FOLDER, type Warning } from "../../recording/spec.ts";
import { finishRecording } from "../finish.ts";
import { createUntaken, timeText } from "../folder.ts";
import { mayRun } from "../running.ts";
import { Ring } from "./ring.ts";

/**
 * Writes the recording beside the ring and removes the ring, unless the program still writes to it. Returns the recording's path, how
 * long it is, and what is missing in it. `isKilled`: its recorder is known to be gone, whatever has its number now. Throws GcspikeError
 * where the folder has no ring that anything is in.
 */
export async function recoverFlight(
  folder: string,
  isKilled = false,
): Promise<{
  readonly path: string;
  readonly durationMs: number;
  readonly warnings: readonly Warning[];
  readonly programRuns: boolean;
}> {
  const path = resolve(folder);
  const ringFolder = join(path, RING_FOLDER);
  const manifestFile = join(ringFolder, MANIFEST_FILE);
  const manifest = existsSync(manifestFile) ? parseManifest(readFileSync(manifestFile, "utf8"), ringFolder) : null;
  if (manifest === null) throw nothingToRecover(folder);
  if (!isKilled) requireKilled(manifest);
  const ring = new Ring(ringFolder);
  ring.look();
  ring.restore();
  const times = ring.isolates.flatMap((isolate) => isolate.times() ?? []);
  const [one] = times;
  if (one === undefined) throw nothingToRecover(folder);
  const fromNs = times.reduce((first, { firstNs }) => (firstNs < first ? firstNs : first), one.firstNs);
  const endNs = times.reduce((last, { lastNs }) => (lastNs > last ? lastNs : last), one.lastNs);
  const startedAt = Date.parse(manifest.startedAt);
  const ms = (ns: bigint): number => Number(ns - BigInt(manifest.startNs)) / 1e6;
  const recovered = createUntaken(
    join(path, `${timeText(new Date(startedAt + ms(endNs)))}-recovered`),
    ".gcspike",
    "-o DIR",
  );
  const cut: Manifest = {
    ...manifest,
    startedAt: new Date(startedAt + ms(fromNs)).toISOString(),
    startNs: String(fromNs),
    endNs: String(endNs),
    dump: {
      keepMs: ms(endNs) - ms(fromNs),
      afterMs: 0,
      triggers: [{ trigger: "recover", atNs: String(endNs), what: "gcspike was killed while it recorded" }],
      untold: 0,
    },
  };
  writeManifest(recovered, cut);
  ring.write(recovered, fromNs, ms(fromNs));
  const isRunning = mayRun(ringFolder);
  const programRuns = ring.isolates.some((isolate) => isRunning(isolate.descriptor().pid));
  ring.close();
  const warnings = await finishRecording(recovered, cut, { isRunning: () => false, warnings: [] });
  if (!programRuns) rmSync(ringFolder, { recursive: true, force: true });
  return { path: recovered, durationMs: ms(endNs) - ms(fromNs), warnings, programRuns };
}

function nothingToRecover(folder: string): GcspikeError {
  return new GcspikeError("not-a-flight", `${folder} has no ring of a flight recorder that holds anything.`, {
    hint: "Give the NAME.flight folder that gcspike record or attach made with --trigger.",
  });
}

function requireKilled({ recorderPid, pid }: Manifest): void {
  if (!isAlive(recorderPid)) return;
  throw new GcspikeError("flight-runs", `Process ${recorderPid} still records process ${pid ?? "?"} into it.`, {
    hint: "Stop it with Ctrl-C: it writes what is due.",
  });
}

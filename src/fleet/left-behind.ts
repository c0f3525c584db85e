/**
 * What earlier programs of this home folder left: flights whose companion was killed, with the machine or the container, have a ring that
 * is still whole; those that came to their end have dumps, which are bounded over all of them.
 */
import { readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { surplus } from "../recorder/flight/keep-dumps.ts";
import { recoverFlight } from "../recorder/flight/recover.ts";
import { ATTACHED_FILE, RING_FOLDER } from "../recording/spec.ts";

/** Who still records says so this often. */
export const SIGN_MS = 5000;
/** Who did not for so long does not: not the process's number, which in another container is another process. */
export const SILENT_MS = 60_000;
/** `<program>-<time>-<pid>.flight`: what the agent makes, and nobody else. */
const FLIGHT = /-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-(\d+)\.flight$/;
const MOST_FLIGHTS = 100;
const CLAIM_FILE = "taken-over";
const CLAIM_MS = 600_000;

export function giveSign(flight: string): void {
  const now = new Date();
  utimesSync(join(flight, RING_FOLDER, ATTACHED_FILE), now, now);
}

/** A recording made of what a ring held. */
export interface Recovered {
  readonly path: string;
  /** Of the program that it was. */
  readonly pid: number;
}

interface Flight {
  readonly path: string;
  readonly pid: number;
}

/** Of the flights beside this one those that have ended, the oldest first. `nowMs`: calendar time. */
function endedBeside(flight: string, nowMs: number): readonly Flight[] {
  const home = dirname(flight);
  return readdirSync(home)
    .flatMap((name) => {
      const pid = FLIGHT.exec(name)?.[1];
      const path = join(home, name);
      return pid === undefined || path === flight || isRecording(path, nowMs) ? [] : [{ path, pid: Number(pid) }];
    })
    .sort((a, b) => modified(a.path) - modified(b.path));
}

/** Recovers abandoned rings beside `flight`. */
export async function takeOver(flight: string, nowMs: number): Promise<readonly Recovered[]> {
  const recovered: Recovered[] = [];
  for (const { path, pid } of endedBeside(flight, nowMs)) {
    if (claims(path, nowMs)) recovered.push(...(await recover(path, pid)));
  }
  return recovered;
}

/** Whether nobody else recovers this ring, and there is one. Who claimed it and died gives it free after some minutes. */
function claims(flight: string, nowMs: number): boolean {
  const claim = join(flight, RING_FOLDER, CLAIM_FILE);
  try {
    writeFileSync(claim, "", { flag: "wx" });
    return true;
  } catch {
    if (modified(claim) > 0 && nowMs - modified(claim) > CLAIM_MS) rmSync(claim, { force: true });
    return false;
  }
}

/** Removes the oldest of the flights beside `flight` that have ended, until they take `mostBytes`. */
export function removeSurplus(flight: string, mostBytes: number, nowMs: number): void {
  const sized = endedBeside(flight, nowMs).map(({ path }) => ({ path, bytes: bytesIn(path) }));
  for (const { path } of surplus(sized, { dumps: MOST_FLIGHTS, bytes: mostBytes })) {
    rmSync(path, { recursive: true, force: true });
  }
}

async function recover(flight: string, pid: number): Promise<readonly Recovered[]> {
  try {
    const { path } = await recoverFlight(flight, true);
    rmSync(join(flight, RING_FOLDER), { recursive: true, force: true });
    return [{ path, pid }];
  } catch {
    // A ring in which nothing was written yet, or that of a newer version.
    return [];
  }
}

function isRecording(flight: string, nowMs: number): boolean {
  const ring = join(flight, RING_FOLDER);
  // The ring is there a moment before the file.
  return nowMs - Math.max(modified(ring), modified(join(ring, ATTACHED_FILE))) < SILENT_MS;
}

/** ms since 1970; 0: it is not there. */
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, { parentPath, name }) => sum + (statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
}

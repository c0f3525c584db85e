/** What becomes of what a program writes: all of it is one recording, or a flight recorder keeps the end (flight/flight.ts). */
import type { Manifest, Warning } from "../recording/spec.ts";
import { finishRecording } from "./finish.ts";
import { trimMeanwhile } from "./running.ts";

/** How it came to its end. */
export interface KeepingEnd {
  /** The program has ended by itself. */
  readonly programEnded: boolean;
  /** May the process of this number still write? */
  readonly isRunning?: (pid: number) => boolean;
  readonly warnings?: readonly Warning[];
}

export interface Keeping {
  /** The program writes into this folder; it may have to be made. */
  readonly folder: string;
  /** The program is about to run or to be attached to. */
  readonly begin: (manifest: Manifest) => void;
  /** Follows it no more; the second time nothing happens. */
  readonly stop: () => void;
  /** The program writes no more. Returns what is missing, and why; never throws. */
  readonly finish: (manifest: Manifest, end: KeepingEnd) => Promise<readonly Warning[]>;
}

export function keepAll(folder: string): Keeping {
  let stop = (): void => {};
  return {
    folder,
    begin: () => {
      stop = trimMeanwhile(folder);
    },
    stop: () => stop(),
    finish: (manifest, { isRunning, warnings = [] }) =>
      isRunning === undefined
        ? finishRecording(folder, manifest)
        : finishRecording(folder, manifest, { isRunning, warnings }),
  };
}

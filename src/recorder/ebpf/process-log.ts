/** The program's memory and CPU time, from /proc/PID/stat: the .process log. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeProcessRecord } from "../../recording/log-writer.ts";
import { LogKind, PROCESS_RECORD_BYTES } from "../../recording/spec.ts";
import { LogFile } from "./log-file.ts";

const PAGE_BYTES = 4096;
/** Linux shows ticks of 10 ms to programs, whatever its own are. */
const TICK_NS = 10_000_000;
/** Fields behind the name in parentheses: proc(5) counts from 1, with the name as the second. */
const FIELD = { minorFaults: 10 - 3, majorFaults: 12 - 3, userTicks: 14 - 3, systemTicks: 15 - 3, rssPages: 24 - 3 };

export interface ProcessState {
  readonly rss: number;
  readonly cpuNs: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
}

/** Of /proc/PID/stat, in which the name in parentheses may contain anything; null where it is none. */
export function parseProcessState(stat: string): ProcessState | null {
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const field = (index: number): number => fields[index] ?? Number.NaN;
  const state = {
    rss: field(FIELD.rssPages) * PAGE_BYTES,
    cpuNs: (field(FIELD.userTicks) + field(FIELD.systemTicks)) * TICK_NS,
    minorFaults: field(FIELD.minorFaults),
    majorFaults: field(FIELD.majorFaults),
  };
  return Object.values(state).every((value) => Number.isSafeInteger(value) && value >= 0) ? state : null;
}

/** Of the switches of all threads there is no sum in /proc: unknown. */
const UNKNOWN = 0xffff_ffff_ffff_ffffn;

export class ProcessLog {
  readonly #log: LogFile;
  readonly #pid: number;

  /** Throws what the file system throws. */
  constructor(folder: string, pid: number, startNs: bigint) {
    const header = { kind: LogKind.process, recordBytes: PROCESS_RECORD_BYTES, pid, threadId: 0, startNs };
    this.#log = new LogFile(join(folder, `${pid}.process`), header);
    this.#pid = pid;
  }

  /** As it is now. */
  sample(): void {
    let state: ProcessState | null = null;
    try {
      state = parseProcessState(readFileSync(`/proc/${this.#pid}/stat`, "utf8"));
    } catch {
      // It has ended.
    }
    // A zombie has no memory any more: it is not what the program used.
    if (state === null || state.rss === 0) return;
    this.#log.append(
      encodeProcessRecord({
        timeNs: process.hrtime.bigint(),
        rss: BigInt(state.rss),
        cpuNs: BigInt(state.cpuNs),
        minorFaults: BigInt(state.minorFaults),
        majorFaults: BigInt(state.majorFaults),
        involuntarySwitches: UNKNOWN,
      }),
    );
    this.#log.flush();
  }

  close(): void {
    this.#log.close(null);
  }
}

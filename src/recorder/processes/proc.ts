/** Processes from Linux's /proc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { isNode, type NodeProcess } from "./node-process.ts";

/** Ticks a second of what /proc counts in: USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_A_SECOND = 100;
/** A command may be megabytes long. */
const MOST_WORDS = 100;

export function procProcesses(named: ReadonlySet<number>): readonly NodeProcess[] {
  const uptimeMs = Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1000;
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const pid = Number(name);
      return named.has(pid) || isNode(executableOf(pid)) ? inspect(pid, uptimeMs) : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

/** Base name of what the process runs, also where the file is gone. Throws where the link cannot be read. */
export function linkedExecutable(pid: number): string {
  return basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ""));
}

/** Its base name. Of other users' processes only root may read the link; the command is there for everybody. */
function executableOf(pid: number): string {
  try {
    return linkedExecutable(pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") return "";
    return basename(commandOf(pid)[0] ?? "");
  }
}

function commandOf(pid: number): readonly string[] {
  const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  // Behind a title that a program gave itself stand empty ones.
  return words.filter((word) => word !== "").slice(0, MOST_WORDS);
}

function inspect(pid: number, uptimeMs: number): readonly NodeProcess[] {
  const found = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"), readFileSync(`/proc/${pid}/status`, "utf8"));
  if (found === null) return [];
  const { startTicks, cpuTicks, ...rest } = found;
  const ms = (ticks: number): number => (ticks / TICKS_A_SECOND) * 1000;
  const ageMs = Math.max(0, uptimeMs - ms(startTicks));
  return [{ pid, began: String(startTicks), command: commandOf(pid), ageMs, cpuMs: ms(cpuTicks), ...rest }];
}

/** From /proc/PID/stat and /proc/PID/status; null where the process has ended and was not waited for. */
export function parseStat(
  stat: string,
  status: string,
): {
  readonly parentPid: number;
  readonly startTicks: number;
  readonly cpuTicks: number;
  readonly threads: number;
  readonly rssBytes: number;
} | null {
  // The name in parentheses may contain anything.
  const [state, parentPid, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (state === "Z" || state === "X") return null;
  const field = (number: number): number => Number(rest[number - 5] ?? 0);
  const rssKib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? "0";
  return {
    parentPid: Number(parentPid),
    cpuTicks: field(14) + field(15),
    threads: field(20),
    startTicks: field(22),
    rssBytes: Number(rssKib) * 1024,
  };
}

/** Processes from `ps`, for systems without Linux's /proc. */
import { execFile } from "node:child_process";
import { basename } from "node:path";
import { isNode, type NodeProcess } from "./node-process.ts";

const COLUMNS = ["pid", "ppid", "rss", "time", "lstart", "args"].flatMap((column) => ["-o", `${column}=`]);
/** pid, parent, KiB, processor time, "Sat Nov 28 12:03:10 2026", command */
const LINE = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+([\d:.-]+)\s+(\w{3} \w{3} +\d+ [\d:]{8} \d{4})\s+(\S.*)$/;

export function psProcesses(named: ReadonlySet<number>): Promise<readonly NodeProcess[]> {
  return new Promise((resolve) => {
    const options = { encoding: "utf8", env: { ...process.env, LC_ALL: "C" }, maxBuffer: 64 * 1024 * 1024 } as const;
    execFile("ps", ["-axww", ...COLUMNS], options, (_error, table) => resolve(parsePs(table, named, Date.now())));
  });
}

/** The Node processes in what `ps` prints. It does not say where a word of a command ends: spaces do. */
export function parsePs(table: string, named: ReadonlySet<number>, nowMs: number): readonly NodeProcess[] {
  return table.split("\n").flatMap((line) => {
    const [, pid, parent, kib, time = "", began = "", text = ""] = LINE.exec(line) ?? [];
    if (pid === undefined) return [];
    const command = text.split(/\s+/, 100);
    if (!named.has(Number(pid)) && !isNode(basename(command[0] ?? ""))) return [];
    return [
      {
        pid: Number(pid),
        parentPid: Number(parent),
        began,
        command,
        ageMs: Math.max(0, nowMs - Date.parse(began)),
        rssBytes: Number(kib) * 1024,
        cpuMs: timeOf(time),
        threads: null,
      },
    ];
  });
}

/** "1-02:03:04" (Linux), "02:03:04", "3:04.56" (macOS), ms. */
function timeOf(text: string): number {
  const [clock = "", days = "0"] = text.split("-").reverse();
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1000;
}

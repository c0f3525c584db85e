/** All logs of a flight recorder's ring: how far they are, what is forgotten of them, and a part of them as files. */
import { copyFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listRecording } from "../../recording/files.ts";
import { LogKind, PROCESS, PROCESS_RECORD_BYTES } from "../../recording/spec.ts";
import { recordsFrom } from "./cut.ts";
import { headerOf, IsolateRing, type Mark } from "./isolate-ring.ts";
import { type LogState, RingLog } from "./ring-log.ts";

/** How far everything was at one moment. */
interface RingMark {
  readonly timeMs: number;
  readonly isolates: ReadonlyMap<string, Mark>;
  readonly processes: ReadonlyMap<number, LogState>;
}

const AGENT_FILE = "agent.json";
/** What runs writes ten times a second. */
const SILENT_MS = 3000;

export class Ring {
  readonly #folder: string;
  readonly #isolates = new Map<string, IsolateRing>();
  readonly #processes = new Map<number, RingLog>();
  readonly #marks: RingMark[] = [];
  #sinceMs = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** From when on everything is here, on the clock that marks are made by. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  get isolates(): readonly IsolateRing[] {
    return [...this.#isolates.values()];
  }

  /** Finds the isolates and logs that came since. Throws what the file system throws. */
  look(): void {
    const found = listRecording(this.#folder);
    for (const [id, suffixes] of found.isolates) {
      const isolate = this.#isolates.get(id) ?? new IsolateRing(this.#folder, id);
      this.#isolates.set(id, isolate);
      isolate.look(suffixes);
    }
    for (const pid of found.processes) {
      if (this.#processes.has(pid)) continue;
      const log = RingLog.open(this.#processFile(this.#folder, pid), LogKind.process);
      if (log !== null) this.#processes.set(pid, log);
    }
  }

  /** Of a ring whose recorder was killed: what is left of it is as that left it. After `look`. */
  restore(): void {
    for (const isolate of this.#isolates.values()) isolate.restore();
    for (const log of this.#processes.values()) log.resume(0);
  }

  /** Remembers how far everything is now. */
  mark(timeMs: number): void {
    this.#marks.push({
      timeMs,
      isolates: new Map([...this.#isolates].map(([id, isolate]) => [id, isolate.mark()])),
      processes: new Map([...this.#processes].map(([pid, log]) => [pid, log.state()])),
    });
  }

  /**
   * Forgets what is older than the last mark up to `beforeMs`, when it is `atOnceMs` or more; more of it where the rest takes over
   * `mostBytes`, or where a log has little room left.
   */
  forget(beforeMs: number, atOnceMs: number, mostBytes: number): void {
    const newest = this.#marks.length - 1;
    let last = beforeMs < this.#sinceMs + atOnceMs ? -1 : this.#marks.findLastIndex(({ timeMs }) => timeMs <= beforeMs);
    while (last < newest && this.#isTooMuchSince(last, mostBytes)) last += Math.ceil((newest - last) / 2);
    this.#forgetMark(last);
  }

  #isTooMuchSince(index: number, mostBytes: number): boolean {
    const from = this.#marks[index]?.isolates;
    const to = this.#marks.at(-1)?.isolates;
    let bytes = 0;
    for (const [id, isolate] of this.#isolates) {
      const newest = to?.get(id);
      if (newest === undefined) continue;
      bytes += isolate.bytesBetween(from?.get(id), newest);
      if (isolate.isFullBetween(from?.get(id), newest)) return true;
    }
    return bytes > mostBytes;
  }

  #forgetMark(index: number): void {
    const mark = this.#marks[index];
    if (mark === undefined) return;
    for (const [id, isolate] of this.#isolates) isolate.forget(mark.isolates.get(id) ?? new Map());
    for (const [pid, log] of this.#processes) log.forget(mark.processes.get(pid)?.committed ?? 0);
    this.#marks.splice(0, index + 1);
    this.#sinceMs = mark.timeMs;
  }

  /** Removes the files of processes that have ended (`isRunning`), and of workers, that wrote nothing since the oldest mark. */
  removeEnded(isRunning: (pid: number) => boolean): void {
    const [oldest] = this.#marks;
    if (oldest === undefined || (this.#marks.at(-1)?.timeMs ?? 0) - oldest.timeMs < SILENT_MS) return;
    const wrote = (pid: number): boolean => {
      const log = this.#processes.get(pid);
      return log !== undefined && log.state().committed > (oldest.processes.get(pid)?.committed ?? 0);
    };
    for (const [id, isolate] of this.#isolates) {
      const before = oldest.isolates.get(id)?.get("loop")?.committed;
      if (before === undefined || isolate.log("loop")?.state().committed !== before) continue;
      const { pid, kind } = isolate.descriptor();
      // A process that was stopped writes nothing and may go on.
      if (isRunning(pid) && !(kind === "worker" && wrote(pid))) continue;
      isolate.remove();
      this.#isolates.delete(id);
    }
    for (const [pid, log] of this.#processes) {
      const isUsed = [...this.#isolates.values()].some((isolate) => isolate.descriptor().pid === pid);
      if (isUsed || isRunning(pid) || wrote(pid)) continue;
      log.close();
      rmSync(this.#processFile(this.#folder, pid), { force: true });
      this.#processes.delete(pid);
    }
  }

  /** When the probe last wrote in a process, which it does ten times a second as long as there is one; null: never. */
  lastSignNs(pid: number | null): bigint | null {
    const own = pid === null ? undefined : this.#processes.get(pid);
    let last: bigint | null = null;
    for (const log of own === undefined ? this.#processes.values() : [own]) {
      const { committed } = log.state();
      if (log.recordBytes < PROCESS_RECORD_BYTES || committed <= log.first) continue;
      const timeNs = log.read(committed - log.recordBytes, committed).readBigUInt64LE(PROCESS.timeNs);
      if (last === null || timeNs > last) last = timeNs;
    }
    return last;
  }

  /** Writes into `folder` the logs of a recording that begins at `fromNs`, which is `fromMs` on the marks' clock. */
  write(folder: string, fromNs: bigint, fromMs: number): void {
    const since = this.#marks.findLast(({ timeMs }) => timeMs <= fromMs);
    for (const isolate of this.isolates) isolate.write(folder, fromNs, since?.isolates.get(isolate.id));
    for (const [pid, log] of this.#processes) {
      const records = recordsFrom(log.read(log.first, log.state().committed), log.kind, log.recordBytes, fromNs);
      if (records.length === 0) continue;
      const header = headerOf(log, records.length, fromNs, since?.processes.get(pid));
      writeFileSync(this.#processFile(folder, pid), Buffer.concat([header, records]));
    }
    const agent = join(this.#folder, AGENT_FILE);
    if (existsSync(agent)) copyFileSync(agent, join(folder, AGENT_FILE));
  }

  close(): void {
    for (const isolate of this.isolates) isolate.close();
    for (const log of this.#processes.values()) log.close();
  }

  #processFile(folder: string, pid: number): string {
    return join(folder, `${pid}.process`);
  }
}

import type { TagLog } from "./tag-log.ts";

/** The logs of several recordings of one isolate, which all get what the program calls. */
export class TagLogs {
  /** Another list when it changes: this is gone through on each call. */
  #logs: readonly TagLog[] = [];

  get isEmpty(): boolean {
    return this.#logs.length === 0;
  }

  add(log: TagLog): void {
    this.#logs = [...this.#logs, log];
  }

  remove(log: TagLog): void {
    this.#logs = this.#logs.filter((one) => one !== log);
  }

  /** See TagLog. */
  moment(source: number, name: string): void {
    const logs = this.#logs;
    for (let i = 0; i < logs.length; i++) logs[i]?.moment(source, name);
  }

  /** See TagLog. */
  span(source: number, name: string, startMs: number, durationMs: number): void {
    const logs = this.#logs;
    for (let i = 0; i < logs.length; i++) logs[i]?.span(source, name, startMs, durationMs);
  }
}

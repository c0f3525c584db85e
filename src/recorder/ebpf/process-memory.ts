/** The memory of a process, only ever read, and without stopping it: what is read may be gone or another thing by then. */
import { closeSync, openSync, readSync } from "node:fs";

export interface Memory {
  /** Null where not all of it is mapped. */
  readonly read: (address: number, length: number) => Buffer | null;
}

export class ProcessMemory implements Memory {
  readonly #file: number;

  /** Throws what the file system throws: ENOENT, EACCES. */
  constructor(pid: number) {
    this.#file = openSync(`/proc/${pid}/mem`, "r");
  }

  read(address: number, length: number): Buffer | null {
    const bytes = Buffer.allocUnsafe(length);
    try {
      return readSync(this.#file, bytes, 0, length, address) === length ? bytes : null;
    } catch {
      return null;
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

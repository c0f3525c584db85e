/** Which rows of a table are free: a list of fixed length, last given first taken. */
import type { Arena } from "./arena.ts";

export class RowPool {
  used = 0;
  readonly #free: Int32Array;
  /** Rows that have ever been taken; those behind were never touched. */
  touched = 0;
  #count = 0;

  constructor(arena: Arena, rows: number) {
    this.#free = arena.i32(rows);
  }

  /** -1 if there is none. */
  take(): number {
    if (this.#count === 0 && this.touched === this.#free.length) return -1;
    this.used++;
    return this.#count > 0 ? (this.#free[--this.#count] as number) : this.touched++;
  }

  give(row: number): void {
    this.used--;
    this.#free[this.#count++] = row;
  }
}

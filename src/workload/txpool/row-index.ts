/** Finds rows by a 32-bit code: open addressing, linear probing, no tombstones. Bounded; makes no garbage. */
import type { Arena } from "./arena.ts";

/** An empty place in the table: rows are kept one higher. */
const NOTHING = 0;

/**
 * Several rows may have one code: a caller walks the places from `start(code)` on and compares what the rows stand for, until
 * `rowAt` says -1:
 *
 *     for (let place = index.start(code); (row = index.rowAt(place)) >= 0; place = index.step(place)) ...
 */
export class RowIndex {
  /** Each row's code: signed, so that the engine has it as a small integer and never boxes it. */
  readonly codes: Int32Array;
  readonly #table: Int32Array;
  readonly #mask: number;
  size = 0;

  /** Room for rows 0 to `rows` - 1; the table is half empty at least. */
  constructor(arena: Arena, rows: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(rows, 1) * 2));
    this.codes = arena.i32(rows);
    this.#table = arena.i32(places);
    this.#mask = places - 1;
  }

  start(code: number): number {
    return code & this.#mask;
  }

  step(place: number): number {
    return (place + 1) & this.#mask;
  }

  rowAt(place: number): number {
    return (this.#table[place] as number) - 1;
  }

  insert(row: number, code: number): void {
    let place = this.start(code);
    while (this.#table[place] !== NOTHING) place = this.step(place);
    this.#table[place] = row + 1;
    this.codes[row] = code;
    this.size++;
  }

  /** The row must be there. Rows behind it move up, so that no walk meets a hole. */
  remove(row: number): void {
    let hole = this.start(this.codes[row] as number);
    while (this.#table[hole] !== row + 1) hole = this.step(hole);
    for (let place = this.step(hole); this.#table[place] !== NOTHING; place = this.step(place)) {
      const home = this.start(this.codes[this.rowAt(place)] as number);
      // It may move to the hole, if its home does not lie behind the hole on the way to where it is.
      if (((place - home) & this.#mask) >= ((place - hole) & this.#mask)) {
        this.#table[hole] = this.#table[place] as number;
        hole = place;
      }
    }
    this.#table[hole] = NOTHING;
    this.size--;
  }

  clear(): void {
    this.#table.fill(NOTHING);
    this.size = 0;
  }
}

/** FNV-1a of `length` bytes at `bytes[at]`. */
export function codeOfBytes(bytes: Uint8Array, at: number, length: number): number {
  let code = 0x811c9dc5 | 0;
  for (let i = 0; i < length; i++) code = Math.imul(code ^ (bytes[at + i] as number), 0x01000193);
  return spread(code);
}

/** Of two whole numbers. */
export function codeOfPair(a: number, b: number): number {
  return spread(Math.imul(a, 0x9e3779b1) ^ Math.imul(b | 0, 0x85ebca6b) ^ Math.floor(b / 2 ** 32));
}

/** Mixes high bits into the low ones, which choose the place (the end of MurmurHash3). */
function spread(code: number): number {
  let mixed = code ^ (code >>> 16);
  mixed = Math.imul(mixed, 0x7feb352d);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}

export function sameBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

/** Copies without a view of the part, which would be garbage. */
export function copyBytes(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, length: number): void {
  for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i] as number;
}

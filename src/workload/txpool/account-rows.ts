/** The mmap store's accounts: columns, the ends of their lists, and the sets that they are in. */
import { GcspikeError } from "../../lib/errors.ts";
import type { Arena } from "./arena.ts";
import { codeOfBytes, copyBytes, RowIndex, sameBytes } from "./row-index.ts";
import { RowPool } from "./row-pool.ts";
import { type AccountSet, EXECUTABLE, type List } from "./store.ts";
import { ADDRESS_BYTES } from "./transaction.ts";

const NONE = -1;

export interface ListEnds {
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly lengths: Int32Array;
}

export class AccountRows {
  readonly addresses: Uint8Array;
  readonly nonces: Float64Array;
  readonly serials: Float64Array;
  readonly beats: Float64Array;
  readonly heavyPlaces: Int32Array;
  readonly executable: AccountSet<number>;
  readonly future: AccountSet<number>;
  readonly dirty: AccountSet<number>;
  readonly #free: RowPool;
  readonly #index: RowIndex;
  readonly #executableEnds: ListEnds;
  readonly #futureEnds: ListEnds;

  constructor(arena: Arena, rows: number) {
    this.addresses = arena.u8(rows * ADDRESS_BYTES);
    this.nonces = arena.f64(rows);
    this.serials = arena.f64(rows);
    this.beats = arena.f64(rows);
    this.heavyPlaces = arena.i32(rows);
    this.executable = new LinkedRows(arena, rows);
    this.future = new LinkedRows(arena, rows);
    this.dirty = new LinkedRows(arena, rows);
    this.#free = new RowPool(arena, rows);
    this.#index = new RowIndex(arena, rows);
    this.#executableEnds = { first: arena.i32(rows), last: arena.i32(rows), lengths: arena.i32(rows) };
    this.#futureEnds = { first: arena.i32(rows), last: arena.i32(rows), lengths: arena.i32(rows) };
  }

  get used(): number {
    return this.#free.used;
  }

  lists(list: List): ListEnds {
    return list === EXECUTABLE ? this.#executableEnds : this.#futureEnds;
  }

  find(address: Uint8Array, at: number): number | undefined {
    const code = codeOfBytes(address, at, ADDRESS_BYTES);
    for (let place = this.#index.start(code); ; place = this.#index.step(place)) {
      const row = this.#index.rowAt(place);
      if (row < 0) return undefined;
      if (this.#index.codes[row] !== code) continue;
      if (sameBytes(this.addresses, row * ADDRESS_BYTES, address, at, ADDRESS_BYTES)) return row;
    }
  }

  open(address: Uint8Array, nonce: number, serial: number): number {
    const row = this.#free.take();
    if (row < 0) {
      throw new GcspikeError("pool-accounts", `The pool's table of ${this.nonces.length} accounts is full.`, {
        hint: "The store was made for a smaller pool: give both the same capacity.",
      });
    }
    copyBytes(address, 0, this.addresses, row * ADDRESS_BYTES, ADDRESS_BYTES);
    this.nonces[row] = nonce;
    this.serials[row] = serial;
    this.beats[row] = 0;
    this.heavyPlaces[row] = NONE;
    clear(this.#executableEnds, row);
    clear(this.#futureEnds, row);
    this.#index.insert(row, codeOfBytes(address, 0, ADDRESS_BYTES));
    return row;
  }

  close(row: number): void {
    this.#index.remove(row);
    this.#free.give(row);
  }
}

function clear(ends: ListEnds, row: number): void {
  ends.first[row] = NONE;
  ends.last[row] = NONE;
  ends.lengths[row] = 0;
}

/**
 * A set of rows as a ring around an anchor. A row's link is one higher than the row, the anchor is 0: a ring of the anchor alone
 * is what fresh memory says. A member stores -1 for the anchor, so that 0 says of a row that it is no member.
 */
class LinkedRows implements AccountSet<number> {
  readonly #previous: Int32Array;
  readonly #next: Int32Array;

  constructor(arena: Arena, rows: number) {
    this.#previous = arena.i32(rows + 1);
    this.#next = arena.i32(rows + 1);
  }

  touch(row: number): void {
    this.delete(row);
    const link = row + 1;
    this.#link(this.#follow(this.#previous, 0), link);
    this.#link(link, 0);
  }

  delete(row: number): void {
    const link = row + 1;
    if (this.#next[link] === 0) return;
    this.#link(this.#follow(this.#previous, link), this.#follow(this.#next, link));
    this.#previous[link] = 0;
    this.#next[link] = 0;
  }

  first(): number | undefined {
    const link = this.#follow(this.#next, 0);
    return link === 0 ? undefined : link - 1;
  }

  forEach(visit: (row: number) => void): void {
    let link = this.#follow(this.#next, 0);
    while (link !== 0) {
      const next = this.#follow(this.#next, link);
      visit(link - 1);
      link = next;
    }
  }

  #follow(links: Int32Array, link: number): number {
    const to = links[link] as number;
    return to === -1 ? 0 : to;
  }

  #link(from: number, to: number): void {
    this.#next[from] = to === 0 ? -1 : to;
    this.#previous[to] = from === 0 ? -1 : from;
  }
}

/**
 * Reads RLP (Ethereum's yellow paper, appendix B) strictly and without garbage: only the one shortest form of each item is
 * taken, and no item may reach beyond the list that holds it.
 *
 *     00..7f               the byte itself
 *     80 + n               n bytes, n <= 55             c0 + n               a list whose items take n bytes, n <= 55
 *     b7 + k, k bytes      a longer string              f7 + k, k bytes      a longer list, k bytes of length each
 */

export type RlpError = "missing-field" | "truncated" | "not-canonical" | "wrong-shape" | "leading-zero";

/** Longer lengths than fit into this many bytes are beyond any input. */
const MAX_LENGTH_BYTES = 4;

/** A cursor over `bytes`. Methods return false at the first thing that is wrong; `error` then says what. */
export class RlpReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the next item begins. */
  at = 0;
  /** Where the innermost open list ends. */
  limit = 0;
  /** The content of the item that was read last: `bytes[start]` to `bytes[end - 1]`. */
  start = 0;
  end = 0;
  /** The number that `integer` read last: here, not returned, since numbers beyond 2^31 may be garbage on their way back. */
  value = 0;
  error: RlpError = "missing-field";
  #isList = false;

  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.limit = end;
  }

  get atEnd(): boolean {
    return this.at === this.limit;
  }

  /** Reads a string; the cursor is behind it. */
  string(): boolean {
    if (!this.#item()) return false;
    return !this.#isList || this.#fail("wrong-shape");
  }

  /** Reads a list's header; the cursor is behind the whole list, whose items are `start` to `end`. */
  list(): boolean {
    if (!this.#item()) return false;
    return this.#isList || this.#fail("wrong-shape");
  }

  /** Reads a string that is a number without leading zeros; its value is `start` to `end`. */
  scalar(): boolean {
    if (!this.string()) return false;
    return this.start === this.end || this.bytes[this.start] !== 0 || this.#fail("leading-zero");
  }

  /** Reads a number into `value`, Infinity where it is 2^53 or more. */
  integer(): boolean {
    if (!this.scalar()) return false;
    let value = 0;
    for (let at = this.start; at < this.end; at++) value = value * 256 + (this.bytes[at] ?? 0);
    this.value = value <= Number.MAX_SAFE_INTEGER ? value : Number.POSITIVE_INFINITY;
    return true;
  }

  #item(): boolean {
    if (this.at >= this.limit) return this.#fail("missing-field");
    const first = this.bytes[this.at] ?? 0;
    if (first < 0x80) return this.#content(false, this.at, 1);
    const isList = first >= 0xc0;
    const short = first - (isList ? 0xc0 : 0x80);
    if (short > 55) return this.#long(isList, short - 55);
    if (!this.#content(isList, this.at + 1, short)) return false;
    const single = !isList && short === 1 && (this.bytes[this.start] ?? 0) < 0x80;
    return !single || this.#fail("not-canonical");
  }

  #long(isList: boolean, lengthBytes: number): boolean {
    const from = this.at + 1 + lengthBytes;
    if (from > this.limit) return this.#fail("truncated");
    if (this.bytes[this.at + 1] === 0) return this.#fail("not-canonical");
    if (lengthBytes > MAX_LENGTH_BYTES) return this.#fail("truncated");
    let length = 0;
    for (let at = this.at + 1; at < from; at++) length = length * 256 + (this.bytes[at] ?? 0);
    if (length <= 55) return this.#fail("not-canonical");
    return this.#content(isList, from, length);
  }

  #content(isList: boolean, start: number, length: number): boolean {
    if (start + length > this.limit) return this.#fail("truncated");
    this.#isList = isList;
    this.start = start;
    this.end = start + length;
    this.at = this.end;
    return true;
  }

  #fail(error: RlpError): false {
    this.error = error;
    return false;
  }
}

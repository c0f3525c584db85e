/** A binary heap of references, each with a number that it is ordered by; a tie is decided by the given order. */

/** Where a heap lies: two plain arrays, or two typed arrays that never grow. */
export interface HeapColumns<T> {
  readonly refs: T[] | (Int32Array & { [index: number]: T });
  readonly keys: number[] | Float64Array;
  readonly capacity: number;
}

export class PriceHeap<T> {
  size = 0;
  readonly #columns: HeapColumns<T>;
  readonly #refs: { [index: number]: T };
  readonly #keys: { [index: number]: number };
  readonly #tieBefore: (a: T, b: T) => boolean;

  /** `tieBefore`: a strict total order of references whose keys are equal. */
  constructor(columns: HeapColumns<T>, tieBefore: (a: T, b: T) => boolean) {
    this.#columns = columns;
    this.#refs = columns.refs;
    this.#keys = columns.keys;
    this.#tieBefore = tieBefore;
  }

  refAt(index: number): T {
    return this.#refs[index] as T;
  }

  keyAt(index: number): number {
    return this.#keys[index] as number;
  }

  push(ref: T, key: number): void {
    this.append(ref, key);
    this.#up(this.size - 1);
  }

  /** Takes the first away; there must be one. */
  pop(): T {
    const top = this.refAt(0);
    const last = this.size - 1;
    if (last > 0) this.#move(last, 0);
    this.truncate(last);
    this.#down(0);
    return top;
  }

  /** Puts one at the end, out of order: `order` must follow. */
  append(ref: T, key: number): void {
    // A heap that would be full is a fault of whoever sized it.
    if (this.size >= this.#columns.capacity) throw new RangeError(`a price heap holds ${this.size} entries, its limit`);
    this.#refs[this.size] = ref;
    this.#keys[this.size] = key;
    this.size++;
  }

  /** Keeps the first `size` entries. */
  truncate(size: number): void {
    this.size = size;
    const { refs, keys } = this.#columns;
    if (Array.isArray(refs)) refs.length = size;
    if (Array.isArray(keys)) keys.length = size;
  }

  set(index: number, ref: T, key: number): void {
    this.#refs[index] = ref;
    this.#keys[index] = key;
  }

  order(): void {
    for (let i = (this.size >> 1) - 1; i >= 0; i--) this.#down(i);
  }

  /** Moves entries so that the `count` that come first are the last ones (quickselect); `order` must follow. */
  selectToEnd(count: number): void {
    let from = 0;
    let to = this.size - 1;
    const border = this.size - count;
    while (count > 0 && from < to) {
      // Three of the range, the middle one of them: sorted input stays linear.
      const middle = (from + to) >>> 1;
      if (this.#before(from, middle)) this.#swap(from, middle);
      if (this.#before(from, to)) this.#swap(from, to);
      if (this.#before(middle, to)) this.#swap(middle, to);
      const ref = this.refAt(middle);
      const key = this.keyAt(middle);
      let left = from;
      let right = to;
      while (left <= right) {
        while (this.#isBefore(ref, key, this.refAt(left), this.keyAt(left))) left++;
        while (this.#isBefore(this.refAt(right), this.keyAt(right), ref, key)) right--;
        if (left <= right) this.#swap(left++, right--);
      }
      if (border <= right) to = right;
      else if (border >= left) from = left;
      else return;
    }
  }

  #isBefore(a: T, aKey: number, b: T, bKey: number): boolean {
    return aKey < bKey || (aKey === bKey && this.#tieBefore(a, b));
  }

  #before(a: number, b: number): boolean {
    return this.#isBefore(this.refAt(a), this.keyAt(a), this.refAt(b), this.keyAt(b));
  }

  #move(from: number, to: number): void {
    this.#refs[to] = this.refAt(from);
    this.#keys[to] = this.keyAt(from);
  }

  #swap(a: number, b: number): void {
    const ref = this.refAt(a);
    const key = this.keyAt(a);
    this.#move(b, a);
    this.set(b, ref, key);
  }

  #up(start: number): void {
    let i = start;
    const ref = this.refAt(i);
    const key = this.keyAt(i);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#isBefore(ref, key, this.refAt(parent), this.keyAt(parent))) break;
      this.#move(parent, i);
      i = parent;
    }
    this.set(i, ref, key);
  }

  #down(start: number): void {
    if (start >= this.size) return;
    let i = start;
    const ref = this.refAt(i);
    const key = this.keyAt(i);
    for (;;) {
      let child = 2 * i + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.#before(child + 1, child)) child++;
      if (!this.#isBefore(this.refAt(child), this.keyAt(child), ref, key)) break;
      this.#move(child, i);
      i = child;
    }
    this.set(i, ref, key);
  }
}

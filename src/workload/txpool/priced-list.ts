/**
 * Which transactions are the cheapest: go-ethereum's two heaps. Urgent is ordered by what a transaction would pay the producer
 * of the next block, floating by the most that it would ever pay; sizes are kept about 4 : 1. The cheapest of urgent move to
 * floating first, and the cheapest of floating leave the pool. What leaves the pool otherwise stays in its heap until it is met
 * or more than a quarter of all entries are such.
 *
 * go-ethereum leaves ties of price and nonce to chance; here the later arrival goes first, so that every store gives one answer.
 */
import { PriceHeap } from "./price-heap.ts";
import type { Store } from "./store.ts";

const URGENT_TO_FLOATING = 4;

/** Entries that a heap may hold: while a quarter of both is stale, there are a third more than live ones. */
export function heapCapacity(transactions: number): number {
  return Math.ceil((transactions * 4) / 3) + 8;
}

/** What the producer of a block with this base fee would get a unit of gas, wei; negative: it cannot be in that block. */
export function effectiveTip(feeCap: number, tip: number, baseFee: number): number {
  return Math.min(tip, feeCap - baseFee);
}

export class PricedList<T, A> {
  readonly #store: Store<T, A>;
  readonly #urgent: PriceHeap<T>;
  readonly #floating: PriceHeap<T>;
  #baseFee: number;
  /** The base fee has changed since the heaps were ordered. */
  #isDue = false;
  #stale = 0;
  /** Times that both heaps were made anew. */
  reheaps = 0;

  constructor(store: Store<T, A>, capacity: number, baseFee: number) {
    this.#store = store;
    this.#baseFee = baseFee;
    const before = (a: T, b: T): boolean => this.#tieBefore(a, b);
    this.#urgent = new PriceHeap(store.heapColumns(heapCapacity(capacity)), before);
    this.#floating = new PriceHeap(store.heapColumns(heapCapacity(capacity)), before);
  }

  /** Entries of both heaps, stale ones too. */
  get nodes(): number {
    return this.#urgent.size + this.#floating.size;
  }

  put(ref: T): void {
    this.#store.setPriced(ref, true);
    this.#urgent.push(ref, this.#urgentKey(ref));
  }

  /** A transaction has left the pool. */
  removed(ref: T): void {
    if (!this.#store.isPriced(ref)) {
      this.#store.recycle(ref);
      return;
    }
    this.#stale++;
    if (this.#stale > Math.floor(this.nodes / 4)) this.reheap();
  }

  /**
   * At a new head. The heaps are made anew when their order is asked for next: a pool that is not full never does, and a block's
   * budget is not spent on it.
   */
  setBaseFee(baseFee: number): void {
    this.#baseFee = baseFee;
    this.#isDue = true;
  }

  /** It pays no more than the cheapest: than the first of each heap that is not empty. */
  underpriced(ref: T): boolean {
    if (this.#isDue) this.reheap();
    this.#skipStale(this.#urgent);
    this.#skipStale(this.#floating);
    if (this.nodes === 0) return false;
    return (
      (this.#urgent.size === 0 || this.#notBelow(this.#urgent, ref, this.#urgentKey(ref))) &&
      (this.#floating.size === 0 || this.#notBelow(this.#floating, ref, this.#store.feeCap(ref)))
    );
  }

  /**
   * Takes the cheapest out of the heaps into `drops`, until they free `slots`. `slotsOf` says what each frees.
   * False, and nothing changed, if all of them do not.
   */
  discard(slots: number, slotsOf: (ref: T) => number, drops: T[]): boolean {
    if (this.#isDue) this.reheap();
    drops.length = 0;
    let missing = slots;
    while (missing > 0) {
      if (this.#urgent.size > this.#floating.size * URGENT_TO_FLOATING) {
        const ref = this.#urgent.pop();
        if (this.#store.isLive(ref)) this.#floating.push(ref, this.#store.feeCap(ref));
        else this.#forget(ref);
        continue;
      }
      if (this.#floating.size === 0) break;
      const ref = this.#floating.pop();
      if (!this.#store.isLive(ref)) {
        this.#forget(ref);
        continue;
      }
      this.#store.setPriced(ref, false);
      drops.push(ref);
      missing -= slotsOf(ref);
    }
    if (missing <= 0) return true;
    this.putBack(drops);
    return false;
  }

  putBack(drops: T[]): void {
    for (const ref of drops) this.put(ref);
    drops.length = 0;
  }

  /** Both heaps anew, without stale entries; the cheapest fifth is floating. */
  reheap(): void {
    this.reheaps++;
    this.#isDue = false;
    this.#gather();
    const urgent = this.#urgent;
    const floating = this.#floating;
    const count = Math.floor(urgent.size / (URGENT_TO_FLOATING + 1));
    urgent.selectToEnd(count);
    for (let i = urgent.size - count; i < urgent.size; i++) {
      const ref = urgent.refAt(i);
      floating.append(ref, this.#store.feeCap(ref));
    }
    urgent.truncate(urgent.size - count);
    urgent.order();
    floating.order();
  }

  /** Everything that lives into urgent, out of order. */
  #gather(): void {
    const urgent = this.#urgent;
    const floating = this.#floating;
    const sizes = [urgent.size, floating.size] as const;
    let kept = 0;
    const gather = (ref: T): void => {
      // Never ahead of what is being read.
      if (this.#store.isLive(ref)) urgent.set(kept++, ref, this.#urgentKey(ref));
      else this.#forget(ref);
    };
    this.#store.forEachPriced(gather, () => {
      for (let i = 0; i < sizes[0]; i++) gather(urgent.refAt(i));
      for (let i = 0; i < sizes[1]; i++) gather(floating.refAt(i));
    });
    urgent.truncate(kept);
    floating.truncate(0);
  }

  #skipStale(heap: PriceHeap<T>): void {
    while (heap.size > 0 && !this.#store.isLive(heap.refAt(0))) this.#forget(heap.pop());
  }

  #forget(ref: T): void {
    this.#stale--;
    this.#store.setPriced(ref, false);
    this.#store.recycle(ref);
  }

  #urgentKey(ref: T): number {
    return effectiveTip(this.#store.feeCap(ref), this.#store.tip(ref), this.#baseFee);
  }

  /** The heap's first is at least as dear as `ref`, by price alone. */
  #notBelow(heap: PriceHeap<T>, ref: T, key: number): boolean {
    const first = heap.keyAt(0);
    if (first !== key) return first > key;
    const head = heap.refAt(0);
    const feeCap = this.#store.feeCap(head) - this.#store.feeCap(ref);
    return feeCap > 0 || (feeCap === 0 && this.#store.tip(head) >= this.#store.tip(ref));
  }

  /** Keys are equal: the lower fee cap, then the lower tip, then the higher nonce, then the later arrival goes first. */
  #tieBefore(a: T, b: T): boolean {
    const store = this.#store;
    const feeCap = store.feeCap(a) - store.feeCap(b);
    if (feeCap !== 0) return feeCap < 0;
    const tip = store.tip(a) - store.tip(b);
    if (tip !== 0) return tip < 0;
    const nonce = store.nonce(a) - store.nonce(b);
    if (nonce !== 0) return nonce > 0;
    return store.arrival(a) > store.arrival(b);
  }
}

/** A block from the pool: the executable transactions that pay most, each account's in order, within gas and time. */
import type { Block } from "./block.ts";
import { nextBaseFee } from "./head.ts";
import { capacityOf } from "./limits.ts";
import type { Pool } from "./pool.ts";
import { PriceHeap } from "./price-heap.ts";
import { effectiveTip } from "./priced-list.ts";
import { EXECUTABLE } from "./store.ts";
import { ADDRESS_BYTES, HASH_BYTES } from "./transaction.ts";

/** Transactions between two looks at the clock. */
const TIME_CHECK_EVERY = 64;

/** Chooses what goes into the next block. Keeps its heap from block to block. */
export class BlockBuilder<T, A> {
  readonly #pool: Pool<T, A>;
  readonly #heap: PriceHeap<T>;
  readonly #enter = (account: A): void => this.#offer(this.#pool.store.first(account, EXECUTABLE));
  #baseFee = 0;

  constructor(pool: Pool<T, A>) {
    this.#pool = pool;
    this.#heap = new PriceHeap(
      pool.store.heapColumns(capacityOf(pool.limits)),
      (a, b) => pool.store.arrival(a) < pool.store.arrival(b),
    );
  }

  /**
   * Fills `block`. An account's next transaction is offered when the one before it has been taken; one that does not fit ends
   * its account's turn. Ties of tip go by arrival. Stops when `hasTime` says no: false then, and the block is what it is.
   */
  choose(block: Block, hasTime: () => boolean): boolean {
    const { store, head } = this.#pool;
    block.clear();
    this.#heap.truncate(0);
    this.#baseFee = nextBaseFee(head);
    store.executableAccounts.forEach(this.#enter);
    this.#heap.order();
    while (this.#heap.size > 0 && !block.isFull) {
      if (block.count % TIME_CHECK_EVERY === 0 && !hasTime()) return false;
      const ref = this.#heap.pop();
      if (block.gasUsed + store.gas(ref) > block.gasLimit) continue;
      this.#take(block, ref);
      const next = store.next(ref);
      if (next !== undefined) this.#push(next);
    }
    return true;
  }

  #offer(ref: T | undefined): void {
    const tip = ref === undefined ? -1 : this.#tipOf(ref);
    if (ref !== undefined && tip >= 0) this.#heap.append(ref, -tip);
  }

  #push(ref: T): void {
    const tip = this.#tipOf(ref);
    if (tip >= 0) this.#heap.push(ref, -tip);
  }

  #tipOf(ref: T): number {
    const { store } = this.#pool;
    return effectiveTip(store.feeCap(ref), store.tip(ref), this.#baseFee);
  }

  #take(block: Block, ref: T): void {
    const { store } = this.#pool;
    store.copyHash(ref, block.hashes, block.count * HASH_BYTES);
    store.copyAddress(store.accountOf(ref), block.senders, block.count * ADDRESS_BYTES);
    block.nonces[block.count] = store.nonce(ref);
    block.gasUsed += store.gas(ref);
    block.count++;
  }
}

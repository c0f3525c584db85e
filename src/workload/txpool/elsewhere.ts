import type { AccountNonces } from "./account-nonces.ts";
import type { Pool } from "./pool.ts";
import { EXECUTABLE, FUTURE } from "./store.ts";
import { ADDRESS_BYTES } from "./transaction.ts";

/**
 * What the pool lacks, other producers had: accounts whose transactions have waited behind a gap since `before` (ms), `most` of them at
 * most, get the nonce of the first that waits. Together with applyBlock, for `pool.newHead`.
 */
export class Elsewhere<T, A> {
  readonly #pool: Pool<T, A>;
  readonly #chain: AccountNonces;
  readonly #sender = new Uint8Array(ADDRESS_BYTES);
  #before = 0;
  #left = 0;
  readonly #includeFirst = (account: A): void => {
    const { store } = this.#pool;
    if (this.#left === 0 || store.beat(account) > this.#before || store.length(account, EXECUTABLE) > 0) return;
    const first = store.first(account, FUTURE);
    if (first === undefined) return;
    store.copyAddress(account, this.#sender, 0);
    this.#chain.set(this.#sender, 0, store.nonce(first));
    this.#left--;
  };

  constructor(pool: Pool<T, A>, chain: AccountNonces) {
    this.#pool = pool;
    this.#chain = chain;
  }

  include(before: number, most: number): void {
    this.#before = before;
    this.#left = most;
    this.#pool.store.futureAccounts.forEach(this.#includeFirst);
  }
}

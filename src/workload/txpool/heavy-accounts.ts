/**
 * Accounts with more executable transactions than each may always keep, the one with the most first: a binary heap that knows
 * each account's place in it. Of two that have as many, the one that was opened first comes first.
 */
import { EXECUTABLE, type Store } from "./store.ts";

export class HeavyAccounts<T, A> {
  readonly #store: Store<T, A>;
  readonly #allowance: number;
  readonly #accounts: { [index: number]: A };
  #size = 0;

  /** `allowance`: executable transactions that an account may always keep. `capacity`: accounts that there may be. */
  constructor(store: Store<T, A>, allowance: number, capacity: number) {
    this.#store = store;
    this.#allowance = allowance;
    this.#accounts = store.accountColumn(capacity);
  }

  first(): A | undefined {
    return this.#size === 0 ? undefined : this.#at(0);
  }

  /** To be called whenever the account's number of executable transactions has changed. */
  update(account: A): void {
    const isHeavy = this.#store.length(account, EXECUTABLE) > this.#allowance;
    const place = this.#store.heavyPlace(account);
    if (place < 0 && isHeavy) this.#up(this.#size++, account);
    else if (place >= 0 && isHeavy) this.#settle(place, account);
    else if (place >= 0) this.#remove(place, account);
  }

  #remove(place: number, account: A): void {
    const last = this.#at(--this.#size);
    this.#store.setHeavyPlace(account, -1);
    if (place < this.#size) this.#settle(place, last);
  }

  /** Puts it where it belongs, from an empty place. */
  #settle(place: number, account: A): void {
    this.#up(this.#down(place, account), account);
  }

  #up(from: number, account: A): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(account, this.#at(parent))) break;
      this.#put(place, this.#at(parent));
      place = parent;
    }
    this.#put(place, account);
  }

  /** Moves up what comes before the account; where the place is empty then. */
  #down(from: number, account: A): number {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) return place;
      if (child + 1 < this.#size && this.#isBefore(this.#at(child + 1), this.#at(child))) child++;
      if (!this.#isBefore(this.#at(child), account)) return place;
      this.#put(place, this.#at(child));
      place = child;
    }
  }

  #at(place: number): A {
    return this.#accounts[place] as A;
  }

  #put(place: number, account: A): void {
    this.#accounts[place] = account;
    this.#store.setHeavyPlace(account, place);
  }

  #isBefore(a: A, b: A): boolean {
    const more = this.#store.length(a, EXECUTABLE) - this.#store.length(b, EXECUTABLE);
    return more > 0 || (more === 0 && this.#store.serial(a) < this.#store.serial(b));
  }
}

/**
 * The rules of go-ethereum's legacy pool (core/txpool/legacypool at 02b73d4e), over any store. Differences from there:
 * - the price heaps are made anew when their order is next asked for, not at the new head itself;
 * - balances are not known, so nothing is too dear for its sender;
 * - a new head first drops what is stale and demotes what no longer follows, and then takes back and promotes: what is in the
 *   pool afterwards is the same, and only accounts whose nonce has changed are looked at;
 * - ties of price, length and heartbeat are decided by arrival, where a Go map leaves them to chance;
 * - an account is heard of (its heartbeat) only while it has transactions behind a gap.
 */
import type { AccountNonces } from "./account-nonces.ts";
import type { Block } from "./block.ts";
import { HashRing } from "./hash-ring.ts";
import { type Head, nextBaseFee } from "./head.ts";
import { HeavyAccounts } from "./heavy-accounts.ts";
import { type Answer, Counters, type Eviction, type Hooks, type Refusal, STAGES, type Stage } from "./lifecycle.ts";
import { capacityOf, checkLimits, MAX_TRANSACTION_BYTES, type PoolLimits, slotsOf } from "./limits.ts";
import { PricedList } from "./priced-list.ts";
import { EXECUTABLE, type Footprint, FUTURE, type List, type Store, type StoreUsage } from "./store.ts";
import { HASH_BYTES, type Transaction } from "./transaction.ts";

/** Slots that light mode gives up each time that the pool is settled: less than a millisecond of work. */
const SHED_SLOTS = 32;

/** Hashes that light mode keeps: what arrives in some seconds at any rate. */
const MOST_LIGHT_HASHES = 2 ** 17;

export interface PoolUsage extends StoreUsage {
  readonly heapNodes: number;
}

export class Pool<T, A> {
  readonly store: Store<T, A>;
  readonly limits: PoolLimits;
  readonly counters = new Counters();
  /** Hashes of what light mode refused or shed, the last ones. */
  readonly lightHashes: HashRing;
  readonly #chain: AccountNonces;
  readonly #hooks: Hooks<T>;
  readonly #priced: PricedList<T, A>;
  readonly #heavy: HeavyAccounts<T, A>;
  readonly #capacity: number;
  readonly #drops: T[] = [];
  readonly #slotsOf = (ref: T): number => slotsOf(this.store.rawBytes(ref));
  readonly #promoteDirty = (account: A): void => {
    this.store.dirtyAccounts.delete(account);
    this.#promote(account);
  };
  readonly #realignChanged = (address: Uint8Array, at: number, nonce: number): void => {
    const account = this.store.findAccount(address, at);
    if (account !== undefined) this.#realign(account, nonce);
  };
  #head: Head;
  #light = false;
  #now = 0;
  #arrivals = 0;
  #accountsOpened = 0;
  #changesSinceSettled = 0;

  /**
   * `chain` holds the accounts' nonces: whoever applies blocks sets them, and calls `newHead` then.
   * @throws GcspikeError for limits that make no sense
   */
  constructor(store: Store<T, A>, limits: PoolLimits, chain: AccountNonces, head: Head, hooks: Hooks<T> = {}) {
    checkLimits(limits);
    this.store = store;
    this.limits = limits;
    this.#chain = chain;
    this.#head = head;
    this.#hooks = hooks;
    this.#capacity = capacityOf(limits);
    this.#priced = new PricedList(store, this.#capacity, nextBaseFee(head));
    this.#heavy = new HeavyAccounts(store, limits.accountSlots, this.#capacity);
    this.lightHashes = new HashRing(Math.min(this.#capacity, MOST_LIGHT_HASHES));
  }

  get head(): Head {
    return this.#head;
  }

  get light(): boolean {
    return this.#light;
  }

  get size(): number {
    return this.counters.executable + this.counters.future;
  }

  /** Times that the price heaps were made anew. */
  get reheaps(): number {
    return this.#priced.reheaps;
  }

  has(hash: Uint8Array): boolean {
    return this.store.find(hash, 0) !== undefined;
  }

  /** Fills `into` with the transaction of this hash; its `raw` is the pool's own memory, valid until the next change. */
  get(hash: Uint8Array, into: Transaction): boolean {
    const ref = this.store.find(hash, 0);
    if (ref === undefined) return false;
    this.store.read(ref, into);
    return true;
  }

  /**
   * Takes one transaction. Settle after each batch: what follows its account's nonce is executable only then.
   * `now` is in ms and never goes back. Local transactions are taken in light mode too.
   * @throws GcspikeError, if the store has no memory for it; the pool is unchanged then
   */
  add(tx: Transaction, now: number, local = false): Answer {
    this.#now = now;
    if (this.store.find(tx.hash, 0) !== undefined) return this.#refuse("known");
    if (this.#light && !local) {
      this.lightHashes.add(tx.hash, 0);
      return this.#refuse("light");
    }
    if (tx.end - tx.start > MAX_TRANSACTION_BYTES) return this.#refuse("oversized");
    const ref = this.store.create(tx, this.#arrivals + 1);
    this.#arrivals++;
    this.#hooks.onAdd?.(tx);
    const invalid = this.#validate(tx);
    if (invalid !== undefined) return this.#turnAway(ref, invalid);
    this.counters.validated++;
    const crowded = this.#makeRoom(ref, tx);
    if (crowded !== undefined) return this.#turnAway(ref, crowded);
    return this.#queue(ref, tx);
  }

  /** Makes what follows executable, and keeps the lists within their limits. Once a batch. */
  settle(now: number): void {
    this.#now = now;
    this.store.dirtyAccounts.forEach(this.#promoteDirty);
    this.#truncateExecutable();
    this.#truncateFuture();
    if (this.#light) this.#shed();
    this.#changesSinceSettled = 0;
  }

  /**
   * The chain has a new head. The chain's nonces have been set to it. `block` is what was included, if known; `givenBack` are
   * transactions of blocks that are no longer in the chain.
   */
  newHead(head: Head, now: number, block?: Block, givenBack: Iterable<Transaction> = []): void {
    this.#now = now;
    this.#head = head;
    if (block !== undefined) this.#include(block);
    this.#chain.takeChanged(this.#realignChanged);
    this.#priced.setBaseFee(nextBaseFee(head));
    for (const tx of givenBack) this.add(tx, now, true);
    this.settle(now);
  }

  /** Drops what waits behind a gap of accounts that have been silent for longer than a lifetime. Once a minute. */
  sweep(now: number): void {
    this.#now = now;
    const { futureAccounts } = this.store;
    for (let account = futureAccounts.first(); account !== undefined; account = futureAccounts.first()) {
      if (now - this.store.beat(account) <= this.limits.lifetimeMs) return;
      this.#dropFuture(account, this.store.length(account, FUTURE), "lifetime");
    }
  }

  /** In light mode the pool keeps hashes of newcomers, and sheds what it has at each settle, the cheapest first. */
  setLight(light: boolean): void {
    if (this.#light && !light) this.lightHashes.clear();
    this.#light = light;
  }

  usage(): PoolUsage {
    return { ...this.store.usage(), heapNodes: this.#priced.nodes };
  }

  /** What one transaction of the mean size takes in each stage. */
  memory(): Record<Stage, Footprint> {
    const mean = this.size === 0 ? 0 : this.counters.rawBytes / this.size;
    const entries = STAGES.map((stage) => [stage, this.store.footprint(stage, mean)]);
    return Object.fromEntries(entries) as Record<Stage, Footprint>;
  }

  #refuse(reason: Refusal): Refusal {
    this.counters.added++;
    this.counters.refused[reason]++;
    return reason;
  }

  #accept<Taken extends Answer>(answer: Taken): Taken {
    this.counters.added++;
    this.counters.accepted++;
    return answer;
  }

  #turnAway(ref: T, reason: Refusal): Refusal {
    this.store.release(ref);
    this.store.recycle(ref);
    return this.#refuse(reason);
  }

  /** Rules that need nothing but the transaction and the chain. */
  #validate(tx: Transaction): Refusal | undefined {
    if (tx.gas > this.limits.blockGas) return "gas-above-block";
    if (tx.tip > tx.feeCap) return "tip-above-cap";
    if (this.#hooks.onValidate?.(tx) === false) return "invalid";
    if (tx.nonce < this.#chain.nonceOf(tx.sender, 0)) return "nonce-too-low";
    return undefined;
  }

  /** In a full pool the cheapest make room for one that pays more. */
  #makeRoom(ref: T, tx: Transaction): Refusal | undefined {
    const missing = this.counters.slots + this.#slotsOf(ref) - this.#capacity;
    if (missing <= 0) return undefined;
    if (this.#priced.underpriced(ref)) return "underpriced";
    if (this.#changesSinceSettled > Math.floor(this.limits.globalSlots / 4)) return "throttled";
    if (!this.#priced.discard(missing, this.#slotsOf, this.#drops)) return "no-room";
    if (this.#dropsExecutable() && this.#isBehindGap(tx)) {
      this.#priced.putBack(this.#drops);
      return "future-for-executable";
    }
    this.#dropCheapest("underpriced");
    return undefined;
  }

  #dropsExecutable(): boolean {
    for (const ref of this.#drops) if (this.store.isExecutable(ref)) return true;
    return false;
  }

  /** Not even what is queued already makes it follow. */
  #isBehindGap(tx: Transaction): boolean {
    const account = this.store.findAccount(tx.sender, 0);
    if (account === undefined) return tx.nonce > this.#chain.nonceOf(tx.sender, 0);
    const next = this.#nextNonce(account);
    if (tx.nonce - next > this.store.length(account, FUTURE)) return true;
    for (let nonce = next; nonce < tx.nonce; nonce++) if (this.store.at(account, nonce) === undefined) return true;
    return false;
  }

  #dropCheapest(reason: Eviction): void {
    for (const ref of this.#drops) {
      const account = this.store.accountOf(ref);
      const follower = this.store.isExecutable(ref) ? this.store.next(ref) : undefined;
      if (this.store.isExecutable(ref)) this.#changesSinceSettled++;
      this.#drop(ref, reason);
      this.#changesSinceSettled += this.#demoteFrom(account, follower);
      this.#closeIfEmpty(account);
    }
    this.#drops.length = 0;
  }

  /** The account's place for it, and whether it replaces the one that is there. */
  #queue(ref: T, tx: Transaction): Answer {
    const account = this.store.findAccount(tx.sender, 0) ?? this.#open(tx.sender);
    const old = this.store.at(account, tx.nonce);
    if (old === undefined) {
      this.#publish(ref, account);
      this.#attach(account, FUTURE, ref);
      this.store.dirtyAccounts.touch(account);
      return this.#accept("accepted");
    }
    if (!this.#paysMore(tx.feeCap, this.store.feeCap(old)) || !this.#paysMore(tx.tip, this.store.tip(old))) {
      return this.#turnAway(ref, "replacement-underpriced");
    }
    // The list is as long as before, so that its account stays where it is in every order.
    const list = this.store.isExecutable(old) ? EXECUTABLE : FUTURE;
    this.store.remove(old);
    this.#bury(old, "replaced");
    this.#publish(ref, account);
    this.store.insert(account, list, ref);
    if (list === EXECUTABLE) this.#hearOf(account);
    return this.#accept("replaced");
  }

  /** Higher, and by the price bump; rounded down like go-ethereum's integers, without leaving 53 bits. */
  #paysMore(fee: number, old: number): boolean {
    const { priceBump } = this.limits;
    const bump = Math.floor(old / 100) * priceBump + Math.floor(((old % 100) * priceBump) / 100);
    return fee > old && fee >= old + bump;
  }

  #open(address: Uint8Array): A {
    return this.store.openAccount(address, this.#chain.nonceOf(address, 0), ++this.#accountsOpened);
  }

  #closeIfEmpty(account: A): void {
    if (this.store.length(account, EXECUTABLE) + this.store.length(account, FUTURE) > 0) return;
    this.store.dirtyAccounts.delete(account);
    this.store.closeAccount(account);
  }

  #publish(ref: T, account: A): void {
    this.store.publish(ref, account);
    this.counters.slots += this.#slotsOf(ref);
    this.counters.rawBytes += this.store.rawBytes(ref);
    this.#priced.put(ref);
  }

  /** Out of its list and out of the pool. */
  #drop(ref: T, reason: Eviction): void {
    this.#detach(this.store.accountOf(ref), ref);
    this.#bury(ref, reason);
  }

  #bury(ref: T, reason: Eviction): void {
    this.counters.evicted[reason]++;
    this.#hooks.onEvict?.(ref, reason);
    if (reason === "light") this.#keepHash(ref);
    this.#forget(ref);
  }

  #forget(ref: T): void {
    this.counters.slots -= this.#slotsOf(ref);
    this.counters.rawBytes -= this.store.rawBytes(ref);
    this.store.release(ref);
    this.#priced.removed(ref);
  }

  #keepHash(ref: T): void {
    this.store.copyHash(ref, this.lightHashes.next, 0);
    this.lightHashes.add(this.lightHashes.next, 0);
  }

  #attach(account: A, list: List, ref: T): void {
    this.store.insert(account, list, ref);
    const length = this.store.length(account, list);
    if (list === FUTURE) {
      this.counters.future++;
      if (length === 1) {
        this.store.setBeat(account, this.#now);
        this.store.futureAccounts.touch(account);
      }
      return;
    }
    this.counters.executable++;
    if (length === 1) this.store.executableAccounts.touch(account);
    this.#heavy.update(account);
  }

  #detach(account: A, ref: T): void {
    const list = this.store.isExecutable(ref) ? EXECUTABLE : FUTURE;
    this.store.remove(ref);
    const length = this.store.length(account, list);
    if (list === FUTURE) {
      this.counters.future--;
      if (length === 0) this.store.futureAccounts.delete(account);
      return;
    }
    this.counters.executable--;
    if (length === 0) this.store.executableAccounts.delete(account);
    this.#heavy.update(account);
  }

  #hearOf(account: A): void {
    if (this.store.length(account, FUTURE) === 0) return;
    this.store.setBeat(account, this.#now);
    this.store.futureAccounts.touch(account);
  }

  /** Executable transactions follow one another from the chain's nonce on. */
  #nextNonce(account: A): number {
    return this.store.chainNonce(account) + this.store.length(account, EXECUTABLE);
  }

  #promote(account: A): void {
    this.#dropStale(account, FUTURE);
    let next = this.#nextNonce(account);
    let ref = this.store.first(account, FUTURE);
    while (ref !== undefined && this.store.nonce(ref) === next) {
      this.#detach(account, ref);
      this.#attach(account, EXECUTABLE, ref);
      this.counters.promoted++;
      this.#hearOf(account);
      next++;
      ref = this.store.first(account, FUTURE);
    }
    const over = this.store.length(account, FUTURE) - this.limits.accountQueue;
    if (over > 0) this.#dropLast(account, FUTURE, over, "account-queue");
    this.#closeIfEmpty(account);
  }

  #dropStale(account: A, list: List): void {
    const nonce = this.store.chainNonce(account);
    for (let ref = this.store.first(account, list); ref !== undefined; ref = this.store.first(account, list)) {
      if (this.store.nonce(ref) >= nonce) return;
      this.#drop(ref, "stale");
    }
  }

  #dropLast(account: A, list: List, count: number, reason: Eviction): void {
    for (let i = 0; i < count; i++) {
      const ref = this.store.last(account, list);
      if (ref !== undefined) this.#drop(ref, reason);
    }
  }

  #dropFuture(account: A, count: number, reason: Eviction): void {
    this.#dropLast(account, FUTURE, count, reason);
    this.#closeIfEmpty(account);
  }

  /** From `from` to the end of the account's executable ones: behind a gap now. */
  #demoteFrom(account: A, from: T | undefined): number {
    let count = 0;
    let ref = from;
    while (ref !== undefined) {
      const next = this.store.next(ref);
      this.#detach(account, ref);
      this.#attach(account, FUTURE, ref);
      count++;
      ref = next;
    }
    this.counters.demoted += count;
    if (count > 0) this.store.dirtyAccounts.touch(account);
    return count;
  }

  #include(block: Block): void {
    for (let i = 0; i < block.count; i++) {
      const ref = this.store.find(block.hashes, i * HASH_BYTES);
      if (ref === undefined) continue;
      const account = this.store.accountOf(ref);
      this.#detach(account, ref);
      this.counters.included++;
      this.#hooks.onInclude?.(ref);
      this.#forget(ref);
      this.#closeIfEmpty(account);
    }
  }

  #realign(account: A, nonce: number): void {
    this.store.setChainNonce(account, nonce);
    this.#dropStale(account, EXECUTABLE);
    const first = this.store.first(account, EXECUTABLE);
    if (first !== undefined && this.store.nonce(first) > nonce) this.#demoteFrom(account, first);
    this.store.dirtyAccounts.touch(account);
    this.#closeIfEmpty(account);
  }

  /**
   * Takes one from each of the accounts with the most executable transactions, then from each of those that have the most then,
   * and so on, until all are within the limit or none has more than each may keep.
   */
  #truncateExecutable(): void {
    let most = Number.POSITIVE_INFINITY;
    for (let account = this.#heavy.first(); account !== undefined; account = this.#heavy.first()) {
      const length = this.store.length(account, EXECUTABLE);
      if (length < most && this.counters.executable <= this.limits.globalSlots) return;
      most = length;
      this.#dropLast(account, EXECUTABLE, 1, "global-slots");
    }
  }

  /** From the accounts that have been silent for longest: everything of one, then of the next. */
  #truncateFuture(): void {
    const { futureAccounts } = this.store;
    for (let account = futureAccounts.first(); account !== undefined; account = futureAccounts.first()) {
      const over = this.counters.future - this.limits.globalQueue;
      if (over <= 0) return;
      this.#dropFuture(account, Math.min(over, this.store.length(account, FUTURE)), "global-queue");
    }
  }

  #shed(): void {
    const slots = Math.min(SHED_SLOTS, this.counters.slots);
    if (slots > 0 && this.#priced.discard(slots, this.#slotsOf, this.#drops)) this.#dropCheapest("light");
  }
}

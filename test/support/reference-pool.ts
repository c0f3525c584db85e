/**
 * The pool's rules as plainly as they can be said: one array of transactions, filtered and sorted anew for every question.
 * Slow, and independent of every data structure in src/workload/txpool.
 */
import type { PoolLimits } from "../../src/workload/txpool/limits.ts";
import type { Transaction } from "../../src/workload/txpool/transaction.ts";

export interface Entry {
  readonly hash: string;
  readonly sender: string;
  readonly nonce: number;
  readonly gas: number;
  readonly feeCap: number;
  readonly tip: number;
  readonly bytes: number;
  readonly arrival: number;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export class ReferencePool {
  executable: Entry[] = [];
  future: Entry[] = [];
  nonces = new Map<string, number>();
  light = false;
  counts: Record<string, number> = {};
  /** The last ones, as many as the pool has slots. */
  lightHashes: string[] = [];
  /** Both orders, stale entries included, in no order. */
  urgent: Entry[] = [];
  floating: Entry[] = [];
  #isReheapDue = false;
  readonly #limits: PoolLimits;
  #baseFee: number;
  #arrivals = 0;
  #changes = 0;
  /** When the account was last heard of, and the order in which they were; only with future transactions. */
  #beats = new Map<string, { at: number; order: number }>();
  #beatOrder = 0;
  /** The order in which accounts came. */
  #opened = new Map<string, number>();
  #opens = 0;
  #dirty = new Set<string>();

  constructor(limits: PoolLimits, baseFee: number) {
    this.#limits = limits;
    this.#baseFee = baseFee;
  }

  get all(): Entry[] {
    return [...this.executable, ...this.future];
  }

  add(tx: Transaction, now: number, local: boolean): string {
    const answer = this.#add(tx, now, local);
    this.#count("added");
    this.#count(answer === "accepted" || answer === "replaced" ? "accepted" : `refused ${answer}`);
    return answer;
  }

  settle(now: number): void {
    for (const sender of this.#dirty) this.#promote(sender, now);
    this.#dirty.clear();
    this.#truncateExecutable();
    while (this.future.length > this.#limits.globalQueue) {
      const silent = this.#mostSilent();
      this.#drop(this.#futureOf(silent).at(-1), "global-queue");
    }
    if (this.light) this.#shed(now);
    this.#changes = 0;
  }

  /** `nonces`: of the accounts where they may have changed, in the order in which the chain was told. */
  newHead(
    baseFee: number,
    nonces: ReadonlyMap<string, number>,
    included: readonly string[],
    givenBack: readonly Transaction[],
    now: number,
  ): void {
    for (const hash of included) {
      const entry = this.all.find((one) => one.hash === hash);
      if (entry !== undefined) this.#drop(entry, undefined);
    }
    for (const [sender, nonce] of nonces) this.nonces.set(sender, nonce);
    for (const sender of nonces.keys()) this.#realign(sender, now);
    this.#baseFee = baseFee;
    this.#isReheapDue = true;
    for (const tx of givenBack) this.add(tx, now, true);
    this.settle(now);
  }

  sweep(now: number): void {
    for (const [sender, beat] of this.#bySilence()) {
      if (now - beat.at <= this.#limits.lifetimeMs) continue;
      for (const entry of this.#futureOf(sender).reverse()) this.#drop(entry, "lifetime");
    }
  }

  setLight(light: boolean): void {
    if (!light) this.lightHashes = [];
    this.light = light;
  }

  nonceOf(sender: string): number {
    return this.nonces.get(sender) ?? 0;
  }

  nextNonce(sender: string): number {
    return this.nonceOf(sender) + this.#executableOf(sender).length;
  }

  /** The hashes of the next block. */
  choose(gasLimit: number): string[] {
    const chosen: string[] = [];
    let gas = 0;
    const heads = new Map<string, Entry[]>();
    for (const entry of this.executable) heads.set(entry.sender, this.#executableOf(entry.sender));
    while (gas + 21_000 <= gasLimit) {
      const offers = [...heads.values()].flatMap((list) => list.slice(0, 1)).filter((one) => this.#tipNow(one) >= 0);
      const best = offers.sort((a, b) => this.#tipNow(b) - this.#tipNow(a) || a.arrival - b.arrival)[0];
      if (best === undefined) break;
      const list = heads.get(best.sender) ?? [];
      if (gas + best.gas > gasLimit) {
        heads.delete(best.sender);
        continue;
      }
      list.shift();
      gas += best.gas;
      chosen.push(best.hash);
    }
    return chosen;
  }

  #add(tx: Transaction, now: number, local: boolean): string {
    const hash = hex(tx.hash);
    const sender = hex(tx.sender);
    const bytes = tx.end - tx.start;
    if (this.all.some((one) => one.hash === hash)) return "known";
    if (this.light && !local) {
      this.#remember(hash);
      return "light";
    }
    this.#arrivals++;
    if (bytes > 128 * 1024) return "oversized";
    if (tx.gas > this.#limits.blockGas) return "gas-above-block";
    if (tx.tip > tx.feeCap) return "tip-above-cap";
    if (tx.nonce < this.nonceOf(sender)) return "nonce-too-low";
    this.#count("validated");
    const entry = {
      hash,
      sender,
      nonce: tx.nonce,
      gas: tx.gas,
      feeCap: tx.feeCap,
      tip: tx.tip,
      bytes,
      arrival: this.#arrivals,
    };
    return this.#makeRoom(entry, now) ?? this.#place(entry, now);
  }

  #makeRoom(entry: Entry, now: number): string | undefined {
    const capacity = this.#limits.globalSlots + this.#limits.globalQueue;
    const missing = slots(entry) + this.slots() - capacity;
    if (missing <= 0) return undefined;
    if (this.#underpriced(entry)) return "underpriced";
    if (this.#changes > Math.floor(this.#limits.globalSlots / 4)) return "throttled";
    const drops = this.#discard(missing);
    if (drops === undefined) return "no-room";
    if (this.#isGapped(entry) && drops.some((one) => this.executable.includes(one))) {
      this.urgent.push(...drops);
      return "future-for-executable";
    }
    for (const one of drops) this.#dropCheap(one, "underpriced", now);
    return undefined;
  }

  #place(entry: Entry, now: number): string {
    const old = this.all.find((one) => one.sender === entry.sender && one.nonce === entry.nonce);
    if (old === undefined) {
      this.#open(entry.sender);
      this.#toFuture(entry, now);
      this.urgent.push(entry);
      this.#touch(entry.sender);
      return "accepted";
    }
    for (const fee of ["feeCap", "tip"] as const) {
      const threshold = (BigInt(old[fee]) * BigInt(100 + this.#limits.priceBump)) / 100n;
      if (entry[fee] <= old[fee] || BigInt(entry[fee]) < threshold) return "replacement-underpriced";
    }
    if (this.executable.includes(old)) {
      this.executable = [...without(this.executable, old), entry];
      this.#hear(entry.sender, now);
    } else this.future = [...without(this.future, old), entry];
    this.#count("evicted replaced");
    this.#stale();
    this.urgent.push(entry);
    return "replaced";
  }

  slots(): number {
    return this.all.reduce((sum, one) => sum + slots(one), 0);
  }

  #isGapped(entry: Entry): boolean {
    const have = new Set(this.#futureOf(entry.sender).map((one) => one.nonce));
    for (let nonce = this.nextNonce(entry.sender); nonce < entry.nonce; nonce++) if (!have.has(nonce)) return true;
    return false;
  }

  #promote(sender: string, now: number): void {
    for (const entry of this.#futureOf(sender)) if (entry.nonce < this.nonceOf(sender)) this.#drop(entry, "stale");
    for (const entry of this.#futureOf(sender)) {
      if (entry.nonce !== this.nextNonce(sender)) break;
      this.future = without(this.future, entry);
      this.executable.push(entry);
      this.#count("promoted");
      if (this.#futureOf(sender).length > 0) this.#hear(sender, now);
      else this.#beats.delete(sender);
    }
    for (const entry of this.#futureOf(sender).slice(this.#limits.accountQueue).reverse())
      this.#drop(entry, "account-queue");
  }

  #realign(sender: string, now: number): void {
    if (!this.all.some((one) => one.sender === sender)) return;
    for (const entry of this.#executableOf(sender)) if (entry.nonce < this.nonceOf(sender)) this.#drop(entry, "stale");
    const rest = this.#executableOf(sender);
    if (rest[0] !== undefined && rest[0].nonce > this.nonceOf(sender)) this.#demote(rest, now);
    this.#touch(sender);
  }

  #demote(entries: Entry[], now: number): void {
    for (const entry of entries) {
      this.executable = without(this.executable, entry);
      this.#toFuture(entry, now);
      this.#count("demoted");
      this.#touch(entry.sender);
    }
  }

  #truncateExecutable(): void {
    const { accountSlots, globalSlots } = this.#limits;
    const size = (sender: string): number => this.#executableOf(sender).length;
    const order = (sender: string): number => this.#opened.get(sender) ?? 0;
    const heavy = [...new Set(this.executable.map((one) => one.sender))]
      .filter((sender) => size(sender) > accountSlots)
      .sort((a, b) => size(b) - size(a) || order(a) - order(b));
    // The sizes that the largest are cut to, one step after the other.
    const levels = [...heavy.slice(1).map(size), accountSlots];
    if (this.executable.length <= globalSlots) return;
    for (const [i, level] of levels.entries()) {
      const offenders = heavy.slice(0, i + 1);
      const last = offenders[i];
      while (last !== undefined && this.executable.length > globalSlots && size(last) > level) {
        const inOrder = offenders.toSorted((a, b) => order(a) - order(b));
        for (const sender of inOrder) this.#drop(this.#executableOf(sender).at(-1), "global-slots");
      }
    }
  }

  #shed(now: number): void {
    if (this.all.length === 0) return;
    for (const one of this.#discard(Math.min(32, this.slots())) ?? []) {
      this.#remember(one.hash);
      this.#dropCheap(one, "light", now);
    }
  }

  #dropCheap(entry: Entry, reason: string, now: number): void {
    const followers = this.#executableOf(entry.sender).filter((one) => one.nonce > entry.nonce);
    const isExecutable = this.executable.includes(entry);
    this.#remove(entry);
    this.#count(`evicted ${reason}`);
    if (!isExecutable) return;
    this.#changes += 1 + followers.length;
    this.#demote(followers, now);
  }

  /** Out of the pool; its entry in the price order is stale from now on. */
  #drop(entry: Entry | undefined, reason: string | undefined): void {
    if (entry === undefined) throw new Error("nothing to drop");
    this.#remove(entry);
    this.#count(reason === undefined ? "included" : `evicted ${reason}`);
    this.#stale();
  }

  #remove(entry: Entry): void {
    this.executable = without(this.executable, entry);
    this.future = without(this.future, entry);
    if (this.#futureOf(entry.sender).length === 0) this.#beats.delete(entry.sender);
    if (!this.all.some((one) => one.sender === entry.sender)) {
      this.#opened.delete(entry.sender);
      this.#dirty.delete(entry.sender);
    }
  }

  #open(sender: string): void {
    if (!this.#opened.has(sender)) this.#opened.set(sender, ++this.#opens);
  }

  #toFuture(entry: Entry, now: number): void {
    this.future.push(entry);
    if (this.#futureOf(entry.sender).length === 1) this.#hear(entry.sender, now);
  }

  #hear(sender: string, now: number): void {
    if (this.#futureOf(sender).length > 0) this.#beats.set(sender, { at: now, order: ++this.#beatOrder });
  }

  #mostSilent(): string {
    return this.#bySilence()[0]?.[0] ?? "";
  }

  #bySilence(): [string, { at: number; order: number }][] {
    return [...this.#beats].sort(([, a], [, b]) => a.order - b.order);
  }

  /** At the end of those that are to be promoted. */
  #touch(sender: string): void {
    this.#dirty.delete(sender);
    this.#dirty.add(sender);
  }

  #remember(hash: string): void {
    if (this.lightHashes.includes(hash)) return;
    const capacity = this.#limits.globalSlots + this.#limits.globalQueue;
    this.lightHashes = [...this.lightHashes, hash].slice(-capacity);
  }

  #executableOf(sender: string): Entry[] {
    return byNonce(this.executable.filter((one) => one.sender === sender));
  }

  #futureOf(sender: string): Entry[] {
    return byNonce(this.future.filter((one) => one.sender === sender));
  }

  #tipNow(entry: Entry): number {
    return Math.min(entry.tip, entry.feeCap - this.#baseFee);
  }

  #urgentOrder = (a: Entry, b: Entry): number => this.#tipNow(a) - this.#tipNow(b) || this.#floatingOrder(a, b);

  #floatingOrder = (a: Entry, b: Entry): number =>
    a.feeCap - b.feeCap || a.tip - b.tip || b.nonce - a.nonce || b.arrival - a.arrival;

  #underpriced(entry: Entry): boolean {
    if (this.#isReheapDue) this.#reheap();
    this.urgent.sort(this.#urgentOrder);
    this.floating.sort(this.#floatingOrder);
    for (const heap of [this.urgent, this.floating])
      while (heap[0] !== undefined && !this.#lives(heap[0])) heap.shift();
    const [urgent] = this.urgent;
    const [floating] = this.floating;
    if (urgent === undefined && floating === undefined) return false;
    const price = (one: Entry): number[] => [one.feeCap, one.tip];
    const urgentPrice = (one: Entry): number[] => [this.#tipNow(one), ...price(one)];
    return (
      (urgent === undefined || notBelow(urgentPrice(urgent), urgentPrice(entry))) &&
      (floating === undefined || notBelow(price(floating), price(entry)))
    );
  }

  #discard(missing: number): Entry[] | undefined {
    if (this.#isReheapDue) this.#reheap();
    const drops: Entry[] = [];
    let left = missing;
    while (left > 0) {
      this.urgent.sort(this.#urgentOrder);
      this.floating.sort(this.#floatingOrder);
      if (this.urgent.length > this.floating.length * 4) {
        const entry = this.urgent.shift();
        if (entry !== undefined && this.#lives(entry)) this.floating.push(entry);
        continue;
      }
      const entry = this.floating.shift();
      if (entry === undefined) break;
      if (!this.#lives(entry)) continue;
      drops.push(entry);
      left -= slots(entry);
    }
    if (left <= 0) return drops;
    this.urgent.push(...drops);
    return undefined;
  }

  #stale(): void {
    const entries = [...this.urgent, ...this.floating];
    const stale = entries.filter((one) => !this.#lives(one)).length;
    if (stale > Math.floor(entries.length / 4)) this.#reheap();
  }

  #reheap(): void {
    this.#isReheapDue = false;
    const live = [...this.urgent, ...this.floating].filter((one) => this.#lives(one)).sort(this.#urgentOrder);
    const count = Math.floor(live.length / 5);
    this.floating = live.slice(0, count);
    this.urgent = live.slice(count);
  }

  #lives(entry: Entry): boolean {
    return this.executable.includes(entry) || this.future.includes(entry);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

const slots = (entry: Entry): number => Math.ceil(entry.bytes / 32_768);

const without = (list: Entry[], entry: Entry): Entry[] => list.filter((one) => one !== entry);

const byNonce = (list: Entry[]): Entry[] => list.sort((a, b) => a.nonce - b.nonce);

function notBelow(a: number[], b: number[]): boolean {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value > (b[i] ?? 0);
  return true;
}

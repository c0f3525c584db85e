/** Random histories of a pool, played to every store and to the reference at once. */
import fc from "fast-check";
import { expect } from "vitest";
import { applyBlock, Block, revertBlock } from "../../src/workload/txpool/block.ts";
import { BlockBuilder } from "../../src/workload/txpool/block-builder.ts";
import { type Head, nextBaseFee } from "../../src/workload/txpool/head.ts";
import type { Counters } from "../../src/workload/txpool/lifecycle.ts";
import type { PoolLimits } from "../../src/workload/txpool/limits.ts";
import type { Transaction } from "../../src/workload/txpool/transaction.ts";
import { ReferencePool } from "./reference-pool.ts";
import { type AnyPool, addressOf, contents, describe, GENESIS, type Subject, transaction } from "./txpools.ts";

const SENDERS = 6;

export type Step =
  | {
      readonly kind: "add";
      readonly sender: number;
      /** `from` the account's next nonce, so many further ones, each `step` behind the one before. */
      readonly from: number;
      readonly count: number;
      readonly step: number;
      readonly feeCap: number;
      readonly tip: number;
      readonly gas: number;
      readonly bytes: number;
      readonly local: boolean;
    }
  | { readonly kind: "again"; readonly which: number }
  | { readonly kind: "settle" }
  | { readonly kind: "block"; readonly gasLimit: number; readonly foreign: number }
  | { readonly kind: "reorg"; readonly depth: number; readonly build: boolean }
  | { readonly kind: "sweep"; readonly afterMs: number }
  | { readonly kind: "light"; readonly light: boolean }
  | { readonly kind: "collect" };

const add: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant("add" as const),
  sender: fc.nat(SENDERS - 1),
  from: fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, fc.integer({ min: -3, max: 5 })),
  count: fc.oneof({ arbitrary: fc.constant(1), weight: 3 }, fc.integer({ min: 2, max: 8 })),
  step: fc.oneof({ arbitrary: fc.constant(1), weight: 4 }, fc.constant(2)),
  // Few prices, so that there are ties; bumps of 9 and 10 percent.
  feeCap: fc.constantFrom(60, 100, 110, 120, 200, 218, 220, 242, 1000, 1099, 1100),
  tip: fc.constantFrom(0, 5, 10, 11, 12, 20, 100, 109, 110, 5000),
  gas: fc.constantFrom(21_000, 21_000, 60_000, 400_000, 31_000_000),
  bytes: fc.oneof(
    { arbitrary: fc.integer({ min: 100, max: 700 }), weight: 12 },
    fc.constantFrom(8000, 32_769, 70_000, 128 * 1024, 128 * 1024 + 1),
  ),
  local: fc.boolean(),
});

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { arbitrary: add, weight: 12 },
    { arbitrary: fc.constant<Step>({ kind: "settle" }), weight: 5 },
    {
      arbitrary: fc.record({
        kind: fc.constant("block" as const),
        gasLimit: fc.constantFrom(50_000, 150_000, 1_000_000),
        foreign: fc.nat(SENDERS * 3),
      }),
      weight: 3,
    },
    fc.record({ kind: fc.constant("again" as const), which: fc.nat(1000) }),
    fc.record({ kind: fc.constant("reorg" as const), depth: fc.integer({ min: 1, max: 3 }), build: fc.boolean() }),
    fc.record({ kind: fc.constant("sweep" as const), afterMs: fc.constantFrom(0, 100, 1000) }),
    fc.record({ kind: fc.constant("light" as const), light: fc.boolean() }),
    fc.constant<Step>({ kind: "collect" }),
  ),
  { minLength: 1, maxLength: 120, size: "max" },
);

/** Small enough that every limit is met all the time. */
export const limits: fc.Arbitrary<PoolLimits> = fc.record({
  accountSlots: fc.integer({ min: 1, max: 3 }),
  globalSlots: fc.integer({ min: 1, max: 20 }),
  accountQueue: fc.integer({ min: 1, max: 5 }),
  globalQueue: fc.integer({ min: 1, max: 10 }),
  priceBump: fc.constantFrom(1, 10, 33),
  lifetimeMs: fc.constant(500),
  blockGas: fc.constant(30_000_000),
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

interface Mined {
  readonly parent: Head;
  readonly block: Block;
  readonly transactions: readonly Transaction[];
}

export class History {
  readonly #subjects: readonly Subject[];
  readonly #builders: readonly BlockBuilder<unknown, unknown>[];
  readonly #reference: ReferencePool;
  /** Everything that was ever made, and by hash. */
  readonly #made: Transaction[] = [];
  readonly #byHash = new Map<string, Transaction>();
  readonly #mined: Mined[] = [];
  #head = GENESIS;
  #now = 0;

  constructor(subjects: readonly Subject[], poolLimits: PoolLimits) {
    this.#subjects = subjects;
    this.#builders = subjects.map(({ pool }) => new BlockBuilder(pool));
    this.#reference = new ReferencePool(poolLimits, nextBaseFee(GENESIS));
  }

  play(step: Step): void {
    this.#now += 7;
    this.#take(step);
    this.compare();
  }

  /** Everything that can be seen of the pools is the same in all, and in the reference. */
  compare(): void {
    const expected = [
      ...this.#reference.executable.map(({ hash }) => `executable ${this.#describe(hash)}`),
      ...this.#reference.future.map(({ hash }) => `future ${this.#describe(hash)}`),
    ]
      .sort()
      .join("\n");
    const { counts, executable, future, all } = this.#reference;
    for (const { pool, name } of this.#subjects) {
      expect(contents(pool).join("\n"), name).toBe(expected);
      expect(countsOf(pool.counters), name).toEqual(counts);
      expect(pool.counters, name).toMatchObject({
        executable: executable.length,
        future: future.length,
        slots: this.#reference.slots(),
        rawBytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      });
      expect(pool.usage(), name).toMatchObject({
        indexEntries: all.length,
        accounts: new Set(all.map(({ sender }) => sender)).size,
        heapNodes: this.#reference.urgent.length + this.#reference.floating.length,
        slabSlots: name === "mmap" ? all.length : 0,
      });
      expect(pool.lightHashes.size, name).toBe(this.#reference.lightHashes.length);
      for (const hash of this.#reference.lightHashes)
        expect(pool.lightHashes.has(Buffer.from(hash, "hex"), 0)).toBe(true);
    }
  }

  /** Every account's nonce far ahead: nothing can stay. */
  drain(): void {
    this.#now += 1;
    for (const { pool, chain } of this.#subjects) {
      for (let sender = 0; sender < SENDERS; sender++) chain.set(addressOf(sender), 0, 1_000_000);
      pool.newHead(this.#head, this.#now);
      pool.setLight(false);
    }
  }

  #take(step: Step): void {
    switch (step.kind) {
      case "add":
        this.#addAll(step);
        break;
      case "again": {
        const tx = this.#made[step.which % Math.max(this.#made.length, 1)];
        if (tx !== undefined) this.#add(tx, true);
        break;
      }
      case "settle":
        this.#reference.settle(this.#now);
        for (const { pool } of this.#subjects) pool.settle(this.#now);
        break;
      case "block":
        this.#mine(step.gasLimit, step.foreign);
        break;
      case "reorg":
        this.#reorganise(step.depth, step.build);
        break;
      case "sweep":
        this.#now += step.afterMs;
        this.#reference.sweep(this.#now);
        for (const { pool } of this.#subjects) pool.sweep(this.#now);
        break;
      case "light":
        this.#reference.setLight(step.light);
        for (const { pool } of this.#subjects) pool.setLight(step.light);
        break;
      case "collect":
        for (const { collect } of this.#subjects) collect();
    }
  }

  #addAll(step: Extract<Step, { kind: "add" }>): void {
    const next = this.#reference.nextNonce(hex(addressOf(step.sender)));
    for (let i = 0; i < step.count; i++) {
      const nonce = Math.max(0, next + step.from + i * step.step);
      const tx = transaction({ ...step, id: this.#made.length, nonce });
      this.#made.push(tx);
      this.#byHash.set(hex(tx.hash), tx);
      this.#add(tx, step.local);
    }
  }

  #add(tx: Transaction, local: boolean): void {
    const answer = this.#reference.add(tx, this.#now, local);
    for (const { pool, name } of this.#subjects) expect(pool.add(tx, this.#now, local), name).toBe(answer);
  }

  /** `foreign`: a sender whose nonces go up by some without a transaction that the pool knows. */
  #mine(gasLimit: number, foreign: number): void {
    const parent = this.#head;
    const chosen = this.#reference.choose(gasLimit);
    const foreignSender = addressOf(foreign % SENDERS);
    const foreignNonces = Math.floor(foreign / SENDERS);
    const blocks = this.#subjects.map(({ pool, chain, name }, i) => {
      const block = new Block(gasLimit);
      expect(this.#builders[i]?.choose(block, () => true)).toBe(true);
      expect(hashesOf(block), name).toEqual(chosen);
      const head = applyBlock(block, parent, chain);
      if (foreignNonces > 0) chain.set(foreignSender, 0, chain.nonceOf(foreignSender, 0) + foreignNonces);
      pool.newHead(head, this.#now, block);
      this.#head = head;
      return block;
    });
    const transactions = chosen.map((hash) => this.#byHash.get(hash) as Transaction);
    const nonces = new Map<string, number>();
    for (const tx of transactions) nonces.set(hex(tx.sender), tx.nonce + 1);
    if (foreignNonces > 0) {
      const sender = hex(foreignSender);
      nonces.set(sender, (nonces.get(sender) ?? this.#reference.nonceOf(sender)) + foreignNonces);
      // What others sent cannot be given back: a reorganisation does not reach behind it.
      this.#mined.length = 0;
    } else this.#mined.push({ parent, block: blocks[0] as Block, transactions });
    this.#reference.newHead(nextBaseFee(this.#head), nonces, chosen, [], this.#now);
  }

  /** The last blocks are no longer in the chain; with `build`, what the new ones hold is nothing to the pool. */
  #reorganise(depth: number, build: boolean): void {
    const reverted = this.#mined.splice(-depth).reverse();
    const oldest = reverted.at(-1);
    if (oldest === undefined) return;
    this.#head = build ? { ...oldest.parent, gasUsed: oldest.parent.gasLimit } : oldest.parent;
    const nonces = new Map<string, number>();
    for (const { transactions } of reverted) {
      for (const tx of [...transactions].reverse()) nonces.set(hex(tx.sender), tx.nonce);
    }
    const givenBack = reverted.flatMap(({ transactions }) => transactions);
    for (const { pool, chain } of this.#subjects) {
      for (const { block } of reverted) revertBlock(block, chain);
      pool.newHead(this.#head, this.#now, undefined, givenBack);
    }
    this.#reference.newHead(nextBaseFee(this.#head), nonces, [], givenBack, this.#now);
  }

  #describe(hash: string): string {
    return describe(this.#byHash.get(hash) as Transaction);
  }
}

function hashesOf(block: Block): string[] {
  return Array.from({ length: block.count }, (_, i) => hex(block.hashes.subarray(i * 32, i * 32 + 32)));
}

/** As the reference counts: only what has happened. */
function countsOf(counters: Counters): Record<string, number> {
  const { added, validated, accepted, included, promoted, demoted } = counters;
  const all = Object.entries({ added, validated, accepted, included, promoted, demoted });
  for (const [reason, times] of Object.entries(counters.refused)) all.push([`refused ${reason}`, times]);
  for (const [reason, times] of Object.entries(counters.evicted)) all.push([`evicted ${reason}`, times]);
  return Object.fromEntries(all.filter(([, times]) => times > 0));
}

/** Nothing of the pool is in use any more. */
export function expectEmpty(pool: AnyPool): void {
  expect(pool.usage()).toEqual({ records: 0, indexEntries: 0, accounts: 0, slabSlots: 0, heapNodes: 0 });
  expect(pool.counters).toMatchObject({ executable: 0, future: 0, slots: 0, rawBytes: 0 });
}

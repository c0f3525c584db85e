/**
 * The measured part of the workload: takes arrivals when they are due, makes blocks on their schedule, and keeps count. What is
 * late is taken late, in order, and its latency counts from when it was due. The loop itself makes next to no garbage, so that
 * what a store makes is seen.
 */
import { performance, type RecordableHistogram } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { AccountNonces } from "./account-nonces.ts";
import type { ArrivalReader } from "./arrivals.ts";
import type { Batch } from "./batch.ts";
import { applyBlock, Block } from "./block.ts";
import type { BlockBuilder } from "./block-builder.ts";
import { emptyDecodedTransaction, type Refusal as Malformed, REFUSALS, type TransactionDecoder } from "./decode.ts";
import { Elsewhere } from "./elsewhere.ts";
import type { HeadSchedule, ScheduledHead } from "./head-schedule.ts";
import type { HeadSnapshot } from "./head-snapshot.ts";
import { LightSwitch, type Measurements } from "./light-mode.ts";
import type { TxpoolOptions } from "./options.ts";
import type { Pool } from "./pool.ts";
import type { Verifier } from "./verify.ts";

/** How long the loop may wait for what is due next, ms: the longest that is not too long. A timer each, so that none is made anew. */
const WAITS_MS = [1, 2, 4, 8] as const;
const NOTHING = -1;
/** How long it works before it lets the event loop turn, ms. */
const TURN_MS = 5;
/** Block processing looks this far back for what the next block may take. */
const REMEMBERED_BLOCKS = 4;
/** Of a block's budget, what choosing its transactions may take: the rest is for taking them out of the pool. */
const CHOOSING_SHARE = 0.5;
/** So long a gap stays open before other producers have included what is missing; in so many accounts a block at most. */
const BLOCKS_OF_PATIENCE = 2;
const MOST_ELSEWHERE = 1000;
const SWEEP_EVERY_MS = 60_000;

export interface Parts<T, A> {
  readonly pool: Pool<T, A>;
  readonly builder: BlockBuilder<T, A>;
  readonly chain: AccountNonces;
  readonly heads: HeadSchedule;
  readonly snapshot: HeadSnapshot;
  readonly reader: ArrivalReader;
  readonly batch: Batch;
  readonly decoder: TransactionDecoder;
  /** null: senders are believed. */
  readonly verifier: Verifier | null;
  /** Of microseconds. */
  readonly latency: RecordableHistogram;
  readonly memoryLimitBytes: number;
}

export interface BlockFigures {
  count: number;
  included: number;
  /** Took longer than the budget. */
  overBudget: number;
  /** Closed before they were full, since the budget's time was up. */
  cutShort: number;
  longestMs: number;
  totalMs: number;
}

export interface RunFigures {
  /** From the start to the last arrival that was taken, ms. */
  readonly elapsedMs: number;
  readonly taken: number;
  readonly untaken: number;
  /**
   * How late it was in the last tenth of the time, when it was least late, ms: what holds the rate has caught up at least once
   * there.
   */
  readonly behindMs: number;
  readonly longestStallMs: number;
  readonly malformed: Readonly<Record<Malformed, number>>;
  readonly wrongSenders: number;
  readonly blocks: Readonly<BlockFigures>;
  readonly light: { readonly timeMs: number; readonly entries: number };
  readonly peakSize: number;
}

export class TxpoolRun<T, A> {
  readonly #parts: Parts<T, A>;
  readonly #options: TxpoolOptions;
  readonly #tx = emptyDecodedTransaction();
  readonly #block: Block;
  readonly #elsewhere: Elsewhere<T, A>;
  readonly #lightSwitch: LightSwitch;
  readonly #blocksMs = new Float64Array(REMEMBERED_BLOCKS);
  readonly #stallsMs = new Float64Array(REMEMBERED_BLOCKS);
  readonly #malformed = Object.fromEntries(Object.keys(REFUSALS).map((reason) => [reason, 0])) as Record<
    Malformed,
    number
  >;
  readonly #blockFigures: BlockFigures = {
    count: 0,
    included: 0,
    overBudget: 0,
    cutShort: 0,
    longestMs: 0,
    totalMs: 0,
  };
  readonly #hasTime = (): boolean => this.#clock() < this.#chooseUntilMs;
  readonly #stopAtMs: number;
  #isStopped = false;
  /** Which of the timers is to wake the loop. */
  #waitsFor = 0;
  #startMs = 0;
  #chooseUntilMs = 0;
  #nextHead: ScheduledHead;
  #nextSweepMs = SWEEP_EVERY_MS;
  /** The last time that the loop was seen alive, and when it meant to be next. */
  #expectedMs = 0;
  #stallMs = 0;
  #longestStallMs = 0;
  #taken = 0;
  #lastTakenMs = 0;
  #behindMs = Number.POSITIVE_INFINITY;
  #wrongSenders = 0;
  #peakSize = 0;

  constructor(parts: Parts<T, A>, options: TxpoolOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#block = new Block(parts.pool.limits.blockGas);
    this.#elsewhere = new Elsewhere(parts.pool, parts.chain);
    this.#lightSwitch = new LightSwitch(options.blockBudgetMs);
    this.#nextHead = parts.heads.next();
    // Who is hopelessly late is not waited for.
    this.#stopAtMs = options.durationMs + Math.max(1000, options.durationMs / 10);
  }

  /** Runs to the end of the arrivals. Rejects with what goes wrong in it. */
  run(): Promise<RunFigures> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          const isLate = this.#turn();
          if (this.#isOver()) resolve(this.#figures());
          else if (isLate) setImmediate(turn);
          else this.#wait(timers);
        } catch (error) {
          reject(error);
        }
      };
      this.#startMs = performance.now();
      const timers = WAITS_MS.map((ms, index) =>
        setTimeout(() => {
          // Each begins by firing once, whether it was chosen or not.
          if (this.#waitsFor !== index) return;
          this.#waitsFor = NOTHING;
          turn();
        }, ms),
      );
    });
  }

  /** Ends the run at the next turn of the loop: what is due is left. */
  stop(): void {
    this.#isStopped = true;
  }

  #clock(): number {
    return performance.now() - this.#startMs;
  }

  #isOver(): boolean {
    return (
      this.#isStopped ||
      this.#parts.reader.done ||
      this.#lastTakenMs > this.#stopAtMs ||
      this.#expectedMs > this.#stopAtMs
    );
  }

  /** True: there is more to do at once. */
  #turn(): boolean {
    const { reader } = this.#parts;
    const begin = this.#clock();
    this.#notice(begin);
    let now = begin;
    for (;;) {
      if (now >= this.#nextHead.atMs) {
        this.#makeBlock(now);
        now = this.#clock();
        this.#expectedMs = now;
      }
      reader.look();
      this.#noteLag(now, reader.dueMs);
      if (reader.dueMs > now) {
        this.#expectedMs = now;
        return false;
      }
      now = this.#takeBatch();
      this.#notice(now);
      if (now - begin > TURN_MS) return true;
    }
  }

  /** Until shortly before what is due next. */
  #wait(timers: readonly NodeJS.Timeout[]): void {
    const restMs = Math.min(this.#parts.reader.dueMs, this.#nextHead.atMs) - this.#expectedMs;
    let chosen = 0;
    while (chosen + 1 < WAITS_MS.length && (WAITS_MS[chosen + 1] as number) <= restMs) chosen++;
    this.#waitsFor = chosen;
    this.#expectedMs += WAITS_MS[chosen] as number;
    timers[chosen]?.refresh();
  }

  /** How late the loop is is how long it was held up: by a collection, by page faults, by other programs. */
  #notice(now: number): void {
    this.#stallMs = Math.max(this.#stallMs, now - this.#expectedMs);
    this.#expectedMs = now;
  }

  #noteLag(now: number, dueMs: number): void {
    const { durationMs } = this.#options;
    if (now < durationMs * 0.9) return;
    this.#behindMs = Math.min(this.#behindMs, dueMs > now ? 0 : now - dueMs);
  }

  /** Everything that arrived together, and the pool's bookkeeping behind it. Returns the time. */
  #takeBatch(): number {
    const { reader, pool, latency, batch, verifier } = this.#parts;
    const { dueMs } = reader;
    // Whole: a number with a fraction would be boxed for every transaction.
    const now = Math.floor(this.#clock());
    batch.fill(reader);
    verifier?.verify();
    for (let i = 0; i < batch.count; i++) this.#takeOne(i, now);
    pool.settle(now);
    const done = this.#clock();
    const us = Math.max(1, Math.round((done - dueMs) * 1000));
    for (let i = 0; i < batch.count; i++) latency.record(us);
    this.#taken += batch.count;
    this.#lastTakenMs = done;
    this.#peakSize = Math.max(this.#peakSize, pool.size);
    return done;
  }

  #takeOne(index: number, now: number): void {
    const { decoder, pool, batch, verifier } = this.#parts;
    const { bytes, starts, ends } = batch;
    const tx = this.#tx;
    const malformed = decoder.decode(bytes, starts[index] as number, ends[index] as number, tx);
    if (malformed !== null) {
      this.#malformed[malformed]++;
      return;
    }
    batch.copySender(index, tx.sender);
    if (verifier?.isWrong(index) === true) this.#wrongSenders++;
    else pool.add(tx, now);
  }

  /** Chooses a block's transactions, applies it, and settles the pool on the new head, all of which its budget is for. */
  #makeBlock(now: number): void {
    const { pool, builder, chain, heads, snapshot } = this.#parts;
    const { blockBudgetMs } = this.#options;
    this.#chooseUntilMs = now + blockBudgetMs * CHOOSING_SHARE;
    const isWhole = builder.choose(this.#block, this.#hasTime);
    const { baseFee, gasUsed } = this.#nextHead;
    const head = { ...applyBlock(this.#block, pool.head, chain), baseFee, gasUsed };
    this.#elsewhere.include(now - BLOCKS_OF_PATIENCE * this.#options.blockTimeMs, MOST_ELSEWHERE);
    pool.newHead(head, now, this.#block);
    snapshot.publish(head);
    const took = this.#clock() - now;
    this.#countBlock(took, isWhole);
    this.#rememberBlock(took);
    pool.setLight(this.#lightSwitch.update(this.#clock(), this.#measurements()));
    if (now >= this.#nextSweepMs) {
      pool.sweep(now);
      this.#nextSweepMs += SWEEP_EVERY_MS;
    }
    this.#nextHead = heads.next();
  }

  #countBlock(took: number, isWhole: boolean): void {
    const figures = this.#blockFigures;
    figures.count++;
    figures.included += this.#block.count;
    if (took > this.#options.blockBudgetMs) figures.overBudget++;
    if (!isWhole) figures.cutShort++;
    figures.longestMs = Math.max(figures.longestMs, took);
    figures.totalMs += took;
  }

  #rememberBlock(took: number): void {
    const at = this.#blockFigures.count % REMEMBERED_BLOCKS;
    this.#blocksMs[at] = took;
    this.#stallsMs[at] = this.#stallMs;
    this.#longestStallMs = Math.max(this.#longestStallMs, this.#stallMs);
    this.#stallMs = 0;
  }

  /** Whichever is nearer to its limit: the process's memory to the machine's, or the heap to V8's. */
  #measurements(): Measurements {
    const { used_heap_size: heapBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
    const { memoryLimitBytes } = this.#parts;
    const memoryBytes = process.memoryUsage.rss();
    const remembered = { blocksMs: this.#blocksMs, stallsMs: this.#stallsMs };
    return heapBytes / heapLimitBytes > memoryBytes / memoryLimitBytes
      ? { ...remembered, memoryBytes: heapBytes, memoryLimitBytes: heapLimitBytes }
      : { ...remembered, memoryBytes, memoryLimitBytes };
  }

  #figures(): RunFigures {
    this.#longestStallMs = Math.max(this.#longestStallMs, this.#stallMs);
    const elapsedMs = this.#lastTakenMs;
    return {
      elapsedMs,
      taken: this.#taken,
      untaken: this.#isStopped ? 0 : this.#giveUpOnTheRest(),
      behindMs: Number.isFinite(this.#behindMs) ? this.#behindMs : 0,
      longestStallMs: this.#longestStallMs,
      malformed: this.#malformed,
      wrongSenders: this.#wrongSenders,
      blocks: this.#blockFigures,
      light: { timeMs: this.#lightSwitch.timeMs(this.#clock()), entries: this.#lightSwitch.entries },
      peakSize: this.#peakSize,
    };
  }

  /** What was due and was never taken has waited until now, at least. Returns how many. */
  #giveUpOnTheRest(): number {
    const { reader, latency } = this.#parts;
    const now = this.#clock();
    let count = 0;
    for (reader.look(); reader.dueMs <= now; reader.look()) {
      reader.take(this.#tx);
      latency.record(Math.max(1, Math.round((now - reader.dueMs) * 1000)));
      count++;
    }
    return count;
  }
}

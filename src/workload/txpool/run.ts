/**
 * The measured part of the workload: takes arrivals when they are due, makes blocks on their schedule, and keeps count. What is
 * late is taken late, in order, and its latency counts from when it was due. The loop itself makes next to no garbage, so that
 * what a store makes is seen: its times are whole microseconds from the start, since a number with a fraction is an object each
 * time that it is passed on (for 35 minutes; then these are too).
 */
import { performance, type RecordableHistogram } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { GcspikeError } from "../../lib/errors.ts";
import { formatMs } from "../../lib/units.ts";
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

/** How often the loop looks for what is due: Node makes some 150 bytes of garbage for each timer that fires, and the rest of a turn as much. */
const TICK_MS = 3;
const US_A_MS = 1000;
const TICK_US = TICK_MS * US_A_MS;
/** How long it works before it lets the event loop turn. */
const TURN_US = 5 * US_A_MS;
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
  /** The time of the arrivals, or longer where the last one was taken later, ms. */
  readonly elapsedMs: number;
  readonly taken: number;
  readonly untaken: number;
  /** Stopped from outside: what was due then is not counted. */
  readonly isStopped: boolean;
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
  readonly #hasTime = (): boolean => this.#clock() < this.#chooseUntilUs;
  readonly #endUs: number;
  readonly #stopAtUs: number;
  #isStopped = false;
  #startMs = 0;
  #chooseUntilUs = 0;
  #nextHead: ScheduledHead;
  #nextHeadUs: number;
  #nextSweepMs = SWEEP_EVERY_MS;
  /** The last time that the loop was seen alive, and when it meant to be next. */
  #expectedUs = 0;
  #stallUs = 0;
  #longestStallUs = 0;
  #taken = 0;
  #lastTakenUs = 0;
  /** -1: not known yet. */
  #behindUs = -1;
  #wrongSenders = 0;
  #peakSize = 0;

  constructor(parts: Parts<T, A>, options: TxpoolOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#block = new Block(parts.pool.limits.blockGas);
    this.#elsewhere = new Elsewhere(parts.pool, parts.chain);
    this.#lightSwitch = new LightSwitch(options.blockBudgetMs);
    this.#nextHead = parts.heads.next();
    this.#nextHeadUs = Math.round(this.#nextHead.atMs * US_A_MS);
    this.#endUs = Math.round(options.durationMs * US_A_MS);
    // Who is hopelessly late is not waited for.
    this.#stopAtUs = this.#endUs + Math.max(1000 * US_A_MS, Math.round(this.#endUs / 10));
  }

  /** Runs to the end of the arrivals. Rejects with what goes wrong in it. */
  run(): Promise<RunFigures> {
    return new Promise((resolve, reject) => {
      /** It goes on as soon as the event loop has turned. */
      let goesOn = false;
      const tick = (): void => {
        if (goesOn) return;
        try {
          goesOn = this.#turn();
          if (this.#isOver()) {
            clearInterval(ticks);
            resolve(this.#figures());
          } else if (goesOn) setImmediate(goOn);
        } catch (error) {
          clearInterval(ticks);
          reject(error);
        }
      };
      const goOn = (): void => {
        goesOn = false;
        tick();
      };
      this.#startMs = performance.now();
      const ticks = setInterval(tick, TICK_MS);
    });
  }

  /** Ends the run at the next turn of the loop: what is due is left. */
  stop(): void {
    this.#isStopped = true;
  }

  #clock(): number {
    return Math.floor((performance.now() - this.#startMs) * US_A_MS);
  }

  #isOver(): boolean {
    if (this.#isStopped || this.#lastTakenUs > this.#stopAtUs || this.#expectedUs > this.#stopAtUs) return true;
    return this.#parts.reader.done && this.#expectedUs >= this.#endUs;
  }

  /** True: there is more to do at once. */
  #turn(): boolean {
    const { reader } = this.#parts;
    const begin = this.#clock();
    this.#notice(begin);
    let now = begin;
    for (;;) {
      if (now >= this.#nextHeadUs) {
        this.#makeBlock(now);
        now = this.#clock();
        this.#expectedUs = now;
      }
      reader.look();
      this.#noteLag(now, reader.dueUs);
      if (reader.dueUs > now) {
        this.#expectedUs = now + TICK_US;
        return false;
      }
      now = this.#takeBatch();
      this.#notice(now);
      if (now - begin > TURN_US) return true;
    }
  }

  /** How late the loop is is how long it was held up: by a collection, by page faults, by other programs. */
  #notice(now: number): void {
    if (now - this.#expectedUs > this.#stallUs) this.#stallUs = now - this.#expectedUs;
    this.#expectedUs = now;
  }

  #noteLag(now: number, dueUs: number): void {
    if (now < this.#endUs * 0.9) return;
    const behind = dueUs > now ? 0 : now - dueUs;
    if (this.#behindUs < 0 || behind < this.#behindUs) this.#behindUs = behind;
  }

  /** Everything that arrived together, and the pool's bookkeeping behind it. Returns the time. */
  #takeBatch(): number {
    const { reader, pool, latency, batch, verifier } = this.#parts;
    const { dueUs } = reader;
    const now = Math.floor(this.#clock() / US_A_MS);
    batch.fill(reader);
    verifier?.verify();
    for (let i = 0; i < batch.count; i++) this.#takeOne(i, now);
    pool.settle(now);
    const done = this.#clock();
    const felt = Math.max(1, done - dueUs);
    for (let i = 0; i < batch.count; i++) latency.record(felt);
    this.#taken += batch.count;
    this.#lastTakenUs = done;
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
  #makeBlock(beginUs: number): void {
    const { pool, builder, chain, heads, snapshot } = this.#parts;
    const { blockBudgetMs } = this.#options;
    const now = Math.floor(beginUs / US_A_MS);
    this.#chooseUntilUs = beginUs + Math.round(blockBudgetMs * US_A_MS * CHOOSING_SHARE);
    const isWhole = builder.choose(this.#block, this.#hasTime);
    const { baseFee, gasUsed } = this.#nextHead;
    const head = { ...applyBlock(this.#block, pool.head, chain), baseFee, gasUsed };
    this.#elsewhere.include(now - BLOCKS_OF_PATIENCE * this.#options.blockTimeMs, MOST_ELSEWHERE);
    pool.newHead(head, now, this.#block);
    snapshot.publish(head);
    const endUs = this.#clock();
    const tookMs = (endUs - beginUs) / US_A_MS;
    this.#countBlock(tookMs, isWhole);
    this.#rememberBlock(tookMs);
    pool.setLight(this.#lightSwitch.update(endUs / US_A_MS, this.#measurements()));
    if (now >= this.#nextSweepMs) {
      pool.sweep(now);
      this.#nextSweepMs += SWEEP_EVERY_MS;
    }
    this.#nextHead = heads.next();
    this.#nextHeadUs = Math.round(this.#nextHead.atMs * US_A_MS);
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
    this.#stallsMs[at] = this.#stallUs / US_A_MS;
    this.#longestStallUs = Math.max(this.#longestStallUs, this.#stallUs);
    this.#stallUs = 0;
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

  /** @throws GcspikeError where the arrivals ended before their time */
  #figures(): RunFigures {
    const { reader } = this.#parts;
    const endUs = this.#clock();
    this.#longestStallUs = Math.max(this.#longestStallUs, this.#stallUs);
    const untaken = this.#isStopped ? 0 : this.#giveUpOnTheRest();
    if (!this.#isStopped && untaken === 0 && !reader.done) {
      throw new GcspikeError("arrivals", `No transactions came after ${formatMs(this.#lastTakenUs / US_A_MS)}.`, {
        hint: "The process that makes them has ended, or is too slow. Run it again with a lower --tps.",
      });
    }
    return {
      elapsedMs: (this.#isStopped ? endUs : Math.max(this.#endUs, this.#lastTakenUs)) / US_A_MS,
      taken: this.#taken,
      untaken,
      isStopped: this.#isStopped,
      behindMs: Math.max(0, this.#behindUs) / US_A_MS,
      longestStallMs: this.#longestStallUs / US_A_MS,
      malformed: this.#malformed,
      wrongSenders: this.#wrongSenders,
      blocks: this.#blockFigures,
      light: { timeMs: this.#lightSwitch.timeMs(endUs / US_A_MS), entries: this.#lightSwitch.entries },
      peakSize: this.#peakSize,
    };
  }

  /** What was due and was never taken has waited until now, at least. Returns how many. */
  #giveUpOnTheRest(): number {
    const { reader, latency } = this.#parts;
    const now = this.#clock();
    let count = 0;
    for (reader.look(); reader.dueUs <= now; reader.look()) {
      reader.take(this.#tx);
      latency.record(Math.max(1, now - reader.dueUs));
      count++;
    }
    return count;
  }
}

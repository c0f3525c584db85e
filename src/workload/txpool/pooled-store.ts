/**
 * The naive store with records from a sync.Pool. Records live as long as their transaction is in the pool, which is minutes:
 * not what a sync.Pool is made for, and that is what is to be seen.
 */

import { SyncPool } from "../sync-pool.ts";
import { NaiveStore, TransactionRecord } from "./naive-store.ts";
import type { Transaction } from "./transaction.ts";

/** Whether a record goes back when its transaction has left and no heap refers to it any more. */
export type PutPolicy = "never" | "evict";

export class PooledStore extends NaiveStore {
  /** Tell it of full collections: `new FullCollections(() => store.pool.collect())`. */
  readonly pool: SyncPool<TransactionRecord>;
  readonly #put: PutPolicy;
  readonly #processors: number;
  #processor = 0;

  constructor(put: PutPolicy, processors: number) {
    super();
    this.#put = put;
    this.#processors = processors;
    this.pool = new SyncPool(processors, () => new TransactionRecord(Buffer.alloc(0)));
  }

  /** Arrivals go round the processors, as goroutines do; what an arrival evicts is put back where it runs. */
  protected override obtain(tx: Transaction, arrival: number): TransactionRecord {
    this.#processor = arrival % this.#processors;
    const record = this.pool.get(this.#processor);
    const bytes = tx.end - tx.start;
    // Like append(raw[:0], ...): what is long enough is used again.
    if (record.raw.length < bytes) record.raw = Buffer.allocUnsafe(bytes);
    record.raw.set(tx.raw.subarray(tx.start, tx.end));
    return record;
  }

  protected override retire(record: TransactionRecord): void {
    if (this.#put === "never") return;
    record.key = "";
    this.pool.put(this.#processor, record);
  }
}

/** The three stores by name. */
import type { SlabPool, SlabPoolOptions } from "../../slab/slab-pool.ts";
import { FullCollections } from "./full-collections.ts";
import { openMmapSlab } from "./mmap-slab.ts";
import { MmapStore } from "./mmap-store.ts";
import { type Account, NaiveStore, type TransactionRecord } from "./naive-store.ts";
import { PooledStore, type PutPolicy } from "./pooled-store.ts";
import type { Store } from "./store.ts";

/** Logical processors of the sync.Pool: what a small server has. */
const PROCESSORS = 4;

export interface StoreOptions extends Pick<SlabPoolOptions, "release" | "hugePages"> {
  /** Slots of the pool: `capacityOf(limits)`. */
  readonly capacity: number;
  /** Whether records of the pooled store go back to its sync.Pool. */
  readonly put: PutPolicy;
}

interface Opened<T, A> {
  readonly store: Store<T, A>;
  readonly close: () => void;
}

export type OpenedStore =
  | (Opened<TransactionRecord, Account> & { readonly mode: "naive" })
  | (Opened<TransactionRecord, Account> & { readonly mode: "pooled"; readonly store: PooledStore })
  | (Opened<number, number> & { readonly mode: "mmap"; readonly slab: SlabPool });

/** @throws GcspikeError, where the system does not give mmap the memory */
export function createStore(mode: OpenedStore["mode"], options: StoreOptions): OpenedStore {
  switch (mode) {
    case "naive":
      return { mode, store: new NaiveStore(), close: () => {} };
    case "pooled": {
      const store = new PooledStore(options.put, PROCESSORS);
      const collections = new FullCollections(() => store.pool.collect());
      return { mode, store, close: () => collections.stop() };
    }
    case "mmap": {
      const { capacity, release, hugePages } = options;
      const slab = openMmapSlab(capacity, { release, hugePages });
      return { mode, store: new MmapStore(slab, capacity), slab, close: () => slab.close() };
    }
  }
}

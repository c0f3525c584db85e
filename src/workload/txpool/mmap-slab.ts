import { SlabPool, type SlabPoolOptions } from "../../slab/slab-pool.ts";
import { mmapClasses } from "./mmap-classes.ts";

/**
 * The mmap store's memory, for a pool of `capacity` slots (limits.ts).
 * @throws GcspikeError where the system does not give the memory
 */
export function openMmapSlab(capacity: number, options: Pick<SlabPoolOptions, "release" | "hugePages"> = {}): SlabPool {
  return SlabPool.open({ ...options, classes: mmapClasses(capacity) });
}

/** Whether a pool of this size has room on this machine: asked before anything starts. Pure. */
import { usageError } from "../../lib/errors.ts";
import { formatBytes } from "../../lib/units.ts";
import { MAX_SLOTS } from "../../slab/handles.ts";
import { capacityOf } from "./limits.ts";
import { mmapClasses } from "./mmap-classes.ts";
import { poolLimits, type TxpoolOptions } from "./options.ts";

export interface Room {
  /** Where V8 gives up. */
  readonly heapLimitBytes: number;
  /** What the machine, or this process's group, can still give. */
  readonly availableBytes: number;
  /** Of the machine's reserved pages of 2 MiB. */
  readonly hugePageBytes: number;
}

/** What a resident takes in each mode, rounded up from what bench/modes measures. */
const HEAP_BYTES = { naive: 1000, pooled: 1000, mmap: 0 } as const;
const OUTSIDE_BYTES = { naive: 400, pooled: 400, mmap: 900 } as const;

/** Bytes of a full pool. */
function poolBytes(options: Pick<TxpoolOptions, "mode" | "tps" | "residentMs">): {
  readonly heap: number;
  readonly all: number;
} {
  const residents = capacityOf(poolLimits(options));
  const heap = residents * HEAP_BYTES[options.mode];
  return { heap, all: heap + residents * OUTSIDE_BYTES[options.mode] };
}

const SMALLER = "Choose a lower --tps or a shorter --resident.";

/** @throws a usage error, if the pool would be larger than the heap or the memory, or has more slots than a slab can have */
export function requireRoom(options: TxpoolOptions, room: Room): void {
  const { heap, all } = poolBytes(options);
  const capacity = capacityOf(poolLimits(options));
  const pool = `A pool for ${capacity.toLocaleString("en-US")} transactions`;
  if (options.mode === "mmap") requireSlots(pool, capacity);
  if (options.mode === "mmap" && options.hugePages === "require") {
    if (all <= room.hugePageBytes) return;
    throw usageError(
      `${pool} takes about ${formatBytes(all)}, and ${formatBytes(room.hugePageBytes)} of reserved huge pages are free.`,
      `Reserve them: sysctl vm.nr_hugepages=${Math.ceil(all / 2 ** 21)}, or use --huge-pages try.`,
    );
  }
  if (all > room.availableBytes) {
    throw usageError(
      `${pool} takes about ${formatBytes(all)}, and ${formatBytes(room.availableBytes)} of memory are free.`,
      SMALLER,
    );
  }
  if (heap > room.heapLimitBytes) {
    throw usageError(
      `${pool} takes about ${formatBytes(heap)} of heap in ${options.mode} mode, and V8's limit here is ${formatBytes(room.heapLimitBytes)}.`,
      `Choose a lower --tps or a shorter --resident, or raise the limit: NODE_OPTIONS=--max-old-space-size=${Math.ceil((heap * 1.5) / 1024 ** 2)}`,
    );
  }
}

function requireSlots(pool: string, capacity: number): void {
  const slots = mmapClasses(capacity).reduce((sum, sizeClass) => sum + sizeClass.slots, 0);
  if (slots <= MAX_SLOTS) return;
  const [needed, most] = [slots, MAX_SLOTS].map((count) => count.toLocaleString("en-US"));
  throw usageError(`${pool} takes ${needed} slots in mmap mode, and a slab has at most ${most}.`, SMALLER);
}

/**
 * Memory in slots of fixed sizes, outside the JavaScript heap: what lies in it, the garbage collector neither scans nor copies.
 * A slot is named by a handle, which is a number. docs/slab.md has examples.
 */
import { types } from "node:util";
import { usageError } from "../lib/errors.ts";
import { DeferredRelease } from "./deferred-release.ts";
import { ClosedError, ExhaustedError } from "./errors.ts";
import { fixedShelf } from "./fixed-shelf.ts";
import { type Granted, granted } from "./granted.ts";
import { type HandleLayout, handleLayout } from "./handles.ts";
import {
  type ClassLayout,
  classOfGroups,
  firstClassByBits,
  type PoolLayout,
  poolLayout,
  type SizeClass,
  SLOT_GROUP_SHIFT,
} from "./layout.ts";
import { type MemoryOptions, mapMemory } from "./memory.ts";
import { type Attachment, native } from "./native.ts";
import { PagedShelf } from "./paged-shelf.ts";
import { sharedBytes, sharedShelf } from "./shared-shelf.ts";
import type { PoolShelf, Shelf } from "./shelf.ts";
import { leavePlace, MAX_THREADS, placesBytes, takePlace } from "./threads.ts";

const RELEASES = ["immediate", "deferred", "never"] as const;
type Release = (typeof RELEASES)[number];

export interface SlabPoolOptions extends MemoryOptions {
  /** Sizes, and how many slots of each; 16,777,216 slots in all at most. Sizes are rounded up to cache lines of 64 bytes. */
  readonly classes: readonly SizeClass[];
  /**
   * When pages without a live slot go back to the system: `immediate`, in the call that frees the last slot; `deferred`, on a
   * thread of its own, while this thread's event loop waits and so no collection runs; or `never`, until the pool is closed.
   * Default `never`, which is all that a pool of several threads can do.
   */
  readonly release?: Release | undefined;
  /** How many threads may have the pool open at once, 1 to 64. Default 1: faster, and not to be shared. */
  readonly threads?: number | undefined;
}

/** Zeros once the pool is closed in this thread, but for `releasedBytes`. */
export interface SlabStats extends Granted {
  /** As mapped: whole pages, with `hugePages` of 2 MiB. */
  readonly bytes: number;
  readonly slots: number;
  /** Handed out now. */
  readonly slotsInUse: number;
  readonly bytesInUse: number;
  /** Given back to the system since the pool was opened. */
  readonly releasedBytes: number;
}

/** What another thread needs to open the pool; goes through postMessage and workerData. */
export interface SharedSlabPool {
  readonly pool: number;
  readonly layout: PoolLayout;
  readonly threads: number;
  readonly shared: SharedArrayBuffer;
}

interface Opening {
  readonly attachment: Attachment;
  readonly layout: PoolLayout;
  readonly handles: HandleLayout;
  readonly shelves: readonly PoolShelf[];
  readonly releasedBytes: () => number;
  readonly leave: () => void;
  readonly share: SharedSlabPool | null;
}

export class SlabPool {
  /** The whole memory, zero at first; what a slot holds stands from `offsetOf(handle)` on. Without bytes once the pool is closed. */
  readonly bytes: Uint8Array;
  readonly #opening: Opening;
  readonly #slotMask: number;
  readonly #classOfGroup: Uint8Array;
  readonly #classByBits: Uint8Array;
  #isClosed = false;

  /**
   * Maps the memory; every page is there when this returns.
   * @throws GcspikeError with code "usage" for options that make no sense, SlabMemoryError where the system does not give it
   */
  static open(options: SlabPoolOptions): SlabPool {
    const { classes, release = "never", threads = 1, ...memory }: Partial<SlabPoolOptions> = options ?? {};
    if (!RELEASES.includes(release))
      throw usageError(`release cannot be "${String(release)}".`, `Choose ${RELEASES.join(", ")}.`);
    if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
      throw usageError(`threads cannot be ${String(threads)}.`, `Give a whole number from 1 to ${MAX_THREADS}.`);
    }
    if (threads > 1 && release !== "never") {
      throw usageError(
        `A slab pool of ${threads} threads cannot have release "${release}".`,
        'Pages go back when it is closed: release "never".',
      );
    }
    const layout = poolLayout(classes, native().pageBytes);
    const attachment = mapMemory(layout.bytes, release !== "never", memory);
    if (threads === 1) return new SlabPool(openLocally(attachment, layout, release));
    const bytes = layout.classes.reduce((sum, one) => sum + sharedBytes(one, threads), placesBytes(threads));
    const share = { pool: attachment.pool, layout, threads, shared: new SharedArrayBuffer(bytes) };
    return new SlabPool(openShared(attachment, share, true));
  }

  /**
   * Opens in this thread a pool that another thread shares and has open.
   * @throws GcspikeError with code "usage" for what `share` did not return, where no thread has it open, or already as many as it
   * was opened for
   */
  static attach(share: SharedSlabPool): SlabPool {
    if (!types.isSharedArrayBuffer(share?.shared))
      throw usageError(
        "A slab pool is attached with what its share() returned.",
        "Send it with postMessage or workerData.",
      );
    const attachment = native().attach(share.pool);
    if (attachment === undefined) {
      throw usageError(
        "No thread has this slab pool open any more.",
        "Keep it open in one thread while others use it.",
      );
    }
    try {
      return new SlabPool(openShared(attachment, share, false));
    } catch (error) {
      native().detach(attachment.serial, attachment.buffer);
      throw error;
    }
  }

  private constructor(opening: Opening) {
    this.#opening = opening;
    this.bytes = new Uint8Array(opening.attachment.buffer);
    this.#slotMask = opening.handles.slotMask;
    this.#classOfGroup = classOfGroups(opening.layout, this.#slotMask);
    this.#classByBits = firstClassByBits(opening.layout.classes);
  }

  /** The smallest class whose slots have `bytes`: for many slots of one size. @throws a usage error where there is none */
  shelf(bytes: number): Shelf {
    const shelf = this.#opening.shelves[this.#classFor(bytes)];
    if (shelf !== undefined) return shelf;
    throw this.#tooLarge(bytes);
  }

  /**
   * A slot of `bytes` or more: of the smallest class that has one free. Its bytes are as its last user left them.
   * @throws ExhaustedError, ClosedError; a usage error where no class has slots so large
   */
  alloc(bytes: number): number {
    const { shelves } = this.#opening;
    const last = shelves.length - 1;
    let number = this.#classFor(bytes);
    if (number > last) throw this.#tooLarge(bytes);
    for (; number < last; number++) {
      const shelf = shelves[number] as PoolShelf;
      if (shelf.isExhausted()) continue;
      try {
        return shelf.alloc();
      } catch (error) {
        // Another thread was faster.
        if (!(error instanceof ExhaustedError)) throw error;
      }
    }
    return (shelves[last] as PoolShelf).alloc();
  }

  /** Gives a slot back. @throws DoubleFreeError, StaleHandleError, ForeignHandleError, ClosedError; nothing has changed then */
  free(handle: number): void {
    this.#shelfOf(handle).free(handle);
  }

  /** Where a live handle's bytes begin in `bytes`: a multiple of 64. @throws as `free` does, for handles that are not live */
  offsetOf(handle: number): number {
    return this.#shelfOf(handle).offsetOf(handle);
  }

  /**
   * A new view over a live handle's slot. It does not know when the handle is freed: that is for whoever holds it.
   * @throws as `free` does, for handles that are not live; a usage error where the pool's buffer was transferred
   */
  view(handle: number): Uint8Array {
    const shelf = this.#shelfOf(handle);
    const offset = shelf.offsetOf(handle);
    if (this.bytes.length === 0)
      throw usageError(
        "The memory of this slab pool was transferred away.",
        "Leave its buffer to the pool, copy what you send.",
      );
    return this.bytes.subarray(offset, offset + shelf.slotBytes);
  }

  /** For `SlabPool.attach` in other threads. @throws a usage error for a pool of one thread */
  share(): SharedSlabPool {
    const { share } = this.#opening;
    if (share === null) throw usageError("This slab pool is for one thread.", "Open it with threads: 2 or more.");
    return share;
  }

  /** Reads the system's tables and counts slots: for logs and tests, not for every request. */
  stats(): SlabStats {
    const { attachment, shelves, releasedBytes } = this.#opening;
    const open = this.#isClosed ? [] : shelves;
    const all = open.map((shelf) => ({ slots: shelf.slots, slotBytes: shelf.slotBytes, inUse: shelf.inUse() }));
    const bytes = this.bytes.length;
    const { residentBytes, hugePageBytes, nodes } = granted(attachment.address, bytes);
    return {
      bytes,
      slots: all.reduce((sum, { slots }) => sum + slots, 0),
      slotsInUse: all.reduce((sum, { inUse }) => sum + inUse, 0),
      bytesInUse: all.reduce((sum, { inUse, slotBytes }) => sum + inUse * slotBytes, 0),
      releasedBytes: releasedBytes(),
      residentBytes,
      hugePageBytes,
      nodes,
    };
  }

  /**
   * Closes the pool in this thread. Views over it have no bytes from here on, and handles throw ClosedError. The memory goes back
   * to the system in this call, if every other thread has closed it, or ended.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { attachment, shelves, leave } = this.#opening;
    for (const shelf of shelves) shelf.close();
    leave();
    native().detach(attachment.serial, attachment.buffer);
  }

  #shelfOf(handle: number): PoolShelf {
    const number = this.#classOfGroup[((handle >>> 0) & this.#slotMask) >>> SLOT_GROUP_SHIFT] as number;
    return this.#opening.shelves[number] as PoolShelf;
  }

  /** Number of the smallest class that is large enough, or how many classes there are. */
  #classFor(bytes: number): number {
    if (!(bytes >= 0))
      throw usageError(`A slot cannot have ${String(bytes)} bytes.`, "Give a number of bytes, 0 or more.");
    const { shelves } = this.#opening;
    let number = this.#classByBits[bytes <= 1 ? 0 : 32 - Math.clz32(bytes - 1)] as number;
    while (number < shelves.length && (shelves[number] as PoolShelf).slotBytes < bytes) number++;
    return number;
  }

  #tooLarge(bytes: number): Error {
    if (this.#isClosed) return new ClosedError();
    const largest = this.#opening.layout.classes.at(-1)?.slotBytes ?? 0;
    return usageError(`No class of this slab pool has slots of ${bytes} bytes.`, `Its largest slots have ${largest}.`);
  }
}

function openLocally(attachment: Attachment, layout: PoolLayout, release: Release): Opening {
  const handles = handleLayout(layout.slots, attachment.tag);
  const deferred = new DeferredRelease(attachment);
  let releasedAtOnce = 0;
  const releaseAtOnce = (offset: number, bytes: number): void => {
    releasedAtOnce += bytes;
    native().release(attachment.pool, offset, bytes);
  };
  const paged = (one: ClassLayout): PagedShelf =>
    new PagedShelf({
      handles,
      layout: one,
      ...(release === "immediate" ? { releaseAtOnce } : { takeBack: () => deferred.takeBack() }),
    });
  const common = { attachment, layout, handles, share: null };
  if (release === "never") {
    const shelves = layout.classes.map((one) => fixedShelf(handles, one));
    return { ...common, shelves, releasedBytes: () => 0, leave: () => {} };
  }
  const shelves = layout.classes.map(paged);
  if (release === "deferred") deferred.start(shelves);
  return { ...common, shelves, releasedBytes: () => releasedAtOnce + deferred.bytes, leave: () => deferred.stop() };
}

function openShared(attachment: Attachment, share: SharedSlabPool, isFirst: boolean): Opening {
  const { layout, threads, shared } = share;
  const handles = handleLayout(layout.slots, attachment.tag);
  const thread = takePlace(shared, threads, attachment.serial);
  let at = placesBytes(threads);
  const shelves = layout.classes.map((one) => {
    const shelf = sharedShelf({ handles, layout: one, threads, thread, shared, at });
    at += sharedBytes(one, threads);
    if (isFirst) shelf.prepare();
    else shelf.settle();
    return shelf;
  });
  return {
    attachment,
    layout,
    handles,
    shelves,
    releasedBytes: () => 0,
    leave: () => leavePlace(shared, threads, thread),
    share,
  };
}

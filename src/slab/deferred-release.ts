/** Gives back pages of a pool of one thread while its event loop waits: `release: "deferred"`. */

import { type Attachment, native } from "./native.ts";
import type { PagedShelf, SlabRun } from "./paged-shelf.ts";

/** How often slabs are looked for that were free at two looks, ms. */
const LOOK_EVERY_MS = 100;
/** Of the slabs in use, so many free ones stay in memory, for the next allocations. */
const RESERVE_SHARE = 0.05;
/** The most that is given back at a stretch: a thread that needs the memory waits for one such at most. */
const RUN_BYTES = 256 * 1024;

interface Queued {
  readonly shelf: PagedShelf;
  readonly run: SlabRun;
}

export class DeferredRelease {
  readonly #attachment: Attachment;
  #shelves: readonly PagedShelf[] = [];
  /** Runs that the native thread has, in its order. */
  #queued: Queued[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Given back so far. */
  bytes = 0;

  constructor(attachment: Attachment) {
    this.#attachment = attachment;
  }

  /** Looks for free slabs from here on, until nobody refers to the pool. Keeps no process alive. */
  start(shelves: readonly PagedShelf[]): void {
    this.#shelves = shelves;
    const weak = new WeakRef(this);
    const timer = setInterval(() => {
      const release = weak.deref();
      if (release === undefined) clearInterval(timer);
      else release.#look();
    }, LOOK_EVERY_MS);
    timer.unref();
    this.#timer = timer;
  }

  /** The pool is about to be detached, which withdraws what is queued. */
  stop(): void {
    clearInterval(this.#timer);
    this.#queued = [];
  }

  /** Somebody needs the memory now: what was not given back yet stays. False: there is nothing to take. */
  takeBack(): boolean {
    if (this.#queued.length === 0) return false;
    this.#settle(native().withdrawReleases(this.#attachment.serial), true);
    return true;
  }

  #look(): void {
    const { pool, serial } = this.#attachment;
    this.#settle(native().pendingReleases(serial), false);
    for (const shelf of this.#shelves) {
      for (const run of shelf.setAside(RESERVE_SHARE, RUN_BYTES)) {
        this.#queued.push({ shelf, run });
        native().queueRelease(pool, serial, run.offset, run.bytes);
      }
    }
  }

  /** The last `left` runs are not given back yet; `areTaken`: and will not be. */
  #settle(left: number, areTaken: boolean): void {
    if (this.#queued.length === 0) return;
    const done = this.#queued.length - left;
    for (const [index, { shelf, run }] of this.#queued.entries()) {
      if (index < done) this.bytes += run.bytes;
      if (index < done || areTaken) shelf.putBack(run, index < done);
    }
    this.#queued = areTaken ? [] : this.#queued.slice(done);
  }
}

/** Which threads have a shared pool open: each has a place of its own, and with it a magazine of each class. */
import { usageError } from "../lib/errors.ts";
import { native } from "./native.ts";

export const MAX_THREADS = 64;

/** Places stand at the front of a pool's shared memory: the serial of the opening that has it, or 0. A multiple of 8 bytes. */
export function placesBytes(threads: number): number {
  return Math.ceil(threads / 2) * 8;
}

/**
 * Takes a place: a free one, or that of a thread that ended without closing the pool.
 * @throws a usage error, if as many threads have the pool open as it was opened for
 */
export function takePlace(shared: SharedArrayBuffer, threads: number, serial: number): number {
  const places = new Int32Array(shared, 0, threads);
  for (let place = 0; place < threads; place++) {
    const holder = Atomics.load(places, place);
    if (holder !== 0 && native().isAttached(holder)) continue;
    if (Atomics.compareExchange(places, place, holder, serial) === holder) return place;
  }
  throw usageError(
    `${threads} threads have this slab pool open, as many as it was opened for.`,
    "Open it with more: threads: ...",
  );
}

export function leavePlace(shared: SharedArrayBuffer, threads: number, place: number): void {
  Atomics.store(new Int32Array(shared, 0, threads), place, 0);
}

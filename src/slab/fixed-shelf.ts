/**
 * The slots of one class in a pool of one thread whose memory stays: one stack of handles, last in, first out.
 *
 * Closures instead of a class: where a program has one such pool, which is the rule, the optimising compiler takes the arrays and numbers
 * below for constants, and `alloc` and `free` together take half the time (docs/benchmarks.md).
 */
import { ClosedError, ExhaustedError } from "./errors.ts";
import { countLive, explain, freshStamp, type HandleLayout } from "./handles.ts";
import type { ClassLayout } from "./layout.ts";
import type { PoolShelf } from "./shelf.ts";

export function fixedShelf(handles: HandleLayout, layout: ClassLayout): PoolShelf {
  const { slotMask, base, step, lastGeneration } = handles;
  const { slots, slotBytes, firstSlot, offset } = layout;
  /** What each slot's handle will be: the first `ready` of them are free. */
  const next = Float64Array.from({ length: slots }, (_, n) => base + firstSlot + (slots - 1 - n) + step);
  const stamps = Float64Array.from({ length: slots }, (_, index) => freshStamp(handles, firstSlot + index));
  let ready = slots;
  let isClosed = false;

  /** A handle that was refused, on its way to `refusal`: as an argument it would be boxed, also where none is refused. */
  const refused = new Float64Array(1);

  function refusal(isFree: boolean): Error {
    if (isClosed) return new ClosedError();
    const handle = refused[0] as number;
    return explain(handles, handle, stamps[(handle & slotMask) - firstSlot], isFree);
  }

  return {
    slotBytes,
    slots,
    alloc(): number {
      const last = ready - 1;
      if (last < 0) throw isClosed ? new ClosedError() : new ExhaustedError(slots, slotBytes);
      const handle = next[last] as number;
      ready = last;
      stamps[(handle & slotMask) - firstSlot] = handle;
      return handle;
    },
    free(handle: number): void {
      const index = (handle & slotMask) - firstSlot;
      if (stamps[index] !== handle) {
        refused[0] = handle;
        throw refusal(true);
      }
      stamps[index] = -1 - handle;
      if (handle >= lastGeneration) return;
      next[ready] = handle + step;
      ready++;
    },
    offsetOf(handle: number): number {
      const index = (handle & slotMask) - firstSlot;
      if (stamps[index] !== handle) {
        refused[0] = handle;
        throw refusal(false);
      }
      return offset + index * slotBytes;
    },
    isExhausted: () => ready === 0 && !isClosed,
    inUse: () => countLive(stamps),
    close(): void {
      isClosed = true;
      ready = 0;
      stamps.fill(Number.NaN);
    },
  };
}

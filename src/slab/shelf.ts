/** A size class of a pool. */

/** Slots of one size. `alloc` and `free` make no garbage where the optimising compiler inlines them: in any loop that matters. */
export interface Shelf {
  /** Bytes of every slot. */
  readonly slotBytes: number;
  readonly slots: number;
  /**
   * A free slot's handle; its bytes are as the last user left them. Throws ExhaustedError where there is none, ClosedError after
   * the pool was closed.
   */
  alloc(): number;
  /**
   * Gives a slot back. Throws DoubleFreeError, StaleHandleError, ForeignHandleError or ClosedError, and changes nothing then.
   */
  free(handle: number): void;
  /** Where a live handle's bytes begin in the pool's memory. Throws as `free` does for handles that are not live. */
  offsetOf(handle: number): number;
}

/** The pool's side of it. */
export interface PoolShelf extends Shelf {
  /** Would `alloc` throw ExhaustedError now? Asking makes no error object, which takes some 40 us. */
  isExhausted(): boolean;
  /** Slots that are handed out now. Counts them: takes as long as there are slots. */
  inUse(): number;
  /** From here on everything throws ClosedError in this thread. */
  close(): void;
}

/** What a pool refuses: one class a mistake, so that a program can tell them apart with `instanceof`. */
import { GcspikeError } from "../lib/errors.ts";

class SlabError extends GcspikeError {
  constructor(name: string, message: string, hint?: string) {
    super(name, message, hint === undefined ? {} : { hint });
    this.name = name;
  }
}

/** No free slot is left that this thread can take. */
export class ExhaustedError extends SlabError {
  /** `elsewhere`: where slots may lie that no thread uses; "" for nowhere. */
  constructor(slots: number, slotBytes: number, elsewhere = "") {
    super(
      "ExhaustedError",
      `All ${slots} slots of ${slotBytes} bytes are in use${elsewhere}.`,
      "Free handles that are no longer needed, or open the pool with more slots in this class.",
    );
  }
}

/** The handle was freed already, and its slot was not handed out since. */
export class DoubleFreeError extends SlabError {
  constructor(handle: number) {
    super("DoubleFreeError", `Handle ${handle} was freed already.`, "Free each handle once, by whoever holds it last.");
  }
}

/** The handle was valid once; it was freed, and its slot may be somebody else's by now. */
export class StaleHandleError extends SlabError {
  constructor(handle: number) {
    super(
      "StaleHandleError",
      `Handle ${handle} is stale: it was freed, and its slot does not belong to it any more.`,
      "Drop every copy of a handle when it is freed.",
    );
  }
}

/** No handle of this pool: of another pool, of another size class, or no handle at all. */
export class ForeignHandleError extends SlabError {
  constructor(handle: unknown, why: string) {
    super("ForeignHandleError", `${String(handle)} ${why}.`, "Free a handle in the pool that gave it.");
  }
}

/** The pool was closed in this thread. */
export class ClosedError extends SlabError {
  constructor() {
    super("ClosedError", "The pool is closed in this thread.");
  }
}

/** The system did not give the memory. */
export class SlabMemoryError extends SlabError {
  constructor(message: string, hint: string) {
    super("SlabMemoryError", message, hint);
  }
}

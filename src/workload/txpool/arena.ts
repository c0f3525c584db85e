/** Typed arrays, one behind the other in one buffer. */
import { GcspikeError } from "../../lib/errors.ts";

const ALIGNMENT = 8;

/**
 * Over bytes it hands out arrays; over none it only counts, and its arrays are empty: so a layout is written down once, and
 * `layout(new Arena())` followed by `usedBytes` says what it needs.
 */
export class Arena {
  usedBytes = 0;
  readonly #bytes: Uint8Array | undefined;

  /** `bytes` begins at a multiple of 8 in its buffer. */
  constructor(bytes?: Uint8Array) {
    this.#bytes = bytes;
  }

  f64(length: number): Float64Array {
    return this.#take(Float64Array, length);
  }

  i32(length: number): Int32Array {
    return this.#take(Int32Array, length);
  }

  u8(length: number): Uint8Array {
    return this.#take(Uint8Array, length);
  }

  #take<V>(
    View: {
      new (buffer: ArrayBufferLike, at: number, length: number): V;
      new (length: number): V;
      BYTES_PER_ELEMENT: number;
    },
    length: number,
  ): V {
    const at = this.usedBytes;
    const end = at + length * View.BYTES_PER_ELEMENT;
    this.usedBytes = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    if (this.#bytes === undefined) return new View(0);
    if (end > this.#bytes.length) {
      throw new GcspikeError("pool-memory", `The pool's tables need more than the ${this.#bytes.length} bytes given.`, {
        hint: "Give as many bytes as mmapTableBytes() says, or make the pool smaller.",
      });
    }
    return new View(this.#bytes.buffer, this.#bytes.byteOffset + at, length);
  }
}

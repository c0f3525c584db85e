/** The last encodings that were sent, to send them again. */
import type { Random } from "./random.ts";

const KEPT = 256;

interface Encoding {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly sender: Uint8Array;
}

export class RecentEncodings {
  readonly #kept: Encoding[] = [];
  #next = 0;

  add(bytes: Uint8Array, start: number, end: number, sender: Uint8Array): void {
    this.#kept[this.#next] = { bytes: bytes.slice(start, end), start: 0, end: end - start, sender };
    this.#next = (this.#next + 1) % KEPT;
  }

  /** One of them, or null where nothing was sent yet. */
  pick(random: Random): Encoding | null {
    return this.#kept[random.below(this.#kept.length)] ?? null;
  }
}

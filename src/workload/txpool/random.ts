/** Seeded random numbers: Bob Jenkins' small fast generator, 32 bits, as published with its 20 rounds of warming up. */
export class Random {
  #a = 0xf1ea5eed | 0;
  #b: number;
  #c: number;
  #d: number;

  /** `stream` makes independent generators of one seed. */
  constructor(seed: number, stream = 0) {
    this.#b = seed | 0;
    this.#c = Math.floor(seed / 2 ** 32) | 0;
    this.#d = stream | 0;
    for (let i = 0; i < 20; i++) this.uint32();
  }

  uint32(): number {
    const e = (this.#a - ((this.#b << 27) | (this.#b >>> 5))) | 0;
    this.#a = this.#b ^ ((this.#c << 17) | (this.#c >>> 15));
    this.#b = (this.#c + this.#d) | 0;
    this.#c = (this.#d + e) | 0;
    this.#d = (e + this.#a) | 0;
    return this.#d >>> 0;
  }

  /** From 0 up to, but not including, 1. */
  unit(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number from 0 up to, but not including, `end` (at most 2^32). */
  below(end: number): number {
    return Math.floor(this.unit() * end);
  }

  between(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }
}

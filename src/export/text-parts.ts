/** Text that may be longer than one string can be. */

/** A part of this many characters becomes bytes. */
const PART_CHARACTERS = 1 << 20;

export class TextParts {
  readonly #done: Buffer[] = [];
  #open = "";

  add(text: string): void {
    this.#open += text;
    if (this.#open.length >= PART_CHARACTERS) this.#close();
  }

  /** All of it, as UTF-8. */
  bytes(): Uint8Array {
    this.#close();
    return Buffer.concat(this.#done);
  }

  #close(): void {
    this.#done.push(Buffer.from(this.#open));
    this.#open = "";
  }
}

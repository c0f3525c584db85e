/** Writes RLP into a buffer that is used again and again; `rlp-reader.ts` has the format. */
export class RlpWriter {
  readonly bytes: Uint8Array;
  /** Where the next item goes. */
  at = 0;

  constructor(capacityBytes: number) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  /** A number below 2^53. */
  integer(value: number): void {
    if (value > 0 && value < 0x80) {
      this.bytes[this.at++] = value;
      return;
    }
    const length = byteLength(value);
    this.bytes[this.at++] = 0x80 + length;
    this.#bigEndian(value, length);
  }

  /** The bytes of a number, shortened by its leading zeros. */
  scalar(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end && bytes[from] === 0) from++;
    this.string(bytes, from, end);
  }

  string(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length !== 1 || (bytes[start] ?? 0) >= 0x80) this.#header(0x80, length);
    for (let at = start; at < end; at++) this.bytes[this.at++] = bytes[at] ?? 0;
  }

  /** The header of a list whose items take `length` bytes. */
  listHeader(length: number): void {
    this.#header(0xc0, length);
  }

  #header(offset: number, length: number): void {
    if (length <= 55) {
      this.bytes[this.at++] = offset + length;
      return;
    }
    const lengthBytes = byteLength(length);
    this.bytes[this.at++] = offset + 55 + lengthBytes;
    this.#bigEndian(length, lengthBytes);
  }

  #bigEndian(value: number, length: number): void {
    let rest = value;
    for (let at = this.at + length - 1; at >= this.at; at--) {
      this.bytes[at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.at += length;
  }
}

/** Bytes that a list's header takes, where its items take `length` bytes. */
export function listHeaderBytes(length: number): number {
  return length <= 55 ? 1 : 1 + byteLength(length);
}

function byteLength(value: number): number {
  let length = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) length++;
  return length;
}

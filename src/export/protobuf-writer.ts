/** Writes protobuf messages (https://protobuf.dev/programming-guides/encoding). */

const START_BYTES = 1 << 16;
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;

export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(START_BYTES);
  #at = 0;

  /** A whole number from 0 on; numbers from 2^53 on as bigint. */
  varint(field: number, value: number | bigint): void {
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  /** A whole number that may be negative, as sint32 and sint64. */
  signed(field: number, value: number): void {
    this.varint(field, value < 0 ? -2 * value - 1 : 2 * value);
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    this.#at = this.#bytes.writeBigUInt64LE(value, this.#at);
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  text(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.#tag(field, LENGTH);
    this.#varint(length);
    this.#reserve(length);
    this.#at += this.#bytes.write(value, this.#at);
  }

  /**
   * A message whose fields `write` adds. Its length stands before it and is known behind it: room for five bytes is left, which
   * readers of varints accept also where fewer would do.
   */
  message(field: number, write: () => void): void {
    this.#tag(field, LENGTH);
    this.#reserve(5);
    const lengthAt = this.#at;
    this.#at += 5;
    write();
    let length = this.#at - lengthAt - 5;
    for (let byte = 0; byte < 5; byte++, length = Math.floor(length / 128)) {
      this.#bytes[lengthAt + byte] = (length % 128) | (byte < 4 ? 0x80 : 0);
    }
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number | bigint): void {
    this.#reserve(10);
    if (typeof value === "bigint") {
      let rest = value;
      for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      this.#bytes[this.#at++] = Number(rest);
      return;
    }
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = (rest % 128) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + count));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

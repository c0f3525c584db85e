/** Reads protobuf messages field by field, up to wherever they end. */

export interface Field {
  readonly number: number;
  /** A varint's value; of a message or text, its length. */
  readonly value: number;
  /** Of a message or text: where it starts and ends. Of a varint, both are the end of the field. */
  readonly start: number;
  readonly end: number;
}

/**
 * Calls back for each whole field in `bytes` from `start` to `end`. Returns false where the last field is cut, or of a type
 * that pprof does not use. Values from 2^53 on lose their last digits.
 */
export function eachField(bytes: Uint8Array, start: number, end: number, callback: (field: Field) => void): boolean {
  const cursor = { at: start };
  while (cursor.at < end) {
    const tag = readVarint(bytes, cursor, end);
    const value = readVarint(bytes, cursor, end);
    const isText = (tag & 7) === 2;
    const fieldStart = cursor.at;
    const fieldEnd = isText ? fieldStart + value : fieldStart;
    if (!(fieldEnd <= end) || Number.isNaN(tag) || (!isText && (tag & 7) !== 0)) return false;
    callback({ number: tag >>> 3, value, start: fieldStart, end: fieldEnd });
    cursor.at = fieldEnd;
  }
  return true;
}

/** The numbers of a packed repeated field. */
export function packedVarints(bytes: Uint8Array, start: number, end: number): number[] {
  const cursor = { at: start };
  const values: number[] = [];
  while (cursor.at < end) values.push(readVarint(bytes, cursor, end));
  return values;
}

/**
 *     1vvv vvvv 1vvv vvvv ... 0vvv vvvv     least significant group first
 *
 * NaN where the bytes end inside it.
 */
function readVarint(bytes: Uint8Array, cursor: { at: number }, end: number): number {
  let value = 0;
  let scale = 1;
  while (cursor.at < end) {
    const byte = bytes[cursor.at++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 0x80;
  }
  return Number.NaN;
}

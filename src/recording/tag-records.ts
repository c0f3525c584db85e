/** Writes the records of .tags. The agent is bundled with this file: no BigInt, and no buffer but for a new name. */
import {
  MAX_TAG_NAME_BYTES,
  TAG,
  TAG_END,
  TAG_END_BYTES,
  TAG_NAME,
  TAG_OPEN,
  TAG_RECORD,
  TAG_RECORD_BYTES,
} from "./spec.ts";

/** A new record that gives `text` the next number; what is longer than MAX_TAG_NAME_BYTES is cut behind a whole character. */
export function encodeTagName(text: string): Buffer {
  const room = Buffer.alloc(TAG.text + MAX_TAG_NAME_BYTES);
  const length = room.write(text, TAG.text, MAX_TAG_NAME_BYTES, "utf8");
  const bytes = Math.ceil((TAG.text + length) / 8) * 8;
  room.writeUInt32LE(bytes, TAG.bytes);
  room.writeUInt16LE(TAG_NAME, TAG.type);
  room.writeUInt16LE(length, TAG.length);
  return room.subarray(0, bytes);
}

/** A record that is written over again and again: a DataView costs a fraction of what a Buffer's methods do. */
export interface ReusedRecord {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** For encodeTag. */
export function tagRecord(): ReusedRecord {
  return recordOf(TAG_RECORD_BYTES, TAG_RECORD);
}

/** For encodeTagEnd. */
export function tagEndRecord(): ReusedRecord {
  return recordOf(TAG_END_BYTES, TAG_END);
}

function recordOf(length: number, type: number): ReusedRecord {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(TAG.bytes, length, true);
  view.setUint16(TAG.type, type, true);
  return { bytes, view };
}

/** `source` is an index into TAG_SOURCES, `name` a name's number; a duration of null: it goes on. */
export function encodeTag(
  target: DataView,
  source: number,
  timeNs: number,
  durationNs: number | null,
  name: number,
  weight: number,
): void {
  target.setUint8(TAG.source, source);
  setNs(target, TAG.timeNs, timeNs);
  if (durationNs === null) {
    target.setUint32(TAG.durationNs, TAG_OPEN, true);
    target.setUint32(TAG.durationNs + 4, TAG_OPEN, true);
  } else setNs(target, TAG.durationNs, durationNs);
  target.setUint32(TAG.name, name, true);
  target.setUint32(TAG.weight, weight, true);
}

/** The end of the tag with this number, and the number of the name that it has now; null: that which it had. */
export function encodeTagEnd(target: DataView, timeNs: number, tag: number, name: number | null): void {
  setNs(target, TAG.timeNs, timeNs);
  target.setUint32(TAG.endedTag, tag, true);
  target.setUint32(TAG.endName, name ?? TAG_OPEN, true);
}

function setNs(target: DataView, offset: number, ns: number): void {
  const whole = Math.max(0, Math.round(ns));
  const high = Math.floor(whole / 2 ** 32);
  target.setUint32(offset, whole - high * 2 ** 32, true);
  target.setUint32(offset + 4, high, true);
}

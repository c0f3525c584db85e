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

/** For encodeTag, again and again. */
export function tagBuffer(): Buffer {
  return recordOf(TAG_RECORD_BYTES, TAG_RECORD);
}

/** For encodeTagEnd, again and again. */
export function tagEndBuffer(): Buffer {
  return recordOf(TAG_END_BYTES, TAG_END);
}

function recordOf(bytes: number, type: number): Buffer {
  const record = Buffer.alloc(bytes);
  record.writeUInt32LE(bytes, TAG.bytes);
  record.writeUInt16LE(type, TAG.type);
  return record;
}

/** `source` is an index into TAG_SOURCES, `name` a name's number; a duration of null: it goes on. */
export function encodeTag(
  target: Buffer,
  source: number,
  timeNs: number,
  durationNs: number | null,
  name: number,
  weight: number,
): void {
  target.writeUInt8(source, TAG.source);
  writeNs(target, timeNs, TAG.timeNs);
  if (durationNs === null) {
    target.writeUInt32LE(TAG_OPEN, TAG.durationNs);
    target.writeUInt32LE(TAG_OPEN, TAG.durationNs + 4);
  } else writeNs(target, durationNs, TAG.durationNs);
  target.writeUInt32LE(name, TAG.name);
  target.writeUInt32LE(weight, TAG.weight);
}

/** The end of the tag with this number, and the number of the name that it has now; null: that which it had. */
export function encodeTagEnd(target: Buffer, timeNs: number, tag: number, name: number | null): void {
  writeNs(target, timeNs, TAG.timeNs);
  target.writeUInt32LE(tag, TAG.endedTag);
  target.writeUInt32LE(name ?? TAG_OPEN, TAG.endName);
}

function writeNs(target: Buffer, ns: number, offset: number): void {
  const whole = Math.max(0, Math.round(ns));
  target.writeUInt32LE(whole % 2 ** 32, offset);
  target.writeUInt32LE(Math.floor(whole / 2 ** 32), offset + 4);
}

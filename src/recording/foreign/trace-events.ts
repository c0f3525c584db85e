/**
 * The events of a trace in Chrome's JSON, one after the other and without taking the whole apart: such files have hundreds of megabytes,
 * and those of a program that died end anywhere.
 *
 *     {"traceEvents": [{...}, {...}], "metadata": {...}}     or     [{...}, {...}]
 */

/** A larger event is none of the collector's. */
const MOST_EVENT_BYTES = 64 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Calls back with the bytes of each object in the list that the file is, or in a list right inside of the object that it is. Returns false
 * where the file ends before they do.
 */
export function eachTraceEvent(bytes: Buffer, callback: (event: Buffer) => void): boolean {
  let depth = 0;
  /** How deep events are: in a list, or in a list in an object. */
  let eventDepth = 0;
  let isInList = false;
  let start = -1;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      i = endOfText(bytes, i + 1);
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth++;
      if (depth === 1) eventDepth = byte === OPEN_LIST ? 2 : 3;
      if (depth === eventDepth - 1) isInList = byte === OPEN_LIST;
      if (depth === eventDepth && isInList && byte === OPEN_OBJECT) start = i;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      if (depth === eventDepth && start >= 0) {
        if (i + 1 - start <= MOST_EVENT_BYTES) callback(bytes.subarray(start, i + 1));
        start = -1;
      }
      depth--;
      if (depth === 0) return true;
    }
  }
  return false;
}

/** Where the text that begins at `from` has its closing quote. */
function endOfText(bytes: Buffer, from: number): number {
  for (let i = from; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) return i;
  }
  return bytes.length;
}

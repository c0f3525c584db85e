/** The .tags log: what the program was doing. */
import { at, type Clock, damagedRecords, durationAt, pick, timeAt, timeOrder } from "./columns.ts";
import { eachSizedRecord, type Log, type RecordView } from "./log-reader.ts";
import type { TagColumns } from "./model.ts";
import {
  MAX_TAG_NAME_BYTES,
  MAX_TAG_NAMES,
  TAG,
  TAG_END,
  TAG_END_BYTES,
  TAG_NAME,
  TAG_OPEN,
  TAG_RECORD,
  TAG_RECORD_BYTES,
  TAG_SOURCES,
  type Warning,
} from "./spec.ts";

export function decodeTags(log: Log, clock: Clock): { tags: TagColumns; warnings: readonly Warning[] } {
  const rows = tagRows(Math.floor(log.bytes / TAG_RECORD_BYTES));
  let damaged = 0;
  const warnings = eachSizedRecord(log, TAG.text, (record, offset, length) => {
    if (!readRecord(rows, record, offset, length, clock)) damaged++;
  });
  return { tags: inOrder(rows), warnings: [...warnings, ...damagedRecords(log, damaged)] };
}

/** In the order of the file: an end says which of them it ends. */
interface TagRows {
  readonly names: string[];
  count: number;
  readonly timeMs: Float64Array;
  readonly durationMs: Float64Array;
  readonly name: Int32Array;
  readonly source: Uint8Array;
  readonly weight: Uint32Array;
}

function tagRows(capacity: number): TagRows {
  return {
    names: [],
    count: 0,
    timeMs: new Float64Array(capacity),
    durationMs: new Float64Array(capacity),
    name: new Int32Array(capacity),
    source: new Uint8Array(capacity),
    weight: new Uint32Array(capacity),
  };
}

/** False where the record is damaged. */
function readRecord(rows: TagRows, record: RecordView, offset: number, length: number, clock: Clock): boolean {
  const type = record.view.getUint16(offset + TAG.type, true);
  if (type === TAG_NAME) return readName(rows, record, offset, length);
  if (type === TAG_RECORD && length === TAG_RECORD_BYTES) return readTag(rows, record.view, offset, clock);
  return type === TAG_END && length === TAG_END_BYTES && readEnd(rows, record.view, offset, clock);
}

function readName({ names }: TagRows, { buffer, view }: RecordView, offset: number, length: number): boolean {
  const bytes = view.getUint16(offset + TAG.length, true);
  if (names.length === MAX_TAG_NAMES || bytes > MAX_TAG_NAME_BYTES || TAG.text + bytes > length) return false;
  names.push(buffer.toString("utf8", offset + TAG.text, offset + TAG.text + bytes));
  return true;
}

function readTag(rows: TagRows, view: DataView, offset: number, clock: Clock): boolean {
  // A damaged one keeps its number: ends count it too.
  const i = rows.count++;
  const timeMs = timeAt(view, offset + TAG.timeNs, clock);
  const name = view.getUint32(offset + TAG.name, true);
  const source = view.getUint8(offset + TAG.source);
  const weight = view.getUint32(offset + TAG.weight, true);
  const isWhole = !Number.isNaN(timeMs) && name < rows.names.length && source < TAG_SOURCES.length && weight > 0;
  rows.timeMs[i] = isWhole ? timeMs : Number.NaN;
  // All ones, which is a tag that goes on, is NaN like everything that no recording can last.
  rows.durationMs[i] = durationAt(view, offset + TAG.durationNs);
  rows.name[i] = name;
  rows.source[i] = source;
  rows.weight[i] = weight;
  return isWhole;
}

function readEnd(rows: TagRows, view: DataView, offset: number, clock: Clock): boolean {
  const tag = view.getUint32(offset + TAG.endedTag, true);
  const name = view.getUint32(offset + TAG.endName, true);
  const durationMs = timeAt(view, offset + TAG.timeNs, clock) - at(rows.timeMs, tag);
  if (tag >= rows.count || !(durationMs >= 0)) return false;
  if (name !== TAG_OPEN && name >= rows.names.length) return false;
  rows.durationMs[tag] = durationMs;
  if (name !== TAG_OPEN) rows.name[tag] = name;
  return true;
}

function inOrder(rows: TagRows): TagColumns {
  const order = wholeInOrder(rows.timeMs.subarray(0, rows.count));
  return {
    count: order.length,
    names: rows.names,
    timeMs: pick(rows.timeMs, order),
    durationMs: pick(rows.durationMs, order),
    name: pick(rows.name, order),
    source: pick(rows.source, order),
    weight: pick(rows.weight, order),
  };
}

/** The tags that are not damaged, by when they began. */
function wholeInOrder(times: Float64Array): Uint32Array {
  const whole = new Uint32Array(times.length);
  let count = 0;
  for (let i = 0; i < times.length; i++) if (!Number.isNaN(at(times, i))) whole[count++] = i;
  const kept = whole.subarray(0, count);
  return timeOrder(pick(times, kept)).map((i) => at(kept, i));
}

/** The .heap log: heap sizes over time. */
import { type Clock, damagedRecords, numberAt, pick, timeAt, timeOrder } from "./columns.ts";
import { eachRecord, type Log } from "./log-reader.ts";
import type { HeapColumns } from "./model.ts";
import { HEAP, HEAP_SPACE_BYTES, SPACE_UNIT, type Warning } from "./spec.ts";

export function noHeap(): HeapColumns {
  return heapColumns(0, []);
}

export function decodeHeap(log: Log, clock: Clock): { heap: HeapColumns; warnings: readonly Warning[] } {
  const names = log.header.strings;
  const heap = heapColumns(log.bytes / log.header.recordBytes, names);
  let read = 0;
  let i = 0;
  eachRecord(log, ({ view }, offset) => {
    read++;
    heap.timeMs[i] = timeAt(view, offset + HEAP.timeNs, clock);
    if (Number.isNaN(heap.timeMs[i])) return;
    heap.used[i] = numberAt(view, offset + HEAP.used);
    heap.committed[i] = numberAt(view, offset + HEAP.committed);
    heap.limit[i] = numberAt(view, offset + HEAP.limit);
    heap.external[i] = numberAt(view, offset + HEAP.external);
    heap.malloced[i] = numberAt(view, offset + HEAP.malloced);
    // All ones, which is unknown, is NaN like every other number that a double cannot hold.
    heap.arrayBuffers[i] = numberAt(view, offset + HEAP.arrayBuffers);
    for (let space = 0; space < names.length; space++) {
      const units = view.getUint32(offset + HEAP.spaces + space * HEAP_SPACE_BYTES, true);
      heap.spaceUsed[i * names.length + space] = units * SPACE_UNIT;
    }
    i++;
  });
  return { heap: inOrder(heap, i), warnings: damagedRecords(log, read - i) };
}

function heapColumns(count: number, spaceNames: readonly string[]): HeapColumns {
  const column = () => new Float64Array(count);
  return {
    count,
    timeMs: column(),
    used: column(),
    committed: column(),
    limit: column(),
    external: column(),
    malloced: column(),
    arrayBuffers: column(),
    spaceNames,
    spaceUsed: new Float64Array(count * spaceNames.length),
  };
}

function inOrder(heap: HeapColumns, count: number): HeapColumns {
  const order = timeOrder(heap.timeMs.subarray(0, count));
  return {
    count,
    timeMs: pick(heap.timeMs, order),
    used: pick(heap.used, order),
    committed: pick(heap.committed, order),
    limit: pick(heap.limit, order),
    external: pick(heap.external, order),
    malloced: pick(heap.malloced, order),
    arrayBuffers: pick(heap.arrayBuffers, order),
    spaceNames: heap.spaceNames,
    spaceUsed: pick(heap.spaceUsed, order, heap.spaceNames.length),
  };
}

/** The .loop log: how busy the event loop was. */
import { at, type Clock, damagedRecords, durationAt, pick, timeAt, timeOrder } from "./columns.ts";
import { eachRecord, type Log } from "./log-reader.ts";
import type { LoopColumns } from "./model.ts";
import { LOOP, type Warning } from "./spec.ts";

export function noLoop(): LoopColumns {
  const none = new Float64Array(0);
  return { count: 0, timeMs: none, utilization: none, maxDelayMs: none, cpuShare: none };
}

export function decodeLoop(log: Log, clock: Clock): { loop: LoopColumns; warnings: readonly Warning[] } {
  const capacity = log.bytes / log.header.recordBytes;
  const column = () => new Float64Array(capacity);
  const rows = { time: column(), idle: column(), busy: column(), cpu: column() };
  let read = 0;
  let i = 0;
  eachRecord(log, ({ view }, offset) => {
    read++;
    rows.time[i] = timeAt(view, offset + LOOP.timeNs, clock);
    if (Number.isNaN(rows.time[i])) return;
    rows.idle[i] = durationAt(view, offset + LOOP.idleNs);
    rows.busy[i] = durationAt(view, offset + LOOP.maxBusyNs);
    rows.cpu[i] = durationAt(view, offset + LOOP.cpuNs);
    i++;
  });
  const order = timeOrder(rows.time.subarray(0, i));
  const timeMs = pick(rows.time, order);
  const idleShare = shareOfTime(pick(rows.idle, order), timeMs);
  return {
    loop: {
      count: i,
      timeMs,
      utilization: idleShare.map((share) => Math.max(0, 1 - share)),
      maxDelayMs: pick(rows.busy, order),
      cpuShare: shareOfTime(pick(rows.cpu, order), timeMs),
    },
    warnings: damagedRecords(log, read - i),
  };
}

/**
 * How much a running total of ms grew since the previous sample, over the time between the two. NaN for the first sample, and
 * where no time passed or the total fell.
 */
export function shareOfTime(totalMs: Float64Array, timeMs: Float64Array): Float64Array {
  return timeMs.map((time, i) => {
    const elapsed = time - at(timeMs, i - 1);
    const grown = at(totalMs, i) - at(totalMs, i - 1);
    return elapsed > 0 && grown >= 0 ? grown / elapsed : Number.NaN;
  });
}

/** The .process log: what the system knows of a process. */
import { type Clock, damagedRecords, durationAt, numberAt, pick, timeAt, timeOrder } from "./columns.ts";
import { shareOfTime } from "./decode-loop.ts";
import { eachRecord, type Log } from "./log-reader.ts";
import type { ProcessColumns } from "./model.ts";
import { PROCESS, type Warning } from "./spec.ts";

/** Major faults and switches are running totals since the process started, as they are in the log. */
export function decodeProcess(
  log: Log,
  pid: number,
  clock: Clock,
): { process: ProcessColumns; warnings: readonly Warning[] } {
  const capacity = log.bytes / log.header.recordBytes;
  const column = () => new Float64Array(capacity);
  const rows = { time: column(), rss: column(), cpu: column(), faults: column(), switches: column() };
  let read = 0;
  let i = 0;
  eachRecord(log, ({ view }, offset) => {
    read++;
    rows.time[i] = timeAt(view, offset + PROCESS.timeNs, clock);
    if (Number.isNaN(rows.time[i])) return;
    rows.rss[i] = numberAt(view, offset + PROCESS.rss);
    rows.cpu[i] = durationAt(view, offset + PROCESS.cpuNs);
    rows.faults[i] = numberAt(view, offset + PROCESS.majorFaults);
    rows.switches[i] = numberAt(view, offset + PROCESS.involuntarySwitches);
    i++;
  });
  const order = timeOrder(rows.time.subarray(0, i));
  const timeMs = pick(rows.time, order);
  return {
    process: {
      pid,
      count: i,
      timeMs,
      rss: pick(rows.rss, order),
      cpuShare: shareOfTime(pick(rows.cpu, order), timeMs),
      majorFaults: pick(rows.faults, order),
      involuntarySwitches: pick(rows.switches, order),
    },
    warnings: damagedRecords(log, read - i),
  };
}

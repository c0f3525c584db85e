/** Numbers out of records, and columns in order of time. */
import type { Log } from "./log-reader.ts";
import type { Warning } from "./spec.ts";

const NS_A_MS = 1e6;
const HIGH = 2 ** 32;
/** Numbers from 2^53 on are damage (or a negative number of V8's); a double would not hold them either. */
const HIGH_LIMIT = 2 ** 21;
/** A time further from the recording's start than this is damage: it would stretch every picture to nothing. */
const LONGEST_MS = 366 * 86_400_000;

/** The recording's start, in halves so that the loops over records need no BigInt. */
export interface Clock {
  readonly high: number;
  readonly low: number;
}

export function clockAt(startNs: bigint): Clock {
  return { high: Number(startNs >> 32n), low: Number(startNs & 0xffff_ffffn) };
}

/** The time at `offset` in ms since the recording's start; NaN where it cannot be one. */
export function timeAt(view: DataView, offset: number, clock: Clock): number {
  const high = view.getUint32(offset + 4, true) - clock.high;
  const ms = (high * HIGH + (view.getUint32(offset, true) - clock.low)) / NS_A_MS;
  return ms >= -LONGEST_MS && ms <= LONGEST_MS ? ms : Number.NaN;
}

export function earliest(times: readonly bigint[]): bigint | null {
  let first: bigint | null = null;
  for (const time of times) if (first === null || time < first) first = time;
  return first;
}

/** From the time at `from` to the time at `to`, in ms. */
export function spanAt(view: DataView, from: number, to: number): number {
  const high = view.getUint32(to + 4, true) - view.getUint32(from + 4, true);
  return (high * HIGH + (view.getUint32(to, true) - view.getUint32(from, true))) / NS_A_MS;
}

/** `ns` on the monotonic clock in ms since the recording's start; NaN where it cannot be such a time. */
export function msSince(startNs: bigint, ns: bigint): number {
  const ms = Number(ns - startNs) / NS_A_MS;
  return Math.abs(ms) <= LONGEST_MS ? ms : Number.NaN;
}

/** The unsigned 64-bit number at `offset`; NaN where it is 2^53 or more. */
export function numberAt(view: DataView, offset: number): number {
  const high = view.getUint32(offset + 4, true);
  return high < HIGH_LIMIT ? high * HIGH + view.getUint32(offset, true) : Number.NaN;
}

/** The length of time in ns at `offset`, in ms; NaN where it is longer than any recording. */
export function durationAt(view: DataView, offset: number): number {
  const ms = numberAt(view, offset) / NS_A_MS;
  return ms <= LONGEST_MS ? ms : Number.NaN;
}

/** Whether `times` rise (equal neighbours are fine). */
function isOrdered(times: Float64Array): boolean {
  for (let i = 1; i < times.length; i++) if (at(times, i) < at(times, i - 1)) return false;
  return true;
}

/** Element i, which the caller knows to exist. */
export function at(values: { readonly [index: number]: number }, index: number): number {
  return values[index] ?? Number.NaN;
}

/** 0, 1, 2, ... in the order of `times`; equal times keep their order. */
export function timeOrder(times: Float64Array): Uint32Array {
  const order = Uint32Array.from(times, (_, index) => index);
  return isOrdered(times) ? order : order.sort((a, b) => at(times, a) - at(times, b) || a - b);
}

type Column = Float32Array | Float64Array | Uint8Array | Uint16Array | Int16Array | Int32Array | Uint32Array;

/** The entries of `column` that `order` names, in its order; an entry is `width` elements. */
export function pick<T extends Column>(column: T, order: Uint32Array, width = 1): T {
  const picked = column.slice(0, order.length * width) as T;
  for (let i = 0; i < order.length; i++) {
    const from = at(order, i) * width;
    for (let k = 0; k < width; k++) picked[i * width + k] = at(column, from + k);
  }
  return picked;
}

export function damagedRecords(log: Log, count: number): readonly Warning[] {
  if (count === 0) return [];
  return [
    {
      code: "log-damaged",
      message: `${log.name}: ${count.toLocaleString("en-US")} records are damaged and left out.`,
    },
  ];
}

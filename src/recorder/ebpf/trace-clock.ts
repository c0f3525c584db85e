/**
 * bpftrace's clock and the recording's. bpftrace counts from the machine's start, most versions with the time that it slept, the recording
 * without: on a machine that never slept both are the same.
 */
import { readFileSync } from "node:fs";

/** A line is read within this time, however busy the machine is: what is more is another clock. */
const SAME_CLOCK_NS = 1e9;

/** Since the machine's start, with the time that it slept; in ms, to 10 ms. */
function uptimeMs(): number {
  return Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1000;
}

export class TraceClock {
  readonly #monotonicNs: () => number;
  readonly #uptimeMs: () => number;
  /** What to add to bpftrace's time; null before its first line. */
  #offsetNs: number | null = null;
  #lastNs = 0;

  constructor(
    clocks: { readonly monotonicNs: () => number; readonly uptimeMs: () => number } = {
      monotonicNs: () => Number(process.hrtime.bigint()),
      uptimeMs,
    },
  ) {
    this.#monotonicNs = clocks.monotonicNs;
    this.#uptimeMs = clocks.uptimeMs;
  }

  /** A line of that time has just been read. */
  note(atNs: number): void {
    this.#offsetNs ??= this.#offsetOf(atNs);
    this.#lastNs = Math.max(this.#lastNs, atNs);
  }

  /** Now, on bpftrace's clock. */
  nowNs(): number {
    return this.#monotonicNs() - (this.#offsetNs ?? 0);
  }

  /** The latest time of a line, on bpftrace's clock. */
  get lastNs(): number {
    return this.#lastNs;
  }

  /** A time of bpftrace's on the recording's clock. */
  toMonotonicNs(atNs: number): bigint {
    return BigInt(Math.round(atNs + (this.#offsetNs ?? 0)));
  }

  #offsetOf(atNs: number): number {
    const nowNs = this.#monotonicNs();
    return Math.abs(nowNs - atNs) < SAME_CLOCK_NS ? 0 : nowNs - this.#uptimeMs() * 1e6;
  }
}

/** Blocks on a schedule, with a base fee that moves by the rule of EIP-1559. Which transactions they hold is the pool's matter. */
import { nextBaseFee } from "./head.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { Random } from "./random.ts";

const GAS_LIMIT = DEFAULT_LIMITS.blockGas;

const FIRST_BASE_FEE = 20e9;

export interface ScheduledHead {
  readonly number: number;
  /** When it arrives, ms after the traffic's start. */
  readonly atMs: number;
  /** Wei a unit of gas. */
  readonly baseFee: number;
  /** By everybody's transactions, not only by those that the pool knows. */
  readonly gasUsed: number;
}

export interface HeadScheduleOptions {
  readonly seed: number;
  readonly blockTimeMs: number;
}

/** Head by head, the first at 0 ms; the same ones for the same seed. */
export class HeadSchedule {
  readonly #random: Random;
  readonly #blockTimeMs: number;
  #number = 0;
  #baseFee = FIRST_BASE_FEE;

  constructor({ seed, blockTimeMs }: HeadScheduleOptions) {
    this.#random = new Random(seed, 1);
    this.#blockTimeMs = blockTimeMs;
  }

  next(): ScheduledHead {
    const number = this.#number++;
    const baseFee = this.#baseFee;
    const gasUsed = this.#gasUsed();
    this.#baseFee = nextBaseFee({ baseFee, gasUsed, gasLimit: GAS_LIMIT });
    return { number, atMs: number * this.#blockTimeMs, baseFee, gasUsed };
  }

  /** Demand swings, and a high fee keeps some of it away: the base fee wanders, but comes back. */
  #gasUsed(): number {
    const dearness = Math.log(this.#baseFee / FIRST_BASE_FEE);
    const fullness = this.#random.unit() - dearness / 4;
    return Math.round(GAS_LIMIT * Math.min(1, Math.max(0, fullness)));
  }
}

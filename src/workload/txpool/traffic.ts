/**
 * What arrives at the pool and when: signed transactions on a fixed schedule, with the bad ones that a public network sends.
 * The same seed makes the same bytes at the same times. Nothing here looks at a clock: `make-arrivals.ts` makes arrivals
 * ahead of it.
 */

import { type AccessListEntry, TransactionEncoder, type TransactionFields } from "./encode.ts";
import { HeadSchedule, type ScheduledHead } from "./head-schedule.ts";
import { Keys, raiseS } from "./keys.ts";
import { MAX_TRANSACTION_BYTES } from "./limits.ts";
import type { BATCHES } from "./options.ts";
import { Random } from "./random.ts";
import { RecentEncodings } from "./recent-encodings.ts";
import { ADDRESS_BYTES, HASH_BYTES, type TransactionType } from "./transaction.ts";

export const CHAIN_ID = 1;

/** The nonce of every account before the first block. A transaction below it is too old whatever the pool has done. */
export const FIRST_NONCE = 16;

/**
 * Shares of what is not simply the next transaction of some account. Where an account has nothing yet to replace, or has
 * a gap already, an ordinary one takes the place.
 */
export const SHARES = {
  /** Leaves out a nonce, which the account mostly sends next. */
  gap: 0.03,
  /** The account's last nonce again, 10 to 50 % dearer. */
  replacement: 0.04,
  /** The same, but less than 10 % dearer: to be refused. */
  "cheap-replacement": 0.01,
  /** The very bytes of a recent one. */
  duplicate: 0.02,
  /** Pays less than the base fee. The account's next transaction mostly replaces it. */
  "below-base-fee": 0.02,
  /** Older than the chain's head. */
  "nonce-too-low": 0.005,
  /** No transaction at all. */
  malformed: 0.005,
  /** Its signature is another account's, or the one of its two forms that EIP-2 forbids. */
  "wrong-signature": 0.005,
  /** Larger than 128 KiB. */
  "too-large": 0.0002,
} as const;

export type ArrivalKind = "ordinary" | keyof typeof SHARES;

export interface TrafficOptions {
  readonly seed: number;
  /** Transactions a second. */
  readonly tps: number;
  readonly durationMs: number;
  readonly batch: (typeof BATCHES)[number];
  readonly accounts: number;
  readonly blockTimeMs: number;
}

/** One object, filled again and again. */
export interface Arrival {
  /** When it is due, ms after the traffic's start. */
  atMs: number;
  kind: ArrivalKind;
  /** The encoding: `bytes[start]` to `bytes[end - 1]`. Valid until the next arrival. */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** Who is said to have signed it, 20 bytes. Of a wrong signature: who has not. */
  sender: Uint8Array;
}

/** Accounts are used by rank^-0.8: of 10,000, the first sends 4 % of all, the hundred first 25 %. */
const ZIPF_EXPONENT = 0.8;

const GWEI = 1e9;
/** A replaced replacement's price stays far below 2^53. */
const MAX_FEE = 1e15;

/** Larger than the largest transaction, so that random bytes of any length can be cut from it. */
const NOISE_BYTES = 2 * MAX_TRANSACTION_BYTES;

/** Gas of a plain transfer. */
const TRANSFER_GAS = 21_000;

/** What a transaction pays, wei a unit of gas. */
interface Offer {
  readonly type: TransactionType;
  readonly feeCap: number;
  readonly tip: number;
}

const NO_GAP = -1;
const NOTHING_SENT = -1;

export class Traffic {
  readonly arrival: Arrival;
  readonly #options: TrafficOptions;
  readonly #count: number;
  #made = 0;
  readonly #random: Random;
  readonly #keys: Keys;
  readonly #heads: HeadSchedule;
  #head: ScheduledHead;
  #nextHead: ScheduledHead;
  readonly #encoder = new TransactionEncoder(MAX_TRANSACTION_BYTES + 1024);
  readonly #recent: RecentEncodings;
  readonly #noise: Uint8Array;
  /** Sums of the shares, for a random number to fall between; what is above them is ordinary. */
  readonly #kinds: readonly { readonly kind: ArrivalKind; readonly below: number }[];
  /** Sums of the accounts' shares. */
  readonly #ranks: Float64Array;
  readonly #nextNonce: Uint32Array;
  /** The nonce that each account has left out, or offered too little for. */
  readonly #gap: Int32Array;
  readonly #lastNonce: Int32Array;
  readonly #lastFeeCap: Float64Array;
  readonly #lastTip: Float64Array;

  constructor(options: TrafficOptions) {
    const { seed, accounts } = options;
    this.#options = options;
    this.#count = Math.round((options.tps * options.durationMs) / 1000);
    this.#random = new Random(seed, 2);
    this.#keys = new Keys(new Random(seed, 3), accounts);
    this.#heads = new HeadSchedule(options);
    this.#head = this.#heads.next();
    this.#nextHead = this.#heads.next();
    this.#recent = new RecentEncodings();
    this.#noise = noise(new Random(seed, 4));
    this.#kinds = cumulated();
    this.#ranks = ranks(accounts);
    this.#nextNonce = new Uint32Array(accounts).fill(FIRST_NONCE);
    this.#gap = new Int32Array(accounts).fill(NO_GAP);
    this.#lastNonce = new Int32Array(accounts).fill(NOTHING_SENT);
    this.#lastFeeCap = new Float64Array(accounts);
    this.#lastTip = new Float64Array(accounts);
    const { bytes } = this.#encoder;
    this.arrival = { atMs: 0, kind: "ordinary", bytes, start: 0, end: 0, sender: this.#address(0) };
  }

  /** Makes the next arrival. False: there are no more. */
  next(): boolean {
    if (this.#made === this.#count) return false;
    const { batch, tps } = this.#options;
    const { arrival } = this;
    arrival.atMs = (Math.floor(this.#made / batch) * batch * 1000) / tps;
    this.#made++;
    while (this.#nextHead.atMs <= arrival.atMs) {
      this.#head = this.#nextHead;
      this.#nextHead = this.#heads.next();
    }
    this.#make(this.#drawKind(), this.#drawAccount());
    return true;
  }

  #make(kind: ArrivalKind, account: number): void {
    switch (kind) {
      case "ordinary":
        this.#ordinary(account);
        break;
      case "gap":
        this.#gapped(account);
        break;
      case "replacement":
      case "cheap-replacement":
        this.#replacement(kind, account);
        break;
      case "duplicate":
        this.#duplicate(account);
        break;
      case "below-base-fee":
        this.#belowBaseFee(account);
        break;
      case "nonce-too-low":
        this.#send(kind, account, this.#random.below(FIRST_NONCE), this.#offer());
        break;
      case "malformed":
        this.#send(kind, account, this.#nonceOf(account), this.#offer());
        this.#damage();
        break;
      case "wrong-signature":
        this.#wrongSignature(account);
        break;
      case "too-large":
        this.#send(kind, account, this.#nonceOf(account), this.#offer(), MAX_TRANSACTION_BYTES);
        break;
    }
  }

  #ordinary(account: number): void {
    const offer = this.#offer();
    const gap = this.#gap[account] ?? NO_GAP;
    const fills = gap !== NO_GAP && this.#random.below(4) > 0;
    const nonce = fills ? gap : this.#nonceOf(account);
    if (fills) this.#gap[account] = NO_GAP;
    else this.#nextNonce[account] = nonce + 1;
    this.#send("ordinary", account, nonce, offer);
    this.#remember(account, nonce, offer);
    const { bytes, start, end, sender } = this.arrival;
    this.#recent.add(bytes, start, end, sender);
  }

  #gapped(account: number): void {
    if (this.#gap[account] !== NO_GAP) {
      this.#ordinary(account);
      return;
    }
    const offer = this.#offer();
    const nonce = this.#nonceOf(account) + 1;
    this.#gap[account] = nonce - 1;
    this.#nextNonce[account] = nonce + 1;
    this.#send("gap", account, nonce, offer);
    this.#remember(account, nonce, offer);
  }

  #replacement(kind: "replacement" | "cheap-replacement", account: number): void {
    const nonce = this.#lastNonce[account] ?? NOTHING_SENT;
    const feeCap = this.#lastFeeCap[account] ?? 0;
    if (nonce === NOTHING_SENT || feeCap > MAX_FEE) {
      this.#ordinary(account);
      return;
    }
    // A wei more, so that rounding cannot bring a replacement below the 10 % that a pool demands.
    const [factor, more] =
      kind === "replacement" ? [this.#random.between(1.1, 1.5), 1] : [this.#random.between(1, 1.09), 0];
    const raised = (fee: number): number => Math.floor(fee * factor) + more;
    const offer = offerOf(this.#type(), raised(feeCap), raised(this.#lastTip[account] ?? 0));
    this.#send(kind, account, nonce, offer);
    if (kind === "replacement") this.#remember(account, nonce, offer);
  }

  #duplicate(account: number): void {
    const found = this.#recent.pick(this.#random);
    if (found === null) {
      this.#ordinary(account);
      return;
    }
    Object.assign(this.arrival, found);
    this.arrival.kind = "duplicate";
  }

  #belowBaseFee(account: number): void {
    if (this.#gap[account] !== NO_GAP) {
      this.#ordinary(account);
      return;
    }
    const nonce = this.#nonceOf(account);
    const feeCap = Math.floor(this.#head.baseFee * this.#random.between(0.5, 0.95));
    this.#gap[account] = nonce;
    this.#nextNonce[account] = nonce + 1;
    // A tip that an ordinary transaction raises by 10 % and more.
    this.#send("below-base-fee", account, nonce, offerOf(2, feeCap, Math.min(feeCap, 0.05 * GWEI)));
  }

  #wrongSignature(account: number): void {
    // A key that no account has.
    const other = this.#options.accounts;
    const sign =
      this.#random.below(2) === 0
        ? (hash: Uint8Array, signature: Uint8Array) => this.#keys.sign(other, hash, signature)
        : (hash: Uint8Array, signature: Uint8Array) => {
            const parity = this.#keys.sign(account, hash, signature);
            raiseS(signature);
            return parity;
          };
    this.#encoder.encode(this.#fields(this.#nonceOf(account), this.#offer(), this.#dataBytes()), sign);
    this.#deliver("wrong-signature", account);
  }

  #send(kind: ArrivalKind, account: number, nonce: number, offer: Offer, dataBytes = this.#dataBytes()): void {
    this.#encoder.encode(this.#fields(nonce, offer, dataBytes), (hash, signature) =>
      this.#keys.sign(account, hash, signature),
    );
    this.#deliver(kind, account);
  }

  #deliver(kind: ArrivalKind, account: number): void {
    const { bytes, start, end } = this.#encoder;
    Object.assign(this.arrival, { kind, bytes, start, end, sender: this.#address(account) });
  }

  /** Makes what is in the encoder something that no decoder may take. */
  #damage(): void {
    const { bytes, start } = this.#encoder;
    const typed = (bytes[start] ?? 0) < 0xc0;
    switch (this.#random.below(4)) {
      case 0:
        this.arrival.end -= 1 + this.#random.below(20);
        break;
      case 1:
        bytes[this.arrival.end++] = this.#random.below(256);
        break;
      case 2:
        // A type that does not exist.
        bytes[start] = 0x05 + this.#random.below(0x7a);
        break;
      default: {
        // The list's length, one too long; every list here is longer than 55 bytes.
        const header = typed ? start + 1 : start;
        const lowest = header + (bytes[header] ?? 0) - 0xf7;
        bytes[lowest] = ((bytes[lowest] ?? 0) + 1) & 0xff;
      }
    }
  }

  #fields(nonce: number, { type, feeCap, tip }: Offer, dataBytes: number): TransactionFields {
    const random = this.#random;
    const isTransfer = dataBytes === 0;
    return {
      type,
      // One legacy transaction in ten is for every chain.
      chainId: type === 0 && random.below(10) === 0 ? 0 : CHAIN_ID,
      nonce,
      feeCap,
      tip,
      gas: isTransfer ? TRANSFER_GAS : TRANSFER_GAS + 16 * dataBytes + random.below(200_000),
      to: this.#bytes(ADDRESS_BYTES),
      value: isTransfer ? 1 + random.below(1e6) * GWEI : 0,
      data: this.#bytes(dataBytes),
      accessList: type === 0 ? [] : this.#accessList(type === 1 ? 1 + random.below(3) : 0),
    };
  }

  #accessList(entries: number): readonly AccessListEntry[] {
    return Array.from({ length: entries }, () => ({
      address: this.#bytes(ADDRESS_BYTES),
      keys: Array.from({ length: this.#random.below(3) }, () => this.#bytes(HASH_BYTES)),
    }));
  }

  /** Seven in ten are EIP-1559, one in twenty has an access list. */
  #type(): TransactionType {
    const draw = this.#random.unit();
    if (draw < 0.7) return 2;
    return draw < 0.95 ? 0 : 1;
  }

  /** Half are plain transfers, a quarter token transfers, a fifth larger calls, and the rest has a tail to 8 KiB. */
  #dataBytes(): number {
    const random = this.#random;
    const draw = random.unit();
    if (draw < 0.5) return 0;
    if (draw < 0.75) return 68;
    if (draw < 0.95) return 4 + 32 * (1 + random.below(12));
    return Math.min(8192, Math.floor(400 / (1 - random.unit())));
  }

  /** Above the base fee by enough for some blocks to come. */
  #offer(): Offer {
    const tip = Math.floor(GWEI * 0.1 * 50 ** this.#random.unit());
    return offerOf(this.#type(), Math.floor(this.#head.baseFee * this.#random.between(1.1, 2)) + tip, tip);
  }

  #drawKind(): ArrivalKind {
    const draw = this.#random.unit();
    return this.#kinds.find(({ below }) => draw < below)?.kind ?? "ordinary";
  }

  #drawAccount(): number {
    const draw = this.#random.unit();
    let low = 0;
    let high = this.#ranks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranks[middle] ?? 1) > draw) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #nonceOf(account: number): number {
    return this.#nextNonce[account] ?? FIRST_NONCE;
  }

  #remember(account: number, nonce: number, { feeCap, tip }: Offer): void {
    this.#lastNonce[account] = nonce;
    this.#lastFeeCap[account] = feeCap;
    this.#lastTip[account] = tip;
  }

  #address(account: number): Uint8Array {
    return this.#keys.addresses.subarray(account * ADDRESS_BYTES, (account + 1) * ADDRESS_BYTES);
  }

  /** Random bytes, valid until the end. */
  #bytes(length: number): Uint8Array {
    const start = this.#random.below(NOISE_BYTES - length);
    return this.#noise.subarray(start, start + length);
  }
}

/** Types 0 and 1 have one price, which is the tip too: what replaces them has to beat it. */
function offerOf(type: TransactionType, feeCap: number, tip: number): Offer {
  return { type, feeCap, tip: type === 2 ? tip : feeCap };
}

function noise(random: Random): Uint8Array {
  const words = new Uint32Array(NOISE_BYTES / 4);
  for (let i = 0; i < words.length; i++) words[i] = random.uint32();
  return new Uint8Array(words.buffer);
}

function cumulated(): readonly { readonly kind: ArrivalKind; readonly below: number }[] {
  let below = 0;
  return Object.entries(SHARES).map(([kind, share]) => {
    below += share;
    return { kind: kind as ArrivalKind, below };
  });
}

function ranks(accounts: number): Float64Array {
  const sums = new Float64Array(accounts);
  let sum = 0;
  for (let i = 0; i < accounts; i++) {
    sum += (i + 1) ** -ZIPF_EXPONENT;
    sums[i] = sum;
  }
  return sums.map((one) => one / sum);
}

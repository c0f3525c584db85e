/**
 * Decodes signed transactions of the types 0 (legacy, with and without EIP-155), 1 (EIP-2930) and 2 (EIP-1559) from any bytes,
 * without garbage: the fields go into one object that is used again and again.
 */
import { Keccak256 } from "./keccak.ts";
import { MAX_TRANSACTION_BYTES } from "./limits.ts";
import { type RlpError, RlpReader } from "./rlp-reader.ts";
import { ADDRESS_BYTES, emptyTransaction, type Transaction, type TransactionType } from "./transaction.ts";

const STORAGE_KEY_BYTES = 32;
const WORD_BYTES = 32;

/** A transaction with what recovering its sender needs. */
export interface DecodedTransaction extends Transaction {
  /** 0: a legacy transaction that is valid on every chain (from before EIP-155). */
  chainId: number;
  /** Which of two public keys with this signature is the sender's. */
  parity: 0 | 1;
  /** r and s, 32 bytes each. */
  readonly signature: Uint8Array;
  /** The fields that are signed, without a list header: `raw[signedStart]` to `raw[signedEnd - 1]`. */
  signedStart: number;
  signedEnd: number;
}

/** Why bytes are no transaction that a pool may look at, a sentence each. */
export const REFUSALS = {
  empty: "There are no bytes.",
  "too-large": "The transaction is larger than 128 KiB.",
  "unknown-type": "The transaction is not of type 0, 1 or 2.",
  "missing-field": "A list ends before its last field.",
  truncated: "A field reaches beyond the end of the list that holds it.",
  "trailing-bytes": "Something follows the last field.",
  "not-canonical": "A length is not in its shortest form.",
  "leading-zero": "A number begins with a zero byte.",
  "wrong-shape": "A field is a list where bytes belong, or bytes where a list belongs.",
  "wrong-chain": "The transaction is for another chain.",
  "nonce-too-high": "The nonce is 2^53 or more.",
  "gas-too-high": "The gas limit is 2^53 or more.",
  "fee-too-high": "A fee is 2^53 wei a unit of gas or more.",
  "tip-above-fee-cap": "The tip is higher than the fee cap.",
  "value-too-high": "The value is 2^256 wei or more.",
  "bad-recipient": "The recipient has neither 0 nor 20 bytes.",
  "bad-access-list": "An entry of the access list is not an address of 20 bytes and keys of 32 bytes.",
  "bad-parity": "The signature's v or parity is none that exists.",
  "bad-signature": "The signature's r or s is out of its range (s: the lower half, EIP-2).",
} as const satisfies Record<RlpError | string, string>;

export type Refusal = keyof typeof REFUSALS;

export function emptyDecodedTransaction(): DecodedTransaction {
  return {
    ...emptyTransaction(),
    chainId: 0,
    parity: 0,
    signature: new Uint8Array(2 * WORD_BYTES),
    signedStart: 0,
    signedEnd: 0,
  };
}

/** The order n of secp256k1's group, and half of it: 0 < r < n, 0 < s <= n / 2. */
const ORDER = fromHex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
const HALF_ORDER = fromHex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
const ONE = fromHex("01".padStart(2 * WORD_BYTES, "0"));

const NO_BYTES = new Uint8Array(0);

export class TransactionDecoder {
  readonly #chainId: number;
  readonly #rlp = new RlpReader();
  readonly #keccak = new Keccak256();

  /** Takes transactions for this chain, and legacy ones for every chain. */
  constructor(chainId: number) {
    this.#chainId = chainId;
  }

  /**
   * Fills `into` from `raw[start]` to `raw[end - 1]`, all but the sender, which is zero until it is recovered or told. Refused
   * bytes leave `into` empty, with `start` and `end` equal.
   */
  decode(raw: Uint8Array, start: number, end: number, into: DecodedTransaction): Refusal | null {
    const refusal = this.#parse(raw, start, end, into);
    into.sender.fill(0);
    if (refusal !== null) {
      clear(into);
      return refusal;
    }
    into.raw = raw;
    into.start = start;
    into.end = end;
    this.#keccak.update(raw, start, end);
    this.#keccak.digest(into.hash);
    return null;
  }

  #parse(raw: Uint8Array, start: number, end: number, into: DecodedTransaction): Refusal | null {
    if (start >= end) return "empty";
    if (end - start > MAX_TRANSACTION_BYTES) return "too-large";
    if (end > raw.length) return "truncated";
    const type = typeOf(raw[start] ?? 0);
    if (type === null) return "unknown-type";
    const rlp = this.#rlp;
    rlp.open(raw, type === 0 ? start : start + 1, end);
    if (!rlp.list()) return rlp.error;
    if (!rlp.atEnd) return "trailing-bytes";
    rlp.open(raw, rlp.start, rlp.end);
    into.type = type;
    into.signedStart = rlp.at;
    return this.#fields(into) ?? this.#signature(into);
  }

  /** Everything up to the signature. */
  #fields(into: DecodedTransaction): Refusal | null {
    const rlp = this.#rlp;
    if (into.type !== 0) {
      if (!rlp.integer()) return rlp.error;
      into.chainId = rlp.value;
      if (into.chainId !== this.#chainId) return "wrong-chain";
    }
    if (!rlp.integer()) return rlp.error;
    into.nonce = rlp.value;
    if (into.nonce > Number.MAX_SAFE_INTEGER) return "nonce-too-high";
    if (!rlp.integer()) return rlp.error;
    into.tip = rlp.value;
    if (into.tip > Number.MAX_SAFE_INTEGER) return "fee-too-high";
    if (into.type === 2 && !rlp.integer()) return rlp.error;
    into.feeCap = rlp.value;
    if (into.feeCap > Number.MAX_SAFE_INTEGER) return "fee-too-high";
    if (into.tip > into.feeCap) return "tip-above-fee-cap";
    if (!rlp.integer()) return rlp.error;
    into.gas = rlp.value;
    if (into.gas > Number.MAX_SAFE_INTEGER) return "gas-too-high";
    if (!rlp.string()) return rlp.error;
    if (rlp.end !== rlp.start && rlp.end - rlp.start !== ADDRESS_BYTES) return "bad-recipient";
    if (!rlp.scalar()) return rlp.error;
    if (rlp.end - rlp.start > WORD_BYTES) return "value-too-high";
    if (!rlp.string()) return rlp.error;
    const refusal = into.type === 0 ? null : this.#accessList();
    into.signedEnd = rlp.at;
    return refusal;
  }

  /** A list of pairs: an address, and a list of storage keys. */
  #accessList(): Refusal | null {
    const rlp = this.#rlp;
    const { limit } = rlp;
    if (!rlp.list()) return rlp.error;
    const end = rlp.end;
    rlp.open(rlp.bytes, rlp.start, end);
    while (!rlp.atEnd) {
      if (!rlp.list()) return rlp.error;
      const entryEnd = rlp.end;
      rlp.open(rlp.bytes, rlp.start, entryEnd);
      if (!rlp.string()) return rlp.error;
      if (rlp.end - rlp.start !== ADDRESS_BYTES) return "bad-access-list";
      if (!rlp.list()) return rlp.error;
      if (rlp.end !== entryEnd) return "bad-access-list";
      rlp.open(rlp.bytes, rlp.start, entryEnd);
      while (!rlp.atEnd) {
        if (!rlp.string()) return rlp.error;
        if (rlp.end - rlp.start !== STORAGE_KEY_BYTES) return "bad-access-list";
      }
      rlp.open(rlp.bytes, entryEnd, end);
    }
    rlp.open(rlp.bytes, end, limit);
    return null;
  }

  #signature(into: DecodedTransaction): Refusal | null {
    const rlp = this.#rlp;
    if (!rlp.integer()) return rlp.error;
    const refusal = into.type === 0 ? this.#legacyV(rlp.value, into) : parity(rlp.value, into);
    if (refusal !== null) return refusal;
    for (let part = 0; part < into.signature.length; part += WORD_BYTES) {
      if (!rlp.scalar()) return rlp.error;
      if (rlp.end - rlp.start > WORD_BYTES) return "bad-signature";
      const padding = WORD_BYTES - (rlp.end - rlp.start);
      for (let i = 0; i < WORD_BYTES; i++) {
        into.signature[part + i] = i < padding ? 0 : (rlp.bytes[rlp.start + i - padding] ?? 0);
      }
    }
    if (!rlp.atEnd) return "trailing-bytes";
    const { signature } = into;
    const inRange =
      compare(signature, 0, ONE) >= 0 &&
      compare(signature, 0, ORDER) < 0 &&
      compare(signature, WORD_BYTES, ONE) >= 0 &&
      compare(signature, WORD_BYTES, HALF_ORDER) <= 0;
    return inRange ? null : "bad-signature";
  }

  /** 27 and 28, or from EIP-155 on 35 and 36 + 2 * chain id. */
  #legacyV(v: number, into: DecodedTransaction): Refusal | null {
    if (v === 27 || v === 28) {
      into.chainId = 0;
      return parity(v - 27, into);
    }
    if (v < 35 || v === Number.POSITIVE_INFINITY) return "bad-parity";
    into.chainId = Math.floor((v - 35) / 2);
    if (into.chainId !== this.#chainId) return "wrong-chain";
    return parity((v - 35) % 2, into);
  }
}

/** By the first byte: that of a list, or the type (EIP-2718). */
function typeOf(first: number): TransactionType | null {
  if (first >= 0xc0) return 0;
  return first === 1 || first === 2 ? first : null;
}

function parity(value: number, into: DecodedTransaction): Refusal | null {
  if (value !== 0 && value !== 1) return "bad-parity";
  into.parity = value;
  return null;
}

/** Below, at or above 0, as the 32 bytes at `bytes[start]` are below, equal to or above `other`. */
function compare(bytes: Uint8Array, start: number, other: Uint8Array): number {
  for (let i = 0; i < WORD_BYTES; i++) {
    const difference = (bytes[start + i] ?? 0) - (other[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function clear(into: DecodedTransaction): void {
  into.type = 0;
  into.nonce = 0;
  into.gas = 0;
  into.feeCap = 0;
  into.tip = 0;
  into.raw = NO_BYTES;
  into.start = 0;
  into.end = 0;
  into.hash.fill(0);
  into.sender.fill(0);
  into.chainId = 0;
  into.parity = 0;
  into.signature.fill(0);
  into.signedStart = 0;
  into.signedEnd = 0;
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

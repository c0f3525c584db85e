/** Encodes and signs transactions of the types that `decode.ts` reads. */
import { Keccak256 } from "./keccak.ts";
import { listHeaderBytes, RlpWriter } from "./rlp-writer.ts";
import { SigningHasher } from "./signing-hash.ts";
import { ADDRESS_BYTES, HASH_BYTES, type TransactionType } from "./transaction.ts";

/** The longest header of a list, and the type before it. */
const HEADER_ROOM = 8;
const SIGNATURE_BYTES = 64;

export interface AccessListEntry {
  /** 20 bytes. */
  readonly address: Uint8Array;
  /** 32 bytes each. */
  readonly keys: readonly Uint8Array[];
}

/** The fields of a transaction; numbers are below 2^53, amounts are wei. */
export interface TransactionFields {
  readonly type: TransactionType;
  /** 0: for every chain, which only legacy transactions can be. */
  readonly chainId: number;
  readonly nonce: number;
  /** Types 0 and 1 have one price: the fee cap. */
  readonly feeCap: number;
  readonly tip: number;
  readonly gas: number;
  /** 20 bytes, or none for a new contract. */
  readonly to: Uint8Array;
  readonly value: number;
  readonly data: Uint8Array;
  /** Not in legacy transactions. */
  readonly accessList: readonly AccessListEntry[];
}

/** Writes r and s, 32 bytes each, and returns the parity. */
export type Sign = (hash: Uint8Array, signature: Uint8Array) => 0 | 1;

export class TransactionEncoder {
  /** The encoding that was made last: `bytes[start]` to `bytes[end - 1]`. */
  readonly bytes: Uint8Array;
  start = 0;
  end = 0;
  readonly #writer: RlpWriter;
  readonly #signing = new SigningHasher(new Keccak256());
  readonly #hash = new Uint8Array(HASH_BYTES);
  readonly #signature = new Uint8Array(SIGNATURE_BYTES);

  constructor(capacityBytes: number) {
    this.#writer = new RlpWriter(capacityBytes);
    this.bytes = this.#writer.bytes;
  }

  encode(fields: TransactionFields, sign: Sign): void {
    const writer = this.#writer;
    writer.at = HEADER_ROOM;
    this.#fields(fields);
    const { type, chainId } = fields;
    const signed = { type, chainId, raw: writer.bytes, signedStart: HEADER_ROOM, signedEnd: writer.at };
    this.#signing.hash(signed, this.#hash);
    const parity = sign(this.#hash, this.#signature);
    writer.integer(type === 0 ? legacyV(chainId, parity) : parity);
    writer.scalar(this.#signature, 0, SIGNATURE_BYTES / 2);
    writer.scalar(this.#signature, SIGNATURE_BYTES / 2, SIGNATURE_BYTES);
    this.#header(type);
  }

  #fields({ type, chainId, nonce, feeCap, tip, gas, to, value, data, accessList }: TransactionFields): void {
    const writer = this.#writer;
    if (type !== 0) writer.integer(chainId);
    writer.integer(nonce);
    if (type === 2) writer.integer(tip);
    writer.integer(feeCap);
    writer.integer(gas);
    writer.string(to, 0, to.length);
    writer.integer(value);
    writer.string(data, 0, data.length);
    if (type !== 0) this.#accessList(accessList);
  }

  #accessList(entries: readonly AccessListEntry[]): void {
    const writer = this.#writer;
    writer.listHeader(entries.reduce((sum, entry) => sum + itemBytes(entryBytes(entry)), 0));
    for (const entry of entries) {
      writer.listHeader(entryBytes(entry));
      writer.string(entry.address, 0, entry.address.length);
      writer.listHeader(keysBytes(entry));
      for (const key of entry.keys) writer.string(key, 0, key.length);
    }
  }

  /** Puts the list's header, and the type before it, in front of the fields. */
  #header(type: TransactionType): void {
    const writer = this.#writer;
    this.end = writer.at;
    const length = this.end - HEADER_ROOM;
    const headerStart = HEADER_ROOM - listHeaderBytes(length);
    writer.at = headerStart;
    writer.listHeader(length);
    this.start = type === 0 ? headerStart : headerStart - 1;
    if (type !== 0) writer.bytes[this.start] = type;
  }
}

function legacyV(chainId: number, parity: 0 | 1): number {
  return chainId === 0 ? 27 + parity : 35 + 2 * chainId + parity;
}

function entryBytes(entry: AccessListEntry): number {
  return 1 + ADDRESS_BYTES + itemBytes(keysBytes(entry));
}

function keysBytes({ keys }: AccessListEntry): number {
  return keys.length * (1 + HASH_BYTES);
}

/** Of a list whose items take `length` bytes. */
function itemBytes(length: number): number {
  return listHeaderBytes(length) + length;
}

/**
 * Seeded accounts that sign fast. Their signatures are real: ECDSA over secp256k1, which everybody verifies and recovers in
 * the usual way and at the usual cost. What is cheap is only to make them: private keys are consecutive numbers, and the
 * secret numbers k of the signatures come from a short table whose points were computed once. What remains of a signature is
 * s = (z + r d) / k mod n, two multiplications. Whoever sees two signatures with one k can compute the keys: these guard
 * nothing and may never guard anything.
 */
import { normalizeZ } from "@noble/curves/abstract/curve.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { Keccak256 } from "./keccak.ts";
import type { Random } from "./random.ts";
import { addressOf } from "./recover.ts";
import { ADDRESS_BYTES, HASH_BYTES } from "./transaction.ts";

const { Point } = secp256k1;
type Point = InstanceType<typeof Point>;

const ORDER = Point.Fn.ORDER;
const WORD_BYTES = 32;
/** More only take longer to make; signatures of one k differ in s. */
const SECRETS = 256;

/** A secret number k: 1 / k, and of the point k G its x, as number and bytes, and whether its y is odd. */
interface Secret {
  readonly inverse: bigint;
  readonly r: bigint;
  readonly rBytes: Uint8Array;
  readonly parity: 0 | 1;
}

export class Keys {
  /** Of account i: `addresses[20 * i]` to `addresses[20 * i + 19]`. */
  readonly addresses: Uint8Array;
  readonly #random: Random;
  readonly #firstKey: bigint;
  readonly #secrets: readonly Secret[];
  readonly #hash = new Uint8Array(HASH_BYTES);
  readonly #hashWords = new DataView(this.#hash.buffer);

  /** Takes about 15 us an account. */
  constructor(random: Random, accounts: number) {
    this.#random = random;
    this.#firstKey = scalar(random);
    this.addresses = addresses(consecutivePoints(this.#firstKey, accounts));
    const firstSecret = scalar(random);
    this.#secrets = consecutivePoints(firstSecret, SECRETS).map((point, i) => secret(firstSecret + BigInt(i), point));
  }

  /**
   * Signs a hash for an account: writes r and the lower s (EIP-2), 32 bytes each, and returns the parity that recovers its
   * public key.
   */
  sign(account: number, hash: Uint8Array, signature: Uint8Array): 0 | 1 {
    const { inverse, r, rBytes, parity } = this.#secrets[this.#random.below(SECRETS)] as Secret;
    this.#hash.set(hash);
    const words = this.#hashWords;
    const z =
      (words.getBigUint64(0) << 192n) |
      (words.getBigUint64(8) << 128n) |
      (words.getBigUint64(16) << 64n) |
      words.getBigUint64(24);
    const s = (inverse * (z + r * this.privateKey(account))) % ORDER;
    const isHigh = s > ORDER / 2n;
    signature.set(rBytes);
    writeWord(isHigh ? ORDER - s : s, signature, WORD_BYTES);
    return isHigh ? flipped(parity) : parity;
  }

  privateKey(account: number): bigint {
    return (this.#firstKey + BigInt(account)) % ORDER;
  }
}

/** Turns a signature into its twin, which is as valid on the curve but forbidden by EIP-2: s becomes n - s. */
export function raiseS(signature: Uint8Array): void {
  const words = new DataView(signature.buffer, signature.byteOffset + WORD_BYTES, WORD_BYTES);
  let s = 0n;
  for (let at = 0; at < WORD_BYTES; at += 8) s = (s << 64n) | words.getBigUint64(at);
  writeWord(ORDER - s, signature, WORD_BYTES);
}

/** first * G, (first + 1) * G, ... */
function consecutivePoints(first: bigint, count: number): Point[] {
  let point = Point.BASE.multiply(first);
  const points = Array.from({ length: count }, () => {
    const current = point;
    point = point.add(Point.BASE);
    return current;
  });
  return normalizeZ(Point, points);
}

function addresses(points: readonly Point[]): Uint8Array {
  const all = new Uint8Array(points.length * ADDRESS_BYTES);
  const keccak = new Keccak256();
  const scratch = new Uint8Array(HASH_BYTES);
  for (const [i, point] of points.entries()) {
    addressOf(point.toBytes(false), keccak, scratch, all, i * ADDRESS_BYTES);
  }
  return all;
}

function secret(k: bigint, point: Point): Secret {
  const { x, y } = point.toAffine();
  const rBytes = new Uint8Array(WORD_BYTES);
  writeWord(x, rBytes, 0);
  return { inverse: Point.Fn.inv(Point.Fn.create(k)), r: x, rBytes, parity: y % 2n === 0n ? 0 : 1 };
}

/** A number from 1 to 2^255, far enough below the order for every account to have a key above it. */
function scalar(random: Random): bigint {
  let value = BigInt(random.uint32() >>> 1);
  for (let i = 0; i < 7; i++) value = (value << 32n) | BigInt(random.uint32());
  return value + 1n;
}

function writeWord(value: bigint, target: Uint8Array, at: number): void {
  const words = new DataView(target.buffer, target.byteOffset + at, WORD_BYTES);
  for (let word = 0; word < 4; word++)
    words.setBigUint64(word * 8, BigInt.asUintN(64, value >> BigInt(192 - 64 * word)));
}

function flipped(parity: 0 | 1): 0 | 1 {
  return parity === 0 ? 1 : 0;
}

import { keccak_256 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Keccak256 } from "../../../../src/workload/txpool/keccak.ts";

test("the hash of nothing is Ethereum's well-known one", () => {
  expect(hashOf(new Keccak256(), [new Uint8Array(0)])).toBe(
    "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
  );
});

test("hashes agree with @noble/hashes, at every length around a block's and in pieces of any length", () => {
  const keccak = new Keccak256();
  for (let length = 0; length <= 280; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + length);
    expect(hashOf(keccak, [bytes])).toBe(Buffer.from(keccak_256(bytes)).toString("hex"));
  }
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (pieces) => {
      expect(hashOf(keccak, pieces)).toBe(Buffer.from(keccak_256(Buffer.concat(pieces))).toString("hex"));
    }),
    { numRuns: 300 },
  );
});

test("only the bytes from start to end count", () => {
  const keccak = new Keccak256();
  const target = new Uint8Array(32);
  keccak.update(Uint8Array.of(9, 9, 1, 2, 3, 9), 2, 5);
  keccak.digest(target);
  expect(target).toEqual(keccak_256(Uint8Array.of(1, 2, 3)));
});

function hashOf(keccak: Keccak256, pieces: readonly Uint8Array[]): string {
  const target = new Uint8Array(32);
  for (const piece of pieces) keccak.update(piece, 0, piece.length);
  keccak.digest(target);
  return Buffer.from(target).toString("hex");
}

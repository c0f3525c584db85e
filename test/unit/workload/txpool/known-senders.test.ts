import fc from "fast-check";
import { expect, test } from "vitest";
import { CHECK_EVERY, KnownSenders } from "../../../../src/workload/txpool/known-senders.ts";

const address = (byte: number, last = byte): Uint8Array => new Uint8Array(20).fill(byte).fill(last, 19);

/** In front of the address is something else. */
const shifted = (sender: Uint8Array): Uint8Array => Uint8Array.of(1, 2, 3, ...sender);

test("a sender is checked until a signature of it was right, and then each eighth time", () => {
  const known = new KnownSenders();
  const bytes = shifted(address(9));
  expect([known.needsCheck(bytes, 3), known.needsCheck(bytes, 3)]).toEqual([true, true]);
  for (let round = 0; round < 3; round++) {
    known.learn(bytes, 3, true);
    for (let i = 1; i < CHECK_EVERY; i++) expect(known.needsCheck(bytes, 3)).toBe(false);
    expect(known.needsCheck(bytes, 3)).toBe(true);
  }
});

test("a wrong signature makes its sender unknown, and nobody else", () => {
  const known = new KnownSenders();
  const [one, other] = [shifted(address(9)), shifted(address(200))];
  known.learn(one, 3, true);
  known.learn(other, 3, true);
  known.learn(one, 3, false);
  expect([known.needsCheck(one, 3), known.needsCheck(other, 3)]).toEqual([true, false]);
});

test("addresses that meet in the table are never taken for one another", () => {
  const known = new KnownSenders();
  const [one, other] = [address(9), address(9, 8)];
  known.learn(one, 0, true);
  expect(known.needsCheck(other, 0)).toBe(true);
  known.learn(other, 0, false);
  expect(known.needsCheck(one, 0)).toBe(false);
});

test("of any senders, at least one in eight transactions is checked, and every one before its sender's first right one", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ sender: fc.nat(5), isRight: fc.boolean() }), { maxLength: 300 }), (all) => {
      const known = new KnownSenders();
      const unchecked = new Map<number, number>();
      const right = new Set<number>();
      for (const { sender, isRight } of all) {
        const bytes = address(sender);
        if (known.needsCheck(bytes, 0)) {
          known.learn(bytes, 0, isRight);
          if (isRight) right.add(sender);
          else right.delete(sender);
          unchecked.set(sender, 0);
        } else {
          expect(right.has(sender)).toBe(true);
          unchecked.set(sender, (unchecked.get(sender) ?? 0) + 1);
          expect(unchecked.get(sender)).toBeLessThan(CHECK_EVERY);
        }
      }
    }),
  );
});

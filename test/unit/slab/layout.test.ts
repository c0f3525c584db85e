import fc from "fast-check";
import { expect, test } from "vitest";
import { bitsOfSize, firstClassByBits, poolLayout } from "../../../src/slab/layout.ts";

test("a size's first class is never past the smallest that holds it, also above 2 GiB", () => {
  const exponents = fc.double({ min: 0, max: 45, noNaN: true }).map((exponent) => Math.ceil(2 ** exponent));
  const sizes = fc.uniqueArray(exponents, { minLength: 1, maxLength: 8, selector: (bytes) => Math.ceil(bytes / 64) });
  const near = fc.integer({ min: -1, max: 1 });
  fc.assert(
    fc.property(sizes, fc.nat(), exponents, near, (slotBytes, at, other, by) => {
      const { classes } = poolLayout(
        slotBytes.map((bytes) => ({ slotBytes: bytes, slots: 1 })),
        4096,
      );
      const table = firstClassByBits(classes);
      for (const bytes of [other, (classes[at % classes.length]?.slotBytes ?? 0) + by]) {
        const smallest = classes.findIndex((one) => one.slotBytes >= bytes);
        const first = table[bitsOfSize(bytes)] as number;
        if (smallest === -1) continue;
        expect(first).toBeLessThanOrEqual(smallest);
        // It saves looking at those of fewer bits.
        expect(bitsOfSize(classes[first]?.slotBytes ?? 0)).toBeGreaterThanOrEqual(bitsOfSize(bytes));
      }
    }),
  );
});

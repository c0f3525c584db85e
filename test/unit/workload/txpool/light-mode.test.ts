/** When the pool goes light, and when it comes back. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LightSwitch, type Measurements, predictBlockMs } from "../../../../src/workload/txpool/light-mode.ts";

const calm: Measurements = { blocksMs: [10, 10, 10], stallsMs: [1], memoryBytes: 100, memoryLimitBytes: 1000 };

test("the next block takes as long as the latest ones, and meets such a stall as they did; what happened once does not count", () => {
  expect(predictBlockMs({ blocksMs: [10, 90, 12], stallsMs: [3, 20, 5] })).toBe(17);
  expect(predictBlockMs({ blocksMs: [], stallsMs: [] })).toBe(0);
});

test("a predicted stall that breaks the budget switches to light, and half of the budget back", () => {
  const light = new LightSwitch(50);
  expect(light.update(0, calm)).toBe(false);
  expect(light.update(10, { ...calm, stallsMs: [41] })).toBe(true);
  expect(light.update(20, { ...calm, stallsMs: [30] })).toBe(true);
  expect(light.update(30, { ...calm, stallsMs: [14] })).toBe(false);
  expect(light.entries).toBe(1);
  expect(light.timeMs(100)).toBe(20);
});

test("memory above its limit switches to light, and four fifths of it back", () => {
  const light = new LightSwitch(50);
  expect(light.update(0, { ...calm, memoryBytes: 1001 })).toBe(true);
  expect(light.update(5, { ...calm, memoryBytes: 801 })).toBe(true);
  expect(light.timeMs(7)).toBe(7);
  expect(light.update(9, { ...calm, memoryBytes: 799 })).toBe(false);
  expect(light.timeMs(100)).toBe(9);
});

test("time in light mode is what passes between the two, whatever is measured", () => {
  const measured = fc.record({ stall: fc.nat(120), memory: fc.nat(2000), passes: fc.nat(50) });
  fc.assert(
    fc.property(fc.array(measured), (all) => {
      const light = new LightSwitch(50);
      let now = 0;
      let expected = 0;
      let isLight = false;
      for (const { stall, memory, passes } of all) {
        now += passes;
        if (isLight) expected += passes;
        isLight = light.update(now, { ...calm, stallsMs: [stall], memoryBytes: memory });
        expect(light.timeMs(now)).toBe(expected);
      }
    }),
  );
});

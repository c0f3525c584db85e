import { describe, expect, it } from "vitest";
import { semiSpaceBytes } from "../../../src/agent/descriptor.ts";

const MIB = 1024 ** 2;

// Limits as v8.getHeapStatistics().heap_size_limit gave them on Node 20.20, 24.21 and 26.10, in MiB.
describe("the semi-space in force", () => {
  it("is the default of the Node version", () => {
    expect(semiSpaceBytes(4144 * MIB, null, null)).toBe(16 * MIB);
    expect(semiSpaceBytes(4288 * MIB, null, null)).toBe(64 * MIB);
    expect(semiSpaceBytes(4192 * MIB, null, null)).toBe(32 * MIB);
  });

  it("follows from the heap limit where --max-old-space-size is given", () => {
    expect(semiSpaceBytes(348 * MIB, 300, null)).toBe(16 * MIB);
    expect(semiSpaceBytes(112 * MIB, 100, 4)).toBe(4 * MIB);
    expect(semiSpaceBytes(4288 * MIB, null, 64)).toBe(64 * MIB);
  });

  it("is what the flag says where the arithmetic gives nothing", () => {
    expect(semiSpaceBytes(1500 * MIB, null, 8)).toBe(8 * MIB);
  });

  it("is unknown where nothing tells", () => {
    expect(semiSpaceBytes(1500 * MIB, null, null)).toBeNull();
    expect(semiSpaceBytes(4144 * MIB, 4200, null)).toBeNull();
  });
});

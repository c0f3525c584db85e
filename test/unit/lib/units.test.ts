import { describe, expect, test } from "vitest";
import { formatBytes, formatMs, formatNumber, formatShare, parseDuration, parseSize } from "../../../src/lib/units.ts";

describe("durations and sizes as people write them", () => {
  test.each([
    ["500us", 0.5],
    ["10ms", 10],
    ["2s", 2000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1.5s", 1500],
    [" 10ms ", 10],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration("--spike", text)).toBe(ms);
  });

  test.each([
    ["64MiB", 64 * 1024 ** 2],
    ["512KiB", 512 * 1024],
    ["1GB", 1e9],
    ["7B", 7],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSize("--size", text)).toBe(bytes);
  });

  test.each(["10", "ms", "", "-1ms", "1e3ms", "10 ms", "10mS", "10msx", "1.ms", "toString", "1constructor"])(
    "%j is refused with the flag, the value and the accepted form",
    (text) => {
      expect(() => parseDuration("--spike", text)).toThrow(
        expect.objectContaining({
          exitCode: 2,
          message: `--spike cannot be "${text}".`,
          hint: "Write a number with a unit: 500us, 10ms, 2s or 5m.",
        }),
      );
    },
  );
});

describe("numbers as people read them", () => {
  test.each([
    [0, "0"],
    [0.0431, "0.0431"],
    [36.24, "36.2"],
    [146.2, "146"],
    [1234.5, "1,235"],
    [-36.24, "-36.2"],
    [999_999_999_999_999, "999,999,999,999,999"],
    [1e15, "1e15"],
    [-1.2345e300, "-1.23e300"],
    [Number.NaN, "0"],
  ])("%d is %s", (value, expected) => {
    expect(formatNumber(value)).toBe(expected);
  });

  test.each([
    [0, "0 ms"],
    [0.012, "12 us"],
    [41.84, "41.8 ms"],
    [999, "999 ms"],
    [72_400, "72.4 s"],
    [605_000, "10 min 5 s"],
    [-605_000, "-10 min 5 s"],
    [300_000, "5 min"],
    [86_400_000, "24 h"],
    [7_499_000, "2 h 5 min"],
    [1e300, "2.78e293 h"],
  ])("%d ms is %s", (ms, expected) => {
    expect(formatMs(ms)).toBe(expected);
  });

  test.each([
    [640, "640 B"],
    [9.8 * 1024 ** 2, "9.8 MiB"],
    [212 * 1024 ** 2, "212 MiB"],
    [3 * 1024 ** 3, "3 GiB"],
  ])("%d bytes are %s", (bytes, expected) => {
    expect(formatBytes(bytes)).toBe(expected);
  });

  test("shares", () => {
    expect(formatShare(0.0613)).toBe("6.1 %");
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exponentialBuckets } from "../../../src/export/exponential-buckets.ts";
import { largestAt, momentsOf, sumsAt, valuesAt } from "../../../src/export/moments.ts";
import { ProtobufWriter } from "../../../src/export/protobuf-writer.ts";
import { TextParts } from "../../../src/export/text-parts.ts";
import { WholeNumbers } from "../../../src/export/whole-numbers.ts";
import { eachField, packedVarints } from "../../../src/recording/protobuf.ts";

test("whole numbers add up to what they were made of", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true })), (values) => {
      const whole = new WholeNumbers();
      const rounded = values.map((value) => whole.next(value));
      const difference = rounded.reduce((sum, n) => sum + n, 0) - values.reduce((sum, n) => sum + n, 0);
      expect(Math.abs(difference)).toBeLessThanOrEqual(0.51);
      for (const value of rounded) expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
    }),
  );
});

test("text parts are the text", () => {
  const text = new TextParts();
  const pieces = Array.from({ length: 3000 }, (_, i) => `${"\u00e9".repeat(i)},`);
  for (const piece of pieces) text.add(piece);
  expect(Buffer.compare(text.bytes(), Buffer.from(pieces.join("")))).toBe(0);
});

describe("moments", () => {
  test("are every second, and the end; never more than an hour's worth", () => {
    expect([...momentsOf(2500)]).toEqual([0, 1000, 2000, 2500]);
    expect([...momentsOf(2000)]).toEqual([0, 1000, 2000]);
    expect([...momentsOf(0)]).toEqual([0]);
    expect(momentsOf(30 * 86_400_000).length).toBeLessThanOrEqual(3601);
  });

  test("sums, last values and largest values at them", () => {
    const moments = momentsOf(2500);
    const times = Float64Array.of(0, 900, 1100, 2600);
    const values = Float64Array.of(1, 5, Number.NaN, 2);
    expect([...sumsAt(moments, times, (i) => values[i] ?? 0)]).toEqual([1, 6, 6, 8]);
    expect([...valuesAt(moments, times, values)]).toEqual([1, 5, 5, 5]);
    expect([...largestAt(moments, times, values)]).toEqual([1, 5, Number.NaN, Number.NaN]);
  });
});

test("exponential buckets: each value lies in its bucket, and no finer ones would do", () => {
  const value = fc.oneof(fc.constant(0), fc.double({ min: 1e-7, max: 100, noNaN: true }));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      const { scale, offset, counts, zeroCount } = exponentialBuckets(values);
      expect(counts.length).toBeLessThanOrEqual(160);
      expect(zeroCount + counts.reduce((sum, n) => sum + n, 0)).toBe(values.length);
      const base = 2 ** (2 ** -scale);
      for (const one of values.filter((n) => n > 0)) {
        const bucket = counts.findIndex((n, i) => n > 0 && one <= base ** (offset + i + 1) * (1 + 1e-9));
        expect(bucket).toBeGreaterThanOrEqual(0);
        expect(one).toBeGreaterThan(base ** (offset + bucket) * (1 - 1e-9));
      }
    }),
  );
});

describe("protobuf", () => {
  test("is read back, messages in messages too", () => {
    const number = fc.oneof(fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), number, fc.string())), (rows) => {
        const writer = new ProtobufWriter();
        for (const [field, value, text] of rows) {
          writer.message(field, () => {
            writer.varint(1, value);
            writer.text(2, text);
          });
        }
        const bytes = Buffer.from(writer.bytes());
        const read: [number, number, string][] = [];
        const isWhole = eachField(bytes, 0, bytes.length, ({ number: field, start, end }) => {
          const row: [number, number, string] = [field, -1, ""];
          eachField(bytes, start, end, (inner) => {
            if (inner.number === 1) row[1] = inner.value;
            else row[2] = bytes.toString("utf8", inner.start, inner.end);
          });
          read.push(row);
        });
        expect(isWhole).toBe(true);
        expect(read).toEqual(rows.map(([field, value, text]) => [field, value, Buffer.from(text).toString()]));
      }),
    );
  });

  test("writes 64 bits", () => {
    const writer = new ProtobufWriter();
    writer.varint(1, 2n ** 63n + 5n);
    expect(Buffer.from(writer.bytes()).toString("hex")).toBe("088580808080808080 8001".replace(" ", ""));
    expect(packedVarints(writer.bytes(), 1, 3)).toHaveLength(1);
  });
});

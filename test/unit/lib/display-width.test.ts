import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutToWidth, displayWidth, fitToWidth, wrapToWidth } from "../../../src/lib/display-width.ts";

test.each([
  ["server.js", 9],
  ["日本語", 6],
  ["e\u0301", 1],
  ["🚀x", 3],
  ["", 0],
])("%s takes %i columns", (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test("a wide character that does not fit is left out whole", () => {
  expect(cutToWidth("日本語サーバ", 7)).toBe("日本..");
  expect(cutToWidth("日本語", 3)).toBe("日");
  expect(cutToWidth("server.js", 9)).toBe("server.js");
});

describe("whatever the text", () => {
  const texts = fc.string({ unit: "grapheme", maxLength: 40 });

  test("it fits exactly", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 30 }), fc.constantFrom("left", "right"), (text, width, align) => {
        expect(displayWidth(fitToWidth(text, width, align))).toBe(width);
      }),
    );
  });

  test("no line is too wide, and no word is lost that is not", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 4, max: 30 }), (text, width) => {
        const lines = wrapToWidth(text, width);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
        if (text.split(" ").every((word) => displayWidth(word) <= width)) {
          expect(
            lines
              .join(" ")
              .split(" ")
              .filter((word) => word !== ""),
          ).toEqual(text.split(" ").filter((word) => word !== ""));
        }
      }),
    );
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, cutStart, plainText, plural, shortName } from "../../../src/lib/text.ts";

test.each([
  ["colour", "\u001b[1;31mred\u001b[0m", "red"],
  ["a window's title", "a\u001b]0;owned\u0007b", "ab"],
  ["a hyperlink", "\u001b]8;;http://e.vil\u001b\\click\u001b]8;;\u001b\\", "click"],
  ["a one-byte control sequence", "\u009b2Jx", "x"],
  ["a device control string", "a\u001bPq#0\u001b\\b", "ab"],
  ["a reset", "a\u001bcb", "ab"],
  ["line breaks and tabs", "a\r\n\tb\u2028c", "a b c"],
  ["direction and zero width", "a\u202eb\u2066c\u200bd\ufeff", "abcd"],
  ["half of a character", "a\ud800b", "ab"],
  ["a sequence without an end", "a\u001b[31", "a31"],
])("%s goes", (_, text, expected) => {
  expect(plainText(text).replace("[", "")).toBe(expected);
});

test("text of people stays: letters, marks, emoji", () => {
  expect(plainText("Größe 数 é 👍🏽")).toBe("Größe 数 é 👍🏽");
});

test("nothing that a terminal obeys is left of any text, and the bound holds", () => {
  const nasty = fc.string({
    unit: fc.constantFrom("\u001b", "[", "]", "0", ";", "m", "\u0007", "\n", "a", "\u202e", "\u009b", "\\", "P"),
  });
  fc.assert(
    fc.property(nasty, fc.integer({ min: 4, max: 30 }), (text, limit) => {
      const plain = plainText(text, limit);
      expect(plain).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e]/u);
      expect([...plain].length).toBeLessThanOrEqual(limit);
    }),
  );
});

test("a text of megabytes is cut before it is searched", () => {
  const huge = "\u001b]".repeat(5_000_000);
  expect(plainText(huge, 100)).toBe("");
});

test("cut text says so and never splits a character", () => {
  expect(cut("abcdefgh", 6)).toBe("abc...");
  expect(cut("abcdef", 6)).toBe("abcdef");
  expect(cut("👍👍👍👍👍", 4)).toBe("👍...");
  expect(cutStart("/very/long/path.js", 10)).toBe("...path.js");
  expect(cutStart("short", 10)).toBe("short");
});

test("counts agree with their noun", () => {
  expect([plural(0, "pause"), plural(1, "pause"), plural(1234, "pause")]).toEqual([
    "0 pauses",
    "1 pause",
    "1,234 pauses",
  ]);
});

test("a name that is too long keeps its beginning and its end", () => {
  expect(shortName("server-2026-11-22T09-14-07", 32)).toBe("server-2026-11-22T09-14-07");
  expect(shortName("server-2026-11-22T09-14-07", 16)).toBe("server-...-14-07");
  const text = fc.string({ maxLength: 40 });
  fc.assert(
    fc.property(text, fc.integer({ min: 5, max: 40 }), (name, limit) => {
      expect([...shortName(name, limit)].length).toBeLessThanOrEqual(limit);
    }),
  );
});

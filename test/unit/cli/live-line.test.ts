import { expect, test } from "vitest";
import { describeArmed } from "../../../src/cli/flight-output.ts";
import { drawRow, releaseRow, reserveRow } from "../../../src/cli/live-line.ts";
import { describeLive, formatElapsed } from "../../../src/cli/recording-summary.ts";

/** A screen that knows the sequences of the live line, and scrolls as a terminal does. */
class Screen {
  readonly lines: string[];
  readonly scrolled: string[] = [];
  row = 0;
  column = 0;
  #saved: readonly [number, number] = [0, 0];
  #bottom: number;

  constructor(readonly rows: number) {
    this.lines = new Array<string>(rows).fill("");
    this.#bottom = rows - 1;
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences under test
    for (const [part] of text.matchAll(/\u001b(?:[78D]|\[[\d;]*[A-Za-z])|\n|[^\u001b\n]+/g)) this.#one(part);
  }

  #one(part: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences under test
    const [, numbers = "", letter] = /^\u001b\[([\d;]*)([A-Za-z])$/.exec(part) ?? [];
    const [first, second] = numbers.split(";").map(Number);
    if (part === "\u001b7") this.#saved = [this.row, this.column];
    else if (part === "\u001b8") [this.row, this.column] = this.#saved;
    else if (part === "\u001bD") this.#down();
    else if (part === "\n") {
      this.#down();
      this.column = 0;
    } else if (letter === "A") this.row = Math.max(0, this.row - 1);
    else if (letter === "H") [this.row, this.column] = [(first ?? 1) - 1, 0];
    else if (letter === "K") this.lines[this.row] = "";
    else if (letter === "r") {
      this.#bottom = (second ?? this.rows) - 1;
      [this.row, this.column] = [0, 0];
    } else if (letter !== "m") this.#text(part);
  }

  #text(text: string): void {
    const line = (this.lines[this.row] ?? "").padEnd(this.column);
    this.lines[this.row] = line.slice(0, this.column) + text + line.slice(this.column + text.length);
    this.column += text.length;
  }

  #down(): void {
    if (this.row !== this.#bottom) {
      this.row = Math.min(this.row + 1, this.rows - 1);
      return;
    }
    this.scrolled.push(this.lines[0] ?? "");
    this.lines.splice(0, 1);
    this.lines.splice(this.#bottom, 0, "");
  }
}

test("whatever the program writes stays whole, and the line stays below it", () => {
  const screen = new Screen(5);
  screen.write("$ gcspike\n");
  screen.write(reserveRow() + drawRow(5, 80, "LIVE 1"));
  for (let i = 1; i <= 6; i++) {
    screen.write(`out ${i}`);
    screen.write(drawRow(5, 80, `LIVE ${i}`));
    screen.write(` rest ${i}\n`);
  }
  expect([...screen.scrolled, ...screen.lines]).toEqual([
    "$ gcspike",
    ...[1, 2, 3, 4, 5, 6].map((i) => `out ${i} rest ${i}`),
    "",
    "LIVE 6",
  ]);
  screen.write(releaseRow(5));
  expect(screen.lines.at(-1)).toBe("");
  expect([screen.row, screen.column]).toEqual([3, 0]);
});

test("a prompt in the bottom row moves up with its line", () => {
  const screen = new Screen(4);
  screen.write("a\nb\nc\nprompt> ");
  screen.write(reserveRow() + drawRow(4, 80, "LIVE"));
  screen.write("answer");
  expect(screen.lines).toEqual(["b", "c", "prompt> answer", "LIVE"]);
});

test("the line never wraps", () => {
  const screen = new Screen(4);
  screen.write(reserveRow() + drawRow(4, 10, "x".repeat(50)));
  expect(screen.lines[3]).toBe("x".repeat(9));
});

test("what it says", () => {
  const state = { pauses: 318, worstMs: 41.8, heapBytes: 212 * 1024 ** 2 };
  expect(describeLive("recording", "server.js", 4121, 72_400, state)).toBe(
    "  recording server.js (pid 4121)   01:12   pauses 318   worst 41.8 ms   heap 212 MiB",
  );
  expect(describeLive("recording", "a\u001b[31m\nb", 1, 0, { pauses: 0, worstMs: 0, heapBytes: null })).toBe(
    "  recording a b (pid 1)   00:00   pauses 0",
  );
  expect(describeArmed("server.js", 4121, 72_400, { ...state, dumps: 2 })).toBe(
    "  armed for server.js (pid 4121)   01:12   pauses 318   worst 41.8 ms   heap 212 MiB   dumps 2",
  );
});

test.each([
  [0, "00:00"],
  [59_999, "00:59"],
  [3_599_000, "59:59"],
  [3_725_000, "1:02:05"],
])("%i ms is %s", (ms, expected) => {
  expect(formatElapsed(ms)).toBe(expected);
});

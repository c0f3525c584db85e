import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { plainText } from "../lib/text.ts";

const MOST_LINES = 15;
const MOST_CHARACTERS = 300;
/** A program may have printed gigabytes. */
const MOST_BYTES = 64 * 1024;

/** The end of what a program printed into `file`, for an error: " It said:" and its last lines. */
export function lastLines(file: string): string {
  const lines = endOf(file).trimEnd().split("\n").slice(-MOST_LINES);
  if (lines.length === 1 && lines[0] === "") return " It printed nothing.";
  return ` It said:\n${lines.map((line) => `    ${plainText(line, MOST_CHARACTERS)}`).join("\n")}`;
}

/** "" where the program took the file away. */
function endOf(file: string): string {
  try {
    const descriptor = openSync(file, "r");
    try {
      const bytes = Buffer.alloc(MOST_BYTES);
      const from = Math.max(0, fstatSync(descriptor).size - MOST_BYTES);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, MOST_BYTES, from)).toString("utf8");
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return "";
  }
}

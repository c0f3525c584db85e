import { plainText } from "../lib/text.ts";

const MOST_LINES = 15;
const MOST_CHARACTERS = 300;

/** The end of what a program printed, for an error: " It said:" and its last lines. */
export function lastLines(output: string): string {
  const lines = output.trimEnd().split("\n").slice(-MOST_LINES);
  if (lines.length === 1 && lines[0] === "") return " It printed nothing.";
  return ` It said:\n${lines.map((line) => `    ${plainText(line, MOST_CHARACTERS)}`).join("\n")}`;
}

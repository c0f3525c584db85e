/**
 * Names, paths and labels come from the recorded program: they may hold terminal escapes, line breaks, or text that turns
 * the direction of what follows it. `plainText` takes those out.
 */

// Escape sequences first and as a whole, so that their printable part does not stay behind: CSI, OSC and its relatives up to
// their terminator, and two-character escapes.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this takes out
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[P\]X^_][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]/g;
/** Line breaks and tabs become spaces; what remains of C0, C1, bidirectional and zero-width controls, and lone surrogates, goes. */
const SPACES = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
const CONTROLS = /[\p{Cc}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** One line of printable text, cut behind `limit` characters with "..." in their place. */
export function plainText(text: string, limit = 200): string {
  // A bound before the expressions run: a name of megabytes would only be cut afterwards.
  const bounded = text.length > limit * 4 ? text.slice(0, limit * 4) : text;
  return cut(bounded.replace(ESCAPES, "").replace(SPACES, " ").replace(CONTROLS, ""), limit);
}

/** The first `limit` characters (code points), the last three of them "..." where something was cut. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const characters = [...text];
  if (characters.length <= limit) return text;
  return limit <= 3 ? characters.slice(0, limit).join("") : `${characters.slice(0, limit - 3).join("")}...`;
}

/** One line of printable text without its middle where it is too long: names of one family differ at their ends. */
export function shortName(text: string, limit: number): string {
  const characters = [...plainText(text, 1000)];
  if (characters.length <= limit) return characters.join("");
  const tail = Math.floor((limit - 3) / 2);
  return `${characters.slice(0, limit - 3 - tail).join("")}...${characters.slice(-tail).join("")}`;
}

/** The last `limit` characters, the first three of them "..." where something was cut: of a path the end says most. */
export function cutStart(text: string, limit: number): string {
  const characters = [...text];
  if (characters.length <= limit) return text;
  return limit <= 3 ? characters.slice(-limit).join("") : `...${characters.slice(3 - limit).join("")}`;
}

/** `1 spike`, `6 spikes`, `1,234 spikes`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listText(words: readonly string[], last = "and"): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}

/** What a terminal in raw mode sends, as keys. Pure. */

export type Key =
  | "up"
  | "down"
  | "page-up"
  | "page-down"
  | "home"
  | "end"
  | "attach"
  | "record"
  | "sort"
  | "leave"
  | "suspend"
  | "redraw";

const KEYS: ReadonlyMap<string, Key> = new Map([
  // The same in the cursor's normal and in its application mode.
  ...(["[", "O"] as const).flatMap((mode): readonly (readonly [string, Key])[] => [
    [`\u001b${mode}A`, "up"],
    [`\u001b${mode}B`, "down"],
    [`\u001b${mode}H`, "home"],
    [`\u001b${mode}F`, "end"],
  ]),
  ["\u001b[1~", "home"],
  ["\u001b[4~", "end"],
  ["\u001b[5~", "page-up"],
  ["\u001b[6~", "page-down"],
  ["k", "up"],
  ["j", "down"],
  ["g", "home"],
  ["G", "end"],
  ["\r", "attach"],
  ["\n", "attach"],
  ["a", "attach"],
  ["r", "record"],
  ["s", "sort"],
  ["q", "leave"],
  ["\u0003", "leave"],
  ["\u001a", "suspend"],
  ["\u000c", "redraw"],
]);

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: escape sequences are what these take apart
/** An escape sequence, whole; the beginning of one at the end; or one character. */
const PIECES = /\u001b[[O][0-?]*[ -/]*[@-~]|\u001b(?:[[O][0-?]*[ -/]*)?$|[\s\S]/gu;
/** The Escape key alone looks the same: it is waited for what follows, and means nothing. */
const UNFINISHED = /^\u001b(?:[[O][0-?]*[ -/]*)?$/;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: see above
/** What never ends is no key. */
const LONGEST = 16;

/** Takes input apart that comes in pieces, cut anywhere. */
export class KeyReader {
  #rest = "";

  /** The keys in what came; others are passed over. */
  push(text: string): readonly Key[] {
    const pieces = (this.#rest + text).match(PIECES) ?? [];
    const last = pieces.at(-1) ?? "";
    this.#rest = UNFINISHED.test(last) && last.length <= LONGEST ? last : "";
    return pieces.flatMap((piece) => KEYS.get(piece) ?? []);
  }
}

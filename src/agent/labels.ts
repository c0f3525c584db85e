/** Labels that are few and hold no values: a context's own, unless it is an id. */
import { copyOf } from "./tag-log.ts";
import { isWord } from "./words.ts";

/** What is longer, or has more parts, is a message or a query. */
const LONGEST_LABEL = 120;
const MOST_PARTS = 8;
/** By code: 1 for what ends a part. This is asked for each character of each label. */
const ENDS_PART = new Uint8Array(128);
for (const character of " /:,;|()[]{}<>=&*!?") ENDS_PART[character.charCodeAt(0)] = 1;
const COLON = 0x3a;
/** A word in another script than Latin. */
const FOREIGN_WORD = /^(?=.*\P{ASCII})[\p{L}\p{M}._~-]{1,32}$/u;

/**
 * "GET /users/12/orders?page=2" as "GET /users/:id/orders": nothing behind a question mark, and `:id` for every part that may be a
 * value. Null where that leaves no word.
 */
export function labelOf(text: string): string | null {
  if (text.length > LONGEST_LABEL) return null;
  let label = "";
  let copied = 0;
  let parts = 0;
  let words = 0;
  for (let start = 0; ; ) {
    const end = partEnd(text, start);
    if (end > start) {
      parts++;
      if (isWord(text, start, end) || FOREIGN_WORD.test(text.slice(start, end))) words++;
      else {
        label += text.slice(copied, start) + (text.charCodeAt(start - 1) === COLON ? "id" : ":id");
        copied = end;
      }
    }
    if (end === text.length || text[end] === "?") {
      return words === 0 || parts > MOST_PARTS ? null : label + text.slice(copied, end);
    }
    start = end + 1;
  }
}

/** Where what ends the part, or the text's end, is. */
function partEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && ENDS_PART[text.charCodeAt(end)] !== 1) end++;
  return end;
}

/** The first so many labels of a storage are taken for labels. */
export const MOST_NEW = 16;
/** Later ones only where each comes back so often, on average: ids do not. */
const LEAST_RETURNS = 8;
const MOST_KNOWN = 500;
/** So many stores without a label, and none with one: this storage has none. */
const MOST_UNNAMED = 100;

/** The labels of one AsyncLocalStorage, for as long as it seems to keep some. */
export class StorageLabels {
  #numbers: Map<string, number> | null = new Map();
  /** Contexts that were entered, with a label and without one. */
  #named = 0;
  #unnamed = 0;

  /** False: its labels are ids, or it has none. */
  get areLikely(): boolean {
    return this.#numbers !== null;
  }

  /** The label of a text, as `labelOf` has it; in less time where it is its own and came before. */
  labelOf(text: string): string | null {
    const isKnown = text.length <= LONGEST_LABEL && this.#numbers?.has(text) === true;
    return isKnown ? text : labelOf(text);
  }

  /** Whether the label of a context that is entered now (null: it has none) is one of few. */
  admits(label: string | null): boolean {
    const numbers = this.#numbers;
    if (numbers === null) return false;
    if (label === null) {
      this.#unnamed++;
      if (this.#named === 0 && this.#unnamed === MOST_UNNAMED) this.#numbers = null;
      return false;
    }
    this.#named++;
    const doReturn = this.#named >= LEAST_RETURNS * numbers.size;
    const known = numbers.get(label);
    if (known !== undefined) return known < MOST_NEW || doReturn;
    if (numbers.size < MOST_KNOWN) numbers.set(copyOf(label), numbers.size);
    else if (!doReturn) this.#numbers = null;
    return numbers.size <= MOST_NEW || doReturn;
  }
}

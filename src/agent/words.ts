/** Which parts of a text are words, and which may be values: ids, numbers, tokens. */

const LONGEST_WORD = 32;
/** "v1", "oauth2", "s3". */
const MOST_DIGITS_OF_WORD = 2;
/** As many letters that are all hexadecimal digits are an id. */
const LEAST_HEXADECIMAL = 8;

/** What a character is in a word, by its code; none of them: it is in no word. Made once, because this is done for each request. */
const LETTER = 1;
const HEXADECIMAL_LETTER = 2;
const DIGIT = 3;
const MARK = 4;
const KINDS = new Uint8Array(128);
for (let code = 0; code < KINDS.length; code++) {
  const character = String.fromCharCode(code);
  if (/[0-9]/.test(character)) KINDS[code] = DIGIT;
  else if (/[a-f]/i.test(character)) KINDS[code] = HEXADECIMAL_LETTER;
  else if (/[g-z]/i.test(character)) KINDS[code] = LETTER;
  else if (/[-._~]/.test(character)) KINDS[code] = MARK;
}

export function isWord(text: string, start: number, end: number): boolean {
  if (end - start > LONGEST_WORD) return false;
  let digits = 0;
  let hexadecimal = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const kind = code < KINDS.length ? KINDS[code] : 0;
    if (kind === 0) return false;
    if (kind === DIGIT) digits++;
    else if (kind === HEXADECIMAL_LETTER) hexadecimal++;
  }
  const isHexadecimal = hexadecimal + digits === end - start;
  if (isHexadecimal && (digits > 0 || hexadecimal >= LEAST_HEXADECIMAL)) return false;
  return digits <= MOST_DIGITS_OF_WORD;
}

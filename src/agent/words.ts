/** Which parts of a text are words, and which may be values: ids, numbers, tokens. */

const LONGEST_WORD = 32;
/** "v1", "oauth2", "s3". */
const MOST_DIGITS_OF_WORD = 2;
/** As many letters that are all hexadecimal digits are an id. */
const LEAST_HEXADECIMAL = 8;

export function isWord(text: string, start: number, end: number): boolean {
  if (end - start > LONGEST_WORD) return false;
  let digits = 0;
  let hexadecimal = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const letter = code | 0x20;
    const isDigit = code >= 0x30 && code <= 0x39;
    if (isDigit) digits++;
    else if (!(letter >= 0x61 && letter <= 0x7a) && !isOneOf("-._~", code)) return false;
    if (isDigit || (letter >= 0x61 && letter <= 0x66)) hexadecimal++;
  }
  const isHexadecimal = hexadecimal === end - start;
  if (isHexadecimal && (digits > 0 || hexadecimal >= LEAST_HEXADECIMAL)) return false;
  return digits <= MOST_DIGITS_OF_WORD;
}

export function isOneOf(characters: string, code: number): boolean {
  for (let i = 0; i < characters.length; i++) if (characters.charCodeAt(i) === code) return true;
  return false;
}

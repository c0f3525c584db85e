/** Names as nobody gives them, unless to break a page. */
const ENDINGS = [
  `</script><script>globalThis.broken = true; alert(1)</script>`,
  `<img src="x" onerror="globalThis.broken = true">`,
  `<!-- <script>`,
  `\u2028\u2029 \u202eesrever\u2066 \u0000\u0007\u001b[31m`,
  `"><svg onload="globalThis.broken = true">`,
  `\ud800 __proto__ constructor \${globalThis.broken = true}`,
  `\u0627\u0644\u0639\u0631\u0628\u064a\u0629 ${"\u0300".repeat(400)}`,
  "W".repeat(100_000),
];

/** The text with one of the endings, always the same one for the same text. */
export function hostile(text: string): string {
  const sum = [...text].reduce((total, character) => total + (character.codePointAt(0) ?? 0), 0);
  return `${text}${ENDINGS[sum % ENDINGS.length]}`;
}

/** How many columns text takes in a terminal, as far as Unicode says: fonts differ, terminals mostly do not. */

/** East Asian wide and fullwidth characters (UAX 11), and emoji that are drawn as such: two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
/** What stands on the character before it, and what is not drawn. */
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u;

function columns(character: string): number {
  return ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += columns(character);
  return width;
}

/** As much of the beginning as fits into `width` columns; where something is cut, its last ones are "..". */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const mark = width < 4 ? "" : "..";
  let kept = "";
  let room = width - mark.length;
  for (const character of text) {
    room -= columns(character);
    if (room < 0) break;
    kept += character;
  }
  return kept + mark;
}

/** Exactly `width` columns: cut, or filled with spaces. */
export function fitToWidth(text: string, width: number, align: "left" | "right" = "left"): string {
  const cut = cutToWidth(text, width);
  const space = " ".repeat(Math.max(0, width - displayWidth(cut)));
  return align === "left" ? cut + space : space + cut;
}

/** Lines of at most `width` columns, broken at spaces; words that are longer are cut. */
export function wrapToWidth(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) line = longer;
    else {
      if (line !== "") lines.push(line);
      line = cutToWidth(word, width);
    }
  }
  return line === "" ? lines : [...lines, line];
}

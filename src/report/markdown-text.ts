/** GitHub-flavoured Markdown out of text that anybody may have written. */

/** Cells are Markdown already. The first column stands left and the others right unless `alignment` says otherwise. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], alignment?: string): string {
  const align = alignment ?? head.map((_, column) => (column === 0 ? ":--" : "--:")).join("|");
  return [`|${head.join("|")}|`, `|${align}|`, ...rows.map((row) => `|${row.join("|")}|`)].join("\n");
}

/**
 * Text that means itself, also in a table's cell. Markdown's punctuation gets a backslash; what HTML knows, and the `|` that
 * would end a cell, become entities; and a name must neither call somebody (`@name`) nor become a link: a zero-width space
 * breaks both.
 */
export function literal(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[\\`*_{}[\]~#]/g, "\\$&")
    .replaceAll("|", "&#124;")
    .replaceAll("@", "@&#8203;")
    .replaceAll("://", ":&#8203;//")
    .replace(/\bwww\./gi, "$&&#8203;");
}

/** Not between backticks, in which neither a backtick nor a table's `|` can be escaped. */
export function code(text: string): string {
  return `<code>${literal(text)}</code>`;
}

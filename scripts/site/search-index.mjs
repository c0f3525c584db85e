// What search.js searches: a script, because a page that was opened from a file may not read another one.

/** Pages as `[address, title, [[anchor, heading, text], ...]]`; the section under a page's title has no heading of its own. */
export function searchIndex(pages, outputOf) {
  const entries = pages.map(({ path, title, sections }) => [
    outputOf(path),
    title,
    sections.map(({ level, slug, heading, text }) => [slug, level === 1 ? "" : heading, text]),
  ]);
  return `globalThis.gcspikeSearchIndex = ${JSON.stringify(entries)};\n`;
}

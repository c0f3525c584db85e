// What stands where in the navigation of the docs site.
import { posix } from "node:path";

/** Sections, and in them pages, by their path in the clone. Pages of a folder stand below its README.md. */
const SECTIONS = [
  ["Start", ["README.md"]],
  ["Why it spiked", ["docs/causes/README.md", "docs/cases/README.md"]],
  [
    "Commands",
    ["docs/cli.md", "docs/check.md", "docs/top.md", "docs/flight-recorder.md", "docs/agent.md", "docs/export.md"],
  ],
  ["In your program", ["docs/tags.md", "docs/slab.md"]],
  ["Reference", ["docs/metrics.md", "docs/recording-format.md", "docs/versioning.md", "CHANGELOG.md"]],
  ["How good it is", ["docs/benchmarks.md", "docs/workload.md"]],
  ["Contributing", ["docs/HACKING.md"]],
];

/** The pages of a README.md's folder, in the order in which it links to them, then by name. */
function pagesBelow(page, pages) {
  const folder = posix.dirname(page.path);
  if (folder === "." || posix.basename(page.path) !== "README.md") return [];
  const place = ({ path }) => {
    const index = page.links.indexOf(path);
    return index < 0 ? page.links.length : index;
  };
  return pages
    .filter((other) => other !== page && posix.dirname(other.path) === folder)
    .sort((a, b) => place(a) - place(b) || a.path.localeCompare(b.path));
}

/**
 * Sections of entries, each a page with the pages below it. A page that stands in no section comes last, under "More".
 * @returns {{ title: string, entries: { page: object, below: object[] }[] }[]}
 */
export function arrange(pages) {
  const left = new Set(pages);
  const take = (page) => {
    const below = pagesBelow(page, pages);
    for (const one of [page, ...below]) left.delete(one);
    return { page, below };
  };
  const sections = SECTIONS.map(([title, paths]) => ({
    title,
    entries: paths.map((path) => {
      const page = pages.find((one) => one.path === path);
      if (page === undefined) throw new Error(`scripts/site/contents.mjs names ${path}, which is not there.`);
      return take(page);
    }),
  }));
  const more = pages.filter((page) => left.has(page)).map((page) => ({ page, below: [] }));
  return more.length === 0 ? sections : [...sections, { title: "More", entries: more }];
}

/** The pages in the order of the navigation. */
export function inOrder(sections) {
  return sections.flatMap(({ entries }) => entries.flatMap(({ page, below }) => [page, ...below]));
}

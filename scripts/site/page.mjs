// The frame around a page of the docs site.
import { posix } from "node:path";
import { escapeHtml } from "./markdown.mjs";

/** "json-server" of "json-server: what allocates most is not what stops it". */
function shortTitle({ title }) {
  return title.split(": ")[0];
}

/** The headings to go to, without the title: those below the page's own. */
function headingsOf({ sections }) {
  return sections.filter(({ level }) => level === 2);
}

function list(items, attributes = "") {
  return items.length === 0 ? "" : `<ul${attributes}>\n${items.map((item) => `<li>${item}</li>`).join("\n")}\n</ul>\n`;
}

function headingLinks(page) {
  return headingsOf(page).map(({ slug, heading }) => `<a href="#${escapeHtml(slug)}">${escapeHtml(heading)}</a>`);
}

function navigation(page, sections, hrefTo) {
  const link = (one) => {
    const isHere = one === page;
    const own = isHere ? list(headingLinks(page), ' class="headings"') : "";
    return `<a href="${escapeHtml(hrefTo(one))}"${isHere ? ' aria-current="page"' : ""}>${escapeHtml(shortTitle(one))}</a>${own}`;
  };
  return sections
    .map(({ title, entries }) => {
      const items = entries.map((entry) => link(entry.page) + list(entry.below.map(link)));
      return `<h2>${escapeHtml(title)}</h2>\n${list(items)}`;
    })
    .join("");
}

function neighbour(page, relation, hrefTo) {
  return page === undefined
    ? ""
    : `<a rel="${relation}" href="${escapeHtml(hrefTo(page))}">${escapeHtml(shortTitle(page))}</a>`;
}

/**
 * The whole document. `content` is the page's HTML; `order` all pages, one after the other; `outputOf` says where a place in the
 * clone lies in the site; `version` is gcspike's.
 */
export function documentHtml({ page, content, sections, order, outputOf, version }) {
  const folder = posix.dirname(outputOf(page.path));
  const href = (output) => posix.relative(folder, output);
  const hrefTo = ({ path }) => href(outputOf(path));
  const index = order.indexOf(page);
  const headings = headingLinks(page);
  const title = page.title === "gcspike" ? "gcspike" : `${page.title} - gcspike`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${href("site.css")}">
<script src="${href("navigation.js")}" defer></script>
<script src="${href("search.js")}" defer></script>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header>
<a class="home" href="${href("index.html")}">gcspike</a> <span class="version">${escapeHtml(version)}</span>
<a class="to-pages" href="#pages">Pages</a>
<search hidden>
<input type="search" placeholder="Search" aria-label="Search the documentation" aria-controls="found" autocomplete="off" spellcheck="false">
<div id="found" hidden><p role="status"></p><ol></ol></div>
</search>
</header>
<div class="columns">
<main id="content">
${headings.length < 3 ? "" : `<details class="headings"><summary>On this page</summary>\n${list(headings)}</details>\n`}${content}
<footer>${neighbour(order[index - 1], "prev", hrefTo)}${neighbour(order[index + 1], "next", hrefTo)}</footer>
</main>
<nav id="pages" aria-label="Pages">
${navigation(page, sections, hrefTo)}</nav>
</div>
</body>
</html>
`;
}

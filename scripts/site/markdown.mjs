// Markdown as GitHub shows it, as far as the docs use it. HTML in it is text.
import { posix } from "node:path";
import MarkdownIt from "markdown-it";

const markdown = new MarkdownIt({ html: false });
export const { escapeHtml } = markdown.utils;

markdown.renderer.rules.table_open = () => '<div class="table"><table>\n';
markdown.renderer.rules.table_close = () => "</table></div>\n";
markdown.renderer.rules.heading_close = (tokens, index) => {
  const { tag } = tokens[index];
  const slug = tokens[index - 2].attrGet("id");
  return ` <a class="anchor" href="#${escapeHtml(slug)}" aria-label="Link to this section">#</a></${tag}>\n`;
};

/** What GitHub makes of a heading's text in an address, but for the numbers of those that it has already. */
export function slugOf(text) {
  return text
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** "usage", "usage-1", "usage-2", ... */
function uniqueSlugs() {
  const used = new Set();
  return (text) => {
    const slug = slugOf(text);
    let unique = slug;
    for (let number = 1; used.has(unique); number++) unique = `${slug}-${number}`;
    used.add(unique);
    return unique;
  };
}

/** Of an inline token: its text without marks. */
function plainText({ children }) {
  return children
    .map(({ type, content }) => {
      if (type === "softbreak" || type === "hardbreak") return " ";
      return type === "text" || type === "text_special" || type === "code_inline" ? content : "";
    })
    .join("");
}

/** Gives headings their addresses. The sections under them, with their texts: `{ level, slug, heading, text }`. */
function sectionsOf(tokens) {
  const slugFor = uniqueSlugs();
  const sections = [];
  tokens.forEach((token, index) => {
    const previous = tokens[index - 1];
    if (token.type === "inline" && previous.type === "heading_open") {
      const heading = plainText(token);
      const slug = slugFor(heading);
      previous.attrSet("id", slug);
      sections.push({ level: Number(previous.tag.slice(1)), slug, heading, texts: [] });
    } else if (token.type === "inline") sections.at(-1)?.texts.push(plainText(token));
    else if (token.type === "fence" || token.type === "code_block") sections.at(-1)?.texts.push(token.content);
  });
  return sections.map(({ texts, ...section }) => ({
    ...section,
    text: texts.join(" ").replaceAll(/\s+/g, " ").trim(),
  }));
}

/** Links and images: the token, the name of its attribute, where it points. */
function referencesIn(tokens) {
  return tokens.flatMap(({ children }) =>
    (children ?? []).flatMap((token) => {
      const name = { link_open: "href", image: "src" }[token.type];
      return name === undefined ? [] : [{ token, name, address: token.attrGet(name) }];
    }),
  );
}

/** What an address on a page is about: another place in the clone, or null where it is elsewhere or on the page itself. */
function pathOf(page, address) {
  if (/^([a-z][a-z+.-]*:|\/\/|#)/i.test(address)) return null;
  return posix.join(posix.dirname(page), decodeURI(address.split("#")[0]));
}

/**
 * A page that is known but not yet rendered: what others need to know of it. `path` is its place in the clone, with slashes.
 * `links` are places in the clone that it refers to.
 */
export function parsePage(path, text) {
  const tokens = markdown.parse(text, {});
  const sections = sectionsOf(tokens);
  if (sections[0]?.level !== 1) throw new Error(`${path} does not begin with its title.`);
  const links = referencesIn(tokens).flatMap(({ address }) => pathOf(path, address) ?? []);
  return { path, tokens, sections, title: sections[0].heading, links };
}

/** The page's HTML, once. `outputOf` says where a place in the clone lies in the site, both without a slash in front. */
export function renderPage({ path, tokens }, outputOf) {
  for (const { token, name, address } of referencesIn(tokens)) {
    const place = pathOf(path, address);
    if (place === null) continue;
    const fragment = /#.*$/.exec(address)?.[0] ?? "";
    token.attrSet(name, posix.relative(posix.dirname(outputOf(path)), outputOf(place)) + fragment);
  }
  return markdown.renderer.render(tokens, markdown.options, {});
}

// npm run docs: the docs as a site of static files in build/site, which needs no server and no network.
// `node scripts/site.mjs FOLDER` writes it to another folder, which has to be new or empty.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { at } from "./lib.mjs";
import { arrange, inOrder } from "./site/contents.mjs";
import { parsePage, renderPage } from "./site/markdown.mjs";
import { documentHtml } from "./site/page.mjs";
import { searchIndex } from "./site/search-index.mjs";

const READ_BESIDE_THE_DOCS = ["README.md", "CHANGELOG.md"];
/** What the pages load, as it stands in scripts/site. */
const ASSETS = ["site.css", "navigation.js", "search.js"];

/** In the clone, with slashes. */
function markdownFiles() {
  const below = readdirSync(at("docs"), { recursive: true }).map((name) => `docs/${name.replaceAll("\\", "/")}`);
  return [...READ_BESIDE_THE_DOCS, ...below.filter((path) => path.endsWith(".md")).sort()];
}

function emptyFolder(named) {
  if (named === undefined) {
    const usual = at("build", "site");
    rmSync(usual, { recursive: true, force: true });
    return usual;
  }
  // Not with those above it: below /proc Node would try that for ever.
  if (!existsSync(named)) mkdirSync(named);
  if (readdirSync(named).length > 0) throw new Error(`${named} is not empty.`);
  return resolve(named);
}

function build(output) {
  const pages = markdownFiles().map((path) => parsePage(path, readFileSync(at(path), "utf8")));
  const isPage = new Set(pages.map(({ path }) => path));
  const files = new Set();
  /** A page becomes HTML, a folder is its README.md, any other file is copied. */
  const outputOf = (path) => {
    if (isPage.has(path)) return path.replace(/(^|\/)README\.md$/, "$1index.md").replace(/\.md$/, ".html");
    if (isPage.has(`${path}/README.md`)) return `${path}/index.html`;
    if (path.startsWith("..") || !statSync(at(path), { throwIfNoEntry: false })?.isFile()) {
      throw new Error(`The docs refer to ${path}, which is no file of this clone.`);
    }
    files.add(path);
    return path;
  };
  const write = (name, text) => {
    mkdirSync(dirname(join(output, name)), { recursive: true });
    writeFileSync(join(output, name), text);
  };
  const { version } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  const sections = arrange(pages);
  const order = inOrder(sections);
  for (const page of pages) {
    const content = renderPage(page, outputOf);
    write(outputOf(page.path), documentHtml({ page, content, sections, order, outputOf, version }));
  }
  for (const name of ASSETS) write(name, readFileSync(at("scripts", "site", name)));
  write("search-index.js", searchIndex(order, outputOf));
  for (const path of files) cpSync(at(path), join(output, path));
  return pages.length;
}

const output = emptyFolder(process.argv[2]);
const count = build(output);
console.error(`Built ${count} pages: ${join(output, "index.html")}`);

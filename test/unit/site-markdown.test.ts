import { describe, expect, test } from "vitest";
import { parsePage, renderPage, slugOf } from "../../scripts/site/markdown.mjs";

const toHtml = (path: string): string => path.replace(/\.md$/, ".html");

function rendered(path: string, text: string): string {
  return renderPage(parsePage(path, `# Title\n\n${text}`), toHtml).replace(/^.*\n/, "");
}

describe("a heading's address is GitHub's", () => {
  test.each([
    ["Installing", "installing"],
    ["gcspike attach", "gcspike-attach"],
    ["Without loading anything: --ebpf", "without-loading-anything---ebpf"],
    ["Check: does it cry wolf, and what does it see?", "check-does-it-cry-wolf-and-what-does-it-see"],
    ["<isolate>.json", "isolatejson"],
    ["64 MiB (at most), P99.9 & snake_case", "64-mib-at-most-p999--snake_case"],
    ["Größe", "größe"],
  ])("%s", (text, slug) => expect(slugOf(text)).toBe(slug));

  test("and has a number where it is there already", () => {
    const { sections } = parsePage("a.md", "# One\n\n## Two\n\n## Two\n\n## Two-1\n\n## `Two`\n");
    expect(sections.map(({ slug }) => slug)).toEqual(["one", "two", "two-1", "two-1-1", "two-2"]);
  });
});

describe("links", () => {
  test.each([
    ["docs/cli.md", "export.md#reading-other-logs", "export.html#reading-other-logs"],
    ["README.md", "docs/cli.md", "docs/cli.html"],
    ["docs/causes/unknown.md", "../cli.md", "../cli.html"],
    ["docs/cli.md", "report.schema.json", "report.schema.json"],
    ["docs/cli.md", "#json", "#json"],
    ["docs/cli.md", "https://nodejs.org/a.md", "https://nodejs.org/a.md"],
  ])("of %s to %s", (path, address, href) => {
    expect(rendered(path, `[it](${address})`)).toBe(`<p><a href="${href}">it</a></p>\n`);
  });

  test("are known by their place in the clone, those to elsewhere are not", () => {
    const text = "# Title\n\n[a](b.md#c) [d](https://e) [f](#g) ![h](../i.png)\n";
    expect(parsePage("docs/x.md", text).links).toEqual(["docs/b.md", "i.png"]);
  });
});

test.each([
  ["<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
  ['an <img src="x" onerror="alert(1)">', "an &lt;img src=&quot;x&quot; onerror=&quot;alert(1)&quot;&gt;"],
  ["[a](javascript:alert(1))", "[a](javascript:alert(1))"],
  ["`<b>`", "<code>&lt;b&gt;</code>"],
])("%s is text", (text, html) => expect(rendered("docs/x.md", text)).toBe(`<p>${html}</p>\n`));

test("what is searched: headings, and below them text without marks, tables and code", () => {
  const text =
    "# Title\n\nSome **bold** `code` and [a link](https://x).\n\n## Next\n\n| a | b |\n|---|---|\n| c | d |\n\n```\n  gc()\n```\n";
  expect(parsePage("docs/x.md", text).sections).toEqual([
    { level: 1, slug: "title", heading: "Title", text: "Some bold code and a link." },
    { level: 2, slug: "next", heading: "Next", text: "a b c d gc()" },
  ]);
});

test("a page without a title is refused", () => {
  expect(() => parsePage("docs/x.md", "Some text.\n")).toThrow("docs/x.md does not begin with its title.");
});

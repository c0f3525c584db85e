import { describe, expect, test } from "vitest";
import { renderComparisonMarkdown } from "../../../src/report/compare-markdown.ts";
import { renderComparisonTerminal } from "../../../src/report/compare-terminal.ts";
import { renderComparisonJson } from "../../../src/report/json.ts";
import { comparisonOf, modes, type Story, strangers } from "../../support/comparison.ts";
import { expectGolden } from "../../support/golden.ts";
import { expectValidComparison } from "../../support/schema.ts";
import { recording } from "../../support/timeline.ts";

const PLAIN = { color: false, width: 100 };
const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

const STORIES: Readonly<Record<string, () => Story>> = { modes, strangers };

describe.each(Object.keys(STORIES))("the comparison %s", (name) => {
  const view = comparisonOf(STORIES[name]?.() ?? {});

  test("as JSON", () => {
    const bytes = renderComparisonJson(view);
    expectGolden(`compare-${name}.json`, bytes);
    expectValidComparison(JSON.parse(text(bytes)));
  });

  test("as Markdown", () => expectGolden(`compare-${name}.md`, renderComparisonMarkdown(view)));

  test("in a terminal", () => expectGolden(`compare-${name}.txt`, renderComparisonTerminal(view, PLAIN)));

  test.each([40, 80, 200])("in a terminal of %i columns no line is longer", (width) => {
    const lines = text(renderComparisonTerminal(view, { color: false, width })).split("\n");
    expect(lines.filter((line) => line.length > width && line.trim().includes(" "))).toEqual([]);
  });
});

test("names as long as record makes them leave room for the change in 80 columns", () => {
  const names = ["server-2026-11-22T09-14-07", "server-2026-11-22T09-14-51"] as const;
  const view = comparisonOf({ [names[0]]: [recording(".s")], [names[1]]: [recording(".M")] });
  const page = text(renderComparisonTerminal(view, { color: false, width: 80 }));
  for (const name of names) expect(page).toContain(`  ${name}  `);
  expect(page).toMatch(/metric +\S*14-07 +\S*14-51 +change\n/);
});

describe("hostile names", () => {
  const hostile = "a\u001b[31m|<img src=x onerror=1>\u202e`*_[x](http://e)\n@all";
  const view = comparisonOf({
    [hostile]: [recording(".s", { command: ["node", hostile], path: `/tmp/${hostile}.gcspike` })],
    b: [recording(".M")],
  });

  test("leave nothing but printable text and line breaks in a terminal", () => {
    const page = text(renderComparisonTerminal(view, PLAIN));
    expect(page.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
  });

  test("make no HTML, link, mention or table cell in Markdown", () => {
    const page = text(renderComparisonMarkdown(view));
    expect(page).not.toContain("<img");
    expect(page).not.toMatch(/@all|:\/\//);
    for (const block of page.split("\n\n").filter((part) => part.startsWith("|"))) {
      const cells = block.split("\n").map((row) => row.replaceAll("\\|", "").split("|").length);
      expect(new Set(cells).size).toBe(1);
    }
  });
});

test("colours change no text", () => {
  const view = comparisonOf(modes());
  const colored = text(renderComparisonTerminal(view, { color: true, width: 100 }));
  expect(colored).toContain("\u001b[");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
  expect(colored.replace(/\u001b\[\d+m/g, "")).toBe(text(renderComparisonTerminal(view, PLAIN)));
});

import { describe, expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import { renderJson } from "../../../src/report/json.ts";
import { renderMarkdown } from "../../../src/report/markdown.ts";
import { renderSummary, renderTerminal } from "../../../src/report/terminal.ts";
import { buildView } from "../../../src/report/view.ts";
import type { ReportView } from "../../../src/report/view-model.ts";
import { expectGolden } from "../../support/golden.ts";
import { expectValidReport } from "../../support/schema.ts";
import { STORIES } from "../../support/stories.ts";
import { isolate, recording } from "../../support/timeline.ts";

const SPIKE = { spikeMs: 10 };
const PLAIN = { color: false, width: 100 };

function viewOf(story: string): ReportView {
  const told = STORIES[story]?.() ?? recording([]);
  return buildView(told, analyse(told, SPIKE), SPIKE);
}

const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

describe.each(Object.keys(STORIES))("the story %s", (story) => {
  const view = viewOf(story);

  test("as JSON", () => {
    const bytes = renderJson(view);
    expectGolden(`${story}.json`, bytes);
    expectValidReport(JSON.parse(text(bytes)));
  });

  test("as Markdown", () => expectGolden(`${story}.md`, renderMarkdown(view)));

  test("in a terminal", () => expectGolden(`${story}.txt`, renderTerminal(view, PLAIN)));

  test("as a summary", () =>
    expectGolden(`${story}.summary.txt`, new TextEncoder().encode(renderSummary(view, PLAIN))));

  test.each([40, 80, 200])("in a terminal of %i columns only the line to copy may be longer", (width) => {
    const lines = text(renderTerminal(view, { color: false, width })).split("\n");
    const long = lines.filter((line) => line.length > width && line.trim().includes(" "));
    expect(long.filter((line) => !/^ {2}(?:Full story|One of them whole): /.test(line))).toEqual([]);
  });
});

describe.each(["hostile", "tagged"])("hostile names in the story %s", (story) => {
  const view = viewOf(story);

  test("leave nothing but printable text and line breaks in a terminal", () => {
    for (const page of [text(renderTerminal(view, PLAIN)), renderSummary(view, PLAIN)]) {
      expect(page.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
      expect(page).not.toContain("title");
    }
  });

  test("make no HTML, link, mention, heading or table cell in Markdown", () => {
    const page = text(renderMarkdown(view));
    expect(page).not.toContain("<img");
    expect(page).not.toMatch(/@all|:\/\/|www\.e/);
    for (const line of page.split("\n").filter((one) => one.includes("red"))) {
      expect(line).not.toMatch(/(?<!\\)[`[\]*_~]|^# /);
    }
    // Every row of a table has as many cells as its header.
    for (const block of page.split("\n\n").filter((part) => part.startsWith("|"))) {
      const cells = block.split("\n").map((row) => row.split("|").length);
      expect(new Set(cells).size).toBe(1);
    }
  });
});

test("the tags before a spike, the most over-represented first, in every text", () => {
  const view = viewOf("tagged");
  const said = /In the 3 s before it: GET \/report\/\W*:id 5 times, 32 times its usual rate; .*red.* 2 times; /s;
  expect(text(renderTerminal(view, { color: false, width: 120 })).replaceAll(/\n\s+/g, " ")).toMatch(said);
  expect(text(renderMarkdown(view))).toMatch(said);
});

test("colours wrap whole lines and change no text", () => {
  const view = viewOf("server");
  const colored = text(renderTerminal(view, { color: true, width: 100 }));
  expect(colored).toContain("\u001b[1m");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
  expect(colored.replace(/\u001b\[\d+m/g, "")).toBe(text(renderTerminal(view, PLAIN)));
});

test("the line to copy names the recording as it was typed, quoted for a shell", () => {
  const view = viewOf("quiet");
  const page = renderSummary(view, { ...PLAIN, recording: "my runs/it's.gcspike" });
  expect(page).toContain(`gcspike report 'my runs/it'\\''s.gcspike' --format html -o report.html`);
});

test("a hundred spikes are counted, the five longest are listed", () => {
  const many = recording([isolate("M.".repeat(100))]);
  const view = buildView(many, analyse(many, SPIKE), SPIKE);
  const page = text(renderTerminal(view, PLAIN));
  expect(page).toContain("100 spikes of 10 ms or more, together 3 s.");
  expect(page).toContain("and 95 more spikes, none of them longer");
  expect(page.match(/^ {2}s\d+ {2}/gm)).toHaveLength(5);
});

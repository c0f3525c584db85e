import { describe, expect, test } from "vitest";
import { columnValue } from "../../../src/analysis/spread.ts";
import { renderComparisonMarkdown } from "../../../src/report/compare-markdown.ts";
import { bestShown, noValueText } from "../../../src/report/compare-phrases.ts";
import { renderComparisonTerminal } from "../../../src/report/compare-terminal.ts";
import { renderComparisonJson } from "../../../src/report/json.ts";
import { comparisonOf, modes, type Story, strangers, workload } from "../../support/comparison.ts";
import { expectGolden } from "../../support/golden.ts";
import { expectValidComparison } from "../../support/schema.ts";
import { isolate, recording } from "../../support/timeline.ts";

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

describe("the best columns, as shown", () => {
  const row = (...medians: readonly number[]) => ({
    metric: "rss.peak",
    unit: "bytes",
    better: "lower" as const,
    values: medians.map((median, index) => columnValue("abc".charAt(index), [median])),
  });
  const best = (...mib: readonly number[]) =>
    bestShown(row(...mib.map((one) => one * 2 ** 20))).map(({ column }) => column);

  test("are those with the best number that can be read", () => {
    expect(best(440, 500)).toEqual(["a"]);
    expect(best(440.4, 440.1, 900)).toEqual(["a", "b"]);
  });

  test("are none where all are shown with the same number", () => expect(best(440.1, 440.4)).toEqual([]));
});

test("a column without pauses has none, and one whose pauses are not known has unknown ones", () => {
  const untold = isolate("---", { warnings: [{ code: "no-pauses", message: "" }] });
  const { rows } = comparisonOf({ a: [recording("---")], b: [recording([untold])], c: [recording(".s")] }).comparison;
  const texts = (metric: string) => ["a", "b"].map((column) => noValueText(rows, metric, column));
  expect(texts("pause.p99")).toEqual(["none", "unknown"]);
  expect(texts("pause.scavenge.max")).toEqual(["none", "unknown"]);
  expect(texts("rss.growth")).toEqual(["unknown", "unknown"]);
});

test("numbers of any size leave the table its shape", () => {
  const run = (value: number) => recording(".s", { workload: workload({}, { "work.done": value }) });
  const page = text(renderComparisonTerminal(comparisonOf({ a: [run(1e300), run(2e300)], b: [run(1)] }), PLAIN));
  expect(page).toMatch(/work\.done +4\.17e293 h \[2\.78e293\.\.5\.56e293\] +1 ms/);
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

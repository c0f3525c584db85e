import { describe, expect, test } from "vitest";
import { renderCheckJunit } from "../../../src/report/check-junit.ts";
import { renderCheckMarkdown } from "../../../src/report/check-markdown.ts";
import { renderCheckTerminal } from "../../../src/report/check-terminal.ts";
import { githubAnnotations } from "../../../src/report/github-annotations.ts";
import { renderCheckJson } from "../../../src/report/json.ts";
import { checkedRun, checkOf } from "../../support/checks.ts";
import { expectGolden } from "../../support/golden.ts";
import { hostile } from "../../support/hostile.ts";
import { expectValidCheck } from "../../support/schema.ts";

const PLAIN = { color: false, width: 100 };
const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

const BUDGETS = [
  { metric: "pause.p99", comparison: "<", limit: 30 },
  { metric: "heap.peak", comparison: "<", limit: 2 ** 40 },
] as const;

const STORIES = {
  regression: () => checkOf(1.4),
  pass: () => checkOf(1),
  inconclusive: () => checkOf(1.097),
  budget: () => checkOf(1, { baseline: null, metrics: [], budgets: BUDGETS }),
  hostile: () => checkOf(1.4, { baselineName: hostile("main") }, hostile),
};

describe.each(Object.entries(STORIES))("a check: %s", (name, story) => {
  const check = story();

  test("as JSON", () => {
    const bytes = renderCheckJson(check);
    expectGolden(`check-${name}.json`, bytes);
    expectValidCheck(JSON.parse(text(bytes)));
  });

  test("as Markdown", () => expectGolden(`check-${name}.md`, renderCheckMarkdown(check)));

  test("in a terminal", () => expectGolden(`check-${name}.txt`, renderCheckTerminal(check, PLAIN)));

  test("as JUnit XML", () => expectGolden(`check-${name}.xml`, renderCheckJunit(check)));

  test("as annotations", () =>
    expectGolden(`check-${name}.annotations.txt`, new TextEncoder().encode(githubAnnotations(check))));

  test.each([40, 80])("in a terminal of %i columns no line is longer", (width) => {
    const lines = text(renderCheckTerminal(check, { color: false, width })).split("\n");
    expect(lines.filter((line) => line.length > width && line.trim().includes(" "))).toEqual([]);
  });
});

test("verdicts are what the stories say", () => {
  expect(Object.values(STORIES).map((story) => story().verdict)).toEqual([
    "regression",
    "pass",
    "inconclusive",
    "regression",
    "regression",
  ]);
});

test("a name cannot begin an annotation, end an XML element or call somebody", () => {
  const names = (name: string) => `${name}]]></failure>\n::error::broken @somebody <b>`;
  const check = checkOf(1.4, { baselineName: names("main") }, names);
  expect(
    githubAnnotations(check)
      .split("\n")
      .filter((line) => line.startsWith("::error")),
  ).toHaveLength(1);
  expect(text(renderCheckJunit(check)).match(/<\/failure>/g)).toHaveLength(
    check.metrics.filter(({ verdict }) => verdict === "regression").length,
  );
  expect(text(renderCheckMarkdown(check))).not.toMatch(/@somebody|<b>/);
});

test("characters that XML does not have are not in JUnit's report", () => {
  const check = checkOf(1.4, {}, (name) => `${name}\ufffe\uffff\u0000\u000b`);
  // https://www.w3.org/TR/xml/#charsets
  expect(text(renderCheckJunit(check))).toMatch(/^[\t\n\r\u0020-\ud7ff\ue000-\ufffd]*$/);
});

test("a program without a pause is said so, and passes no judgement", () => {
  const silent = checkedRun(1, 1);
  const none = {
    ...silent,
    run: {
      ...silent.run,
      metrics: silent.run.metrics.flatMap((one) =>
        one.metric === "pause.count" ? [{ ...one, value: 0 }] : one.metric.startsWith("pause.") ? [] : [one],
      ),
    },
  };
  const check = checkOf(1, { baseline: [none, none, none], candidate: [none, none, none], metrics: ["pause.p99"] });
  expect(check.verdict).toBe("inconclusive");
  expect(check.warnings.map(({ code }) => code)).toContain("no-pause");
});

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
  return buildView(told, analyse(told, SPIKE));
}

const oneLine = (page: Uint8Array) => text(page).replaceAll(/\s+/g, " ");
const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

describe.each(Object.keys(STORIES))("the story %s", (story) => {
  const view = viewOf(story);

  describe("a flight recorder's dump", () => {
    const trigger = (name: string, ms: number, what: string) => ({
      trigger: name,
      atNs: String(BigInt(recording("-s").manifest.startNs) + BigInt(ms) * 1_000_000n),
      what,
    });
    const dump = {
      keepMs: 60_000,
      afterMs: 5000,
      triggers: [
        trigger("pause>50ms", 57_400, "a scavenge of <62> ms\u001b[31m"),
        trigger("heap>1GiB", 58_000, "1.2 GiB of heap in use"),
      ],
      untold: 3,
    };
    const dumped = recording("-s", { dump });
    const view = buildView(dumped, analyse(dumped, SPIKE));

    test("says in its head why it was written, and when", () => {
      const said = "Written by the flight recorder: pause>50ms at 57.4 s, a scavenge of <62> ms, and 4 more triggers.";
      expect(oneLine(renderTerminal(view, PLAIN))).toContain(said);
      expect(text(renderMarkdown(view))).toContain("Written by the flight recorder: pause&gt;50ms at 57.4 s");
      expect(text(renderMarkdown(view))).not.toContain("<62>");
    });

    test("names its triggers in JSON", () => {
      const json = JSON.parse(text(renderJson(view)));
      expectValidReport(json);
      expect(json.recording.dump).toMatchObject({
        untold: 3,
        keepMs: 60_000,
        triggers: [{ atMs: 57_400 }, { atMs: 58_000 }],
      });
    });
  });

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

describe("second by second", () => {
  const tagged = STORIES.tagged?.() ?? recording([]);

  test("each lane says its highest second, where seconds are marked and what that means", () => {
    const view = buildView(tagged, analyse(tagged, { ...SPIKE, p99Ms: 25, growthBytes: 40 * 1024 ** 2 }));
    const page = oneLine(renderTerminal(view, PLAIN));
    expect(page).toContain(
      "Allocation rate: at most 100 MiB/s, at 0.00 s; 0 s of 61 marked. Marked: burst of 250 ms or more, 4 times the usual and 20 MiB/s at least. Usual",
    );
    expect(page).toContain(
      "Heap growth between full collections: at most 0 B/s, at 0.00 s; 0 s of 61 marked. Marked: grows faster than 40 MiB/s (--growth).",
    );
    expect(page).toContain(
      "P99 pause of the last 10 s: at most 30 ms, at 30.0 s; 10 s of 61 marked. Marked: P99 of 25 ms or more (--p99, else --spike).",
    );
    // Said once, of all tags.
    expect(page.match(/No threshold: shown are tags/g)).toHaveLength(1);
    expect(page).toContain(
      "GET /report/:id, how often, over 5 s: at most 1/s, at 29.0 s; mean of the whole run 0.13/s.",
    );
  });

  test("is one line where nothing is marked, and is about the thread of the longest spike", () => {
    const quiet = recording([isolate("--s--"), isolate("--s--M", { threadId: 1, name: "mailer" })]);
    const none = buildView(quiet, analyse(quiet, { spikeMs: 50, growthBytes: 1024 ** 3 }));
    expect(oneLine(renderTerminal(none, PLAIN))).toContain(
      "Second by second of main nothing is over its threshold (burst of 250 ms or more, 4 times the usual and 20 MiB/s at least; grows faster than 1 GiB/s (--growth); P99 of 50 ms or more (--p99, else --spike)).",
    );
    const slow = buildView(quiet, analyse(quiet, SPIKE));
    expect(oneLine(renderTerminal(slow, PLAIN))).toContain("Second by second of mailer: Allocation rate");
  });
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
  const view = buildView(many, analyse(many, SPIKE));
  const page = text(renderTerminal(view, PLAIN));
  expect(page).toContain("100 spikes of 10 ms or more, together 3 s.");
  expect(page).toContain("and 95 more spikes, none of them longer");
  expect(page.match(/^ {2}s\d+ {2}/gm)).toHaveLength(5);
});

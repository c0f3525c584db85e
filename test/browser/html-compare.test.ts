/** The comparison's page in a real browser. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Check } from "../../src/analysis/check/check-types.ts";
import type { FlameDifference } from "../../src/analysis/check/flame-difference.ts";
import type { FlameTree } from "../../src/analysis/flame-tree.ts";
import { renderComparisonHtml } from "../../src/report/compare-html.ts";
import type { HtmlAssets } from "../../src/report/html-page.ts";
import { bundleAssets, launchBrowser, type OpenOptions, type OpenReport, openReport } from "../support/browser.ts";
import { checkOf } from "../support/checks.ts";
import { comparisonOf, modes, picturesOf, type Story, strangers } from "../support/comparison.ts";
import { hostile } from "../support/hostile.ts";
import { recording } from "../support/timeline.ts";

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true } as const;
const PATIENCE = { timeout: 20_000 };

let browser: Browser;
let assets: HtmlAssets;
let opened: OpenReport | null = null;

beforeAll(async () => {
  assets = await bundleAssets("compare");
  browser = await launchBrowser();
});

afterAll(async () => await browser.close());

/** Whatever a test did with the page: it complained about nothing and asked for nothing but itself. */
afterEach(async () => {
  if (opened === null) return;
  const { complaints, requests, address } = opened;
  await opened.close();
  opened = null;
  expect(complaints).toEqual([]);
  expect(requests.map((url) => url.replace(/#.*/, ""))).toEqual([address]);
});

async function open(
  story: Story,
  options: OpenOptions = {},
  check: Check | null = null,
  flames: FlameDifference | null = null,
): Promise<Page> {
  const about = check === null ? null : { check, flames };
  const html = renderComparisonHtml(comparisonOf(story), picturesOf(story), assets, about);
  opened = await openReport(browser, html, options);
  return opened.page;
}

const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().innerText()).replaceAll("\u00a0", " ");

describe("what it says", () => {
  test("the verdict first, then a card a column", async () => {
    const story = modes();
    const page = await open(story);
    expect(await textOf(page, ".answer")).toBe(comparisonOf(story).verdict);
    const cards = await page.locator(".cards > li").allInnerTexts();
    expect(cards.length).toBe(3);
    expect(cards[2]?.replaceAll("\u00a0", " ")).toMatch(/mmap\s+2 ms/);
    expect(cards[2]?.replaceAll("\u00a0", " ")).toMatch(/latency P99 2\.2 ms\s+throughput 9,998\/s/);
    expect(await page.title()).toBe("pooled / naive / mmap - gcspike");
  });

  test("every metric of the JSON, with the best marked", async () => {
    const story = modes();
    const page = await open(story);
    await page.locator(".more-metrics button, button.more-metrics").first().click();
    const codes = await page.locator("table.metrics tr").allInnerTexts();
    for (const { metric } of comparisonOf(story).comparison.rows) {
      expect(codes.some((row) => row.includes(metric))).toBe(true);
    }
    const row = page.locator("table.metrics tr", { hasText: "latency.p99" });
    expect((await row.locator("td.best").innerText()).replaceAll("\u00a0", " ")).toContain("2.2 ms");
  });

  test("warnings where the recordings are not comparable", async () => {
    const story = strangers();
    const page = await open(story);
    expect(await textOf(page, ".warnings")).toContain(
      "Different processors: 2 x Test CPU in before; 8 x Other CPU in after.",
    );
    const link = page.locator(".caution a");
    const { warnings } = comparisonOf(story).comparison;
    expect(await link.innerText()).toMatch(new RegExp(`^${warnings.length}\\sthings? to know`));
    await link.click();
    await expect
      .poll(
        () =>
          page
            .locator(".warnings")
            .boundingBox()
            .then((box) => box?.y ?? -1),
        PATIENCE,
      )
      .toBeLessThan(900);
    expect(
      await page.locator(".answer, .cards, .warnings").evaluateAll((all) => all.map((one) => one.className)),
    ).toEqual(["answer", "cards", "warnings"]);
  });

  test("no word of caution where there is nothing to know", async () => {
    const run = (timeline: string) => [recording(timeline.repeat(120)), recording(timeline.repeat(120))];
    const page = await open({ a: run(".s"), b: run(".s") });
    expect(await page.locator(".caution, .warnings").count()).toBe(0);
  });
});

describe("what it does", () => {
  test("all timelines have one scale, and zoom together", async () => {
    const page = await open(modes());
    await expect.poll(() => textOf(page, ".view-range"), PATIENCE).toMatch(/^The whole time/);
    const plots = page.locator("#timeline .u-over");
    expect(await plots.count()).toBe(3);
    const heights = await plots.evaluateAll((all) => all.map((plot) => plot.clientHeight));
    expect(new Set(heights).size).toBe(1);
    const box = await plots.first().boundingBox();
    if (box === null) throw new Error("there is no chart");
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.2, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, y, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => textOf(page, ".view-range"), PATIENCE).toMatch(/^[\d.]+ s to [\d.]+ s/);
  });

  test("another run of a column is shown on request", async () => {
    const page = await open(modes());
    const select = page.locator("select.run").first();
    const before = await select.inputValue();
    const other = before === "0" ? "1" : "0";
    await select.selectOption(other);
    await expect.poll(() => page.locator("select.run").first().inputValue(), PATIENCE).toBe(other);
  });

  test("one percentile chart has a curve for each column", async () => {
    const page = await open(modes());
    expect(await page.locator("#distribution canvas").count()).toBe(1);
    expect(await textOf(page, "#distribution")).toMatch(/pooled[\s\S]*naive[\s\S]*mmap/);
  });

  test("the percentile chart has a logarithmic scale, also by keyboard", async () => {
    const page = await open(modes());
    const toggle = page.getByRole("button", { name: "Logarithmic scale" });
    expect(await toggle.getAttribute("aria-pressed")).toBe("false");
    await toggle.focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => toggle.getAttribute("aria-pressed"), PATIENCE).toBe("true");
    expect(await page.locator("button:focus").innerText()).toBe("Logarithmic scale");
  });

  test("pointing at the curves says what each column's share of pauses is", async () => {
    const page = await open(modes());
    const chart = page.locator("#distribution .u-over");
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    if (box === null) throw new Error("there is no chart");
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const tip = page.locator(".tip");
    await expect
      .poll(() => tip.innerText(), PATIENCE)
      .toMatch(/of pauses took at most[\s\S]*pooled[\s\S]*naive[\s\S]*mmap/);
  });
});

describe("what it survives", () => {
  test("names that are markup, scripts, or far too long", async () => {
    const bad = `</script><img src=x onerror="alert(1)">${"x".repeat(3000)}`;
    const page = await open({ [bad]: [recording(".s.s", { command: ["node", bad] })], b: [recording(".M")] });
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("html").evaluate((html) => html.scrollWidth)).toBeLessThanOrEqual(1280);
    expect(await textOf(page, "h1")).toContain("<img src=x");
  });

  test.each([1280, 390])("twenty columns, some without a pause or an isolate, on a screen of %i", async (width) => {
    const many = Array.from({ length: 18 }, (_, i) => [`run ${i}`, [recording(".s.s.M".repeat(i + 1))]] as const);
    const story = { ...Object.fromEntries(many), still: [recording("---")], empty: [recording([])] };
    const page = await open(story, { viewport: { width, height: 844 } });
    expect(await page.locator(".cards > li").count()).toBe(20);
    expect(await textOf(page, "h1")).toMatch(/and 14 more$/);
    expect(await page.locator("html").evaluate((html) => html.scrollWidth)).toBeLessThanOrEqual(width);
  });

  test.each(["light", "dark"] as const)("a phone, %s: nothing is wider than the screen", async (colorScheme) => {
    const page = await open(modes(), { ...PHONE, colorScheme });
    const width = await page.locator("html").evaluate((html) => html.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
  });
});

describe("a check", () => {
  test("stands above the comparison: its verdict, each metric and who allocates more", async () => {
    const check = checkOf(1.4);
    const page = await open(modes(), {}, check);
    expect(await page.title()).toBe("check: regression - gcspike");
    expect(await textOf(page, ".check-answer")).toMatch(/regression\s+pause\.max is/);
    const rows = await page.locator(".check-table").first().locator("tbody tr").allInnerTexts();
    expect(rows.length).toBe(check.metrics.length);
    expect(await page.locator(".check-table").nth(1).locator("tbody tr").first().innerText()).toMatch(/handler/);
    // The interval of a regression lies right of the line that says nothing changed.
    const range = await page.locator(".forest.regression .forest-range").first().boundingBox();
    const zero = await page.locator(".forest.regression .forest-zero").first().boundingBox();
    expect(range?.x).toBeGreaterThan(zero?.x ?? Number.POSITIVE_INFINITY);
  });

  test("has both sides as flame graphs, and says of each call what changed", async () => {
    const call = (frame: number, total: number, children: FlameTree[] = []): FlameTree => {
      return {
        frame,
        total,
        self: total - children.reduce((sum, child) => sum + child.total, 0),
        inlined: 0,
        children,
      };
    };
    const flames: FlameDifference = {
      measure: "survived",
      frames: ["keep", "hoard"].map((name) => ({ function: name, file: `src/${name}.js`, line: 3, origin: "user" })),
      baseline: call(-1, 4 * 2 ** 20, [call(0, 4 * 2 ** 20)]),
      candidate: call(-1, 9 * 2 ** 20, [call(1, 5 * 2 ** 20), call(0, 4 * 2 ** 20)]),
    };
    const page = await open(modes(), {}, checkOf(1.4), flames);
    expect(await textOf(page, ".check-flames [aria-pressed=true]")).toBe("Now: 9 MiB");
    const canvas = page.locator(".check-flames canvas");
    await canvas.focus();
    for (const key of ["ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
    await expect.poll(() => page.locator(".tip").innerText(), PATIENCE).toMatch(/hoard[\s\S]*against before\s*\+5.MiB/);
    await page.getByRole("button", { name: "Before: 4" }).click();
    expect(await textOf(page, ".check-flames [aria-pressed=true]")).toBe("Before: 4 MiB");
  });

  test("shows names for what they are, on a phone too", async () => {
    const page = await open(modes(), PHONE, checkOf(1.4, { baselineName: hostile("main") }, hostile));
    expect(await page.evaluate(() => "broken" in globalThis)).toBe(false);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  });
});

/** The comparison's page in a real browser. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { renderComparisonHtml } from "../../src/report/compare-html.ts";
import type { HtmlAssets } from "../../src/report/html-page.ts";
import { bundleAssets, launchBrowser, type OpenOptions, type OpenReport, openReport } from "../support/browser.ts";
import { comparisonOf, modes, picturesOf, type Story, strangers } from "../support/comparison.ts";
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

async function open(story: Story, options: OpenOptions = {}): Promise<Page> {
  const html = renderComparisonHtml(comparisonOf(story), picturesOf(story), assets);
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
    const page = await open(strangers());
    expect(await textOf(page, "header")).toContain(
      "Different processors: 2 x Test CPU in before; 8 x Other CPU in after.",
    );
  });
});

describe("what it does", () => {
  test("all timelines have one scale, and zoom together", async () => {
    const page = await open(modes());
    await expect.poll(() => textOf(page, ".view-range"), PATIENCE).toMatch(/^The whole recording/);
    const plots = page.locator("#timeline .u-over");
    expect(await plots.count()).toBe(3);
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
});

describe("what it survives", () => {
  test("names that are markup, scripts, or far too long", async () => {
    const bad = `</script><img src=x onerror="alert(1)">${"x".repeat(3000)}`;
    const page = await open({ [bad]: [recording(".s.s", { command: ["node", bad] })], b: [recording(".M")] });
    expect(await page.locator("img").count()).toBe(0);
    expect(await textOf(page, "h1")).toContain("<img src=x");
  });

  test("twenty columns, and columns without a pause or an isolate", async () => {
    const many = Array.from({ length: 18 }, (_, i) => [`run ${i}`, [recording(".s.s.M".repeat(i + 1))]] as const);
    const page = await open({ ...Object.fromEntries(many), still: [recording("---")], empty: [recording([])] });
    expect(await page.locator(".cards > li").count()).toBe(20);
  });

  test.each(["light", "dark"] as const)("a phone, %s: nothing is wider than the screen", async (colorScheme) => {
    const page = await open(modes(), { ...PHONE, colorScheme });
    const width = await page.locator("html").evaluate((html) => html.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
  });
});

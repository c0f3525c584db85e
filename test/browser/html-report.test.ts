/** The HTML report in a real browser: what it shows, how it moves, and what it never does. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { sumCauses } from "../../src/analysis/cause-sums.ts";
import type { Spike } from "../../src/analysis/report-types.ts";
import { formatBytes, formatMs } from "../../src/lib/units.ts";
import { renderHtml } from "../../src/report/html.ts";
import type { HtmlAssets } from "../../src/report/html-page.ts";
import type { PageView, ReportView } from "../../src/report/view-model.ts";
import { bundleAssets, launchBrowser, type OpenReport, openReport, openView } from "../support/browser.ts";
import { hostile } from "../support/hostile.ts";
import { syntheticView, type ViewOptions } from "../support/view-builder.ts";

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true } as const;
const DURATION_MS = 72_400;

let browser: Browser;
let assets: HtmlAssets;
let report: OpenReport | null = null;

beforeAll(async () => {
  assets = await bundleAssets();
  browser = await launchBrowser();
});

afterAll(async () => await browser.close());

/** Whatever a test did with the page: it complained about nothing and asked for nothing but itself. */
afterEach(async () => {
  if (report === null) return;
  const { complaints, requests, address } = report;
  await report.close();
  report = null;
  expect(complaints).toEqual([]);
  expect(requests.map((url) => url.replace(/#.*/, ""))).toEqual([address]);
});

async function open(view: PageView, options: Parameters<typeof openView>[3] = {}): Promise<Page> {
  report = await openView(browser, assets, view, options);
  return report.page;
}

async function openSynthetic(options: ViewOptions = {}): Promise<Page> {
  return await open(syntheticView(options));
}

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

async function textOf(locator: Locator): Promise<string> {
  // What a reader sees, with the spaces that the layout makes.
  return plain(await locator.innerText());
}

/** The stretch that the timeline shows, seconds. */
async function viewOf(page: Page): Promise<readonly [number, number]> {
  const text = await textOf(page.locator("#timeline .view-range"));
  const [, from, to] = /^([\d.]+) s to ([\d.]+) s/.exec(text) ?? [];
  return from === undefined || to === undefined ? [0, DURATION_MS / 1000] : [Number(from), Number(to)];
}

/** The machine may be busy: what has to come true has this long, and mostly needs a frame. */
const PATIENCE = { timeout: 20_000 };

async function waitForView(page: Page, pattern: RegExp): Promise<void> {
  await expect.poll(() => textOf(page.locator("#timeline .view-range")), PATIENCE).toMatch(pattern);
}

const WHOLE = /^The whole recording/;
const PART = / to /;

function figure(page: Page, title: string): Locator {
  return page.locator("figure.plot", { has: page.locator("h3", { hasText: new RegExp(`^${title}$`) }) });
}

/** The plot area of the chart with this title. */
function plotArea(page: Page, title: string): Locator {
  return figure(page, title).locator(".u-over");
}

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

async function areaOf(locator: Locator): Promise<Area> {
  await locator.scrollIntoViewIfNeeded();
  // The page hears of the scrolling with the next frame, and takes its tip away.
  await locator.page().evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  const box = await locator.boundingBox();
  if (box === null) throw new Error("the chart is not on the page");
  return box;
}

async function drag(page: Page, area: Area, from: number, to: number): Promise<void> {
  const y = area.y + area.height / 2;
  await page.mouse.move(area.x + from * area.width, y);
  await page.mouse.down();
  await page.mouse.move(area.x + to * area.width, y, { steps: 4 });
  await page.mouse.up();
}

/** How many pixels of a chart's canvas have the colour of a custom property of report.css. */
async function pixelsOf(page: Page, title: string, property: string): Promise<number> {
  return await figure(page, title)
    .locator("canvas")
    .evaluate((canvas, name) => {
      const { documentElement, defaultView } = canvas.ownerDocument;
      const hex: string = defaultView.getComputedStyle(documentElement).getPropertyValue(`--${name}`).trim();
      const color = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
      // Read from a copy: reading the chart's own canvas would make the browser complain about it.
      const copy = Object.assign(canvas.cloneNode(), { width: canvas.width, height: canvas.height });
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      const image: Uint8ClampedArray = context.getImageData(0, 0, copy.width, copy.height).data;
      let found = 0;
      for (let i = 0; i < image.length; i += 4) {
        if (color.every((part, channel) => Math.abs((image[i + channel] ?? 0) - part) < 3)) found += 1;
      }
      return found;
    }, property);
}

async function scrollTop(page: Page): Promise<number> {
  return await page.locator("html").evaluate((html) => html.scrollTop);
}

async function theme(page: Page): Promise<string | null> {
  return await page.locator("html").getAttribute("data-theme");
}

function worstPause({ isolates }: ReportView): { startMs: number; durationMs: number } {
  const pauses = isolates[0]?.pauses;
  if (pauses === undefined) throw new Error("no isolate");
  const durationMs = pauses.durationMs.reduce((most, ms) => Math.max(most, ms), 0);
  return { startMs: pauses.startMs[pauses.durationMs.indexOf(durationMs)] ?? 0, durationMs };
}

describe("what it says", () => {
  test("the key figures first, as the report has them", async () => {
    const view = syntheticView();
    const page = await open(view);
    const { pauses } = view.report.summary;
    const figures = await textOf(page.locator(".figures"));
    expect(figures).toContain(formatMs(pauses.p99Ms ?? 0));
    expect(figures).toContain(formatMs(pauses.maxMs ?? 0));
    expect(figures).toContain(`${pauses.count} pauses`);
    expect(await textOf(page.locator(".answer"))).toMatch(
      /^4 spikes of 10 ms or more\. The worst took 17\.7 ms, at 39\.452 s\./,
    );
    const order = await page.locator("main > section").evaluateAll((sections) => sections.map((section) => section.id));
    expect(order).toEqual(["answer", "causes", "spikes", "timeline", "distribution", "memory", "allocations"]);
  });

  test("warnings with their hints, and that a recording was cut", async () => {
    const page = await openSynthetic({
      complete: false,
      warnings: [{ code: "cut", message: "3 allocation windows are missing.", hint: "Record to a larger disk." }],
    });
    expect(await textOf(page.locator(".warnings"))).toContain("3 allocation windows are missing.");
    expect(await textOf(page.locator(".warnings"))).toContain("Record to a larger disk.");
    expect(await textOf(page.locator(".facts"))).toContain("ended by SIGKILL; cut");
  });

  test("says that a machine is not known, as that of a log that gcspike did not write", async () => {
    const view = syntheticView();
    const unknown = { ...view.report.recording, node: "", platform: "", arch: "", cpus: 0 };
    const page = await open({ ...view, report: { ...view.report, recording: unknown } });
    const text = await textOf(page.locator(".facts"));
    expect(text).toMatch(/Machine\s+unknown/);
    expect(text).toMatch(/Node\s+unknown/);
  });

  test("spikes worst first, ten and then more", async () => {
    const view = syntheticView({ spikeMs: 3 });
    const page = await open(view);
    const sizes = async (): Promise<readonly string[]> => (await page.locator(".spike-ms").allInnerTexts()).map(plain);
    const expected = view.report.spikes.map((spike) => spike.durationMs).sort((a, b) => b - a);
    expect(expected.length).toBeGreaterThan(60);
    expect(await sizes()).toEqual(expected.slice(0, 10).map(formatMs));
    await page.locator("button.more").click();
    expect(await sizes()).toEqual(expected.slice(0, 60).map(formatMs));
  });

  test("nothing where nothing is: no pause, no phases, no allocations", async () => {
    const page = await openSynthetic({ pauses: 0, phases: false, allocations: false });
    const main = await textOf(page.locator("main"));
    expect(main).toContain("Nothing was collected: no pause in this recording.");
    expect(main).toContain("No collection paused this isolate while it was recorded.");
    expect(main).toContain("Allocations were not sampled in this recording.");
    expect(main).toContain("none");
    expect(main).not.toMatch(/NaN|undefined|null|Infinity/);
  });

  test("the little that perf_hooks sees, of a single pause", async () => {
    const page = await openSynthetic({ pauses: 1, perfHooks: true, phases: false, allocations: false });
    const main = await textOf(page.locator("main"));
    expect(main).toContain("No heap statistics were recorded.");
    expect(main).toContain("The collector of this recording does not see V8's heap spaces.");
    expect(main).toContain("work in steps between pauses is missing here");
    expect(main).not.toMatch(/NaN|undefined|null|Infinity/);
    expect(await pixelsOf(page, "Pauses", "scavenge")).toBeGreaterThan(100);
  });

  test("a recording without any isolate", async () => {
    const view = syntheticView();
    const page = await open({ ...view, isolates: [], report: { ...view.report, isolates: [], spikes: [] } });
    expect(await textOf(page.locator("main"))).toContain("No isolate was recorded");
  });

  test("values that were not measured", async () => {
    const view = syntheticView();
    const unknown = <T>(value: T): T =>
      (value instanceof Float64Array ? value.map((v, i) => (i % 3 === 0 ? Number.NaN : v)) : value) as T;
    const isolates = view.isolates.map((isolate) => ({
      ...isolate,
      pauses: { ...isolate.pauses, durationMs: unknown(isolate.pauses.durationMs) },
      heapUsed: { ...isolate.heapUsed, value: isolate.heapUsed.value.map(() => Number.NaN) },
      external: { ...isolate.external, value: unknown(isolate.external.value) },
      spaces: isolate.spaces.map((space) => ({ ...space, usedBytes: unknown(space.usedBytes) })),
      loopDelayMs: { ...isolate.loopDelayMs, value: unknown(isolate.loopDelayMs.value) },
      gcWork: { ...isolate.gcWork, insideMs: unknown(isolate.gcWork.insideMs), outsideMs: null },
      mmu: isolate.mmu.map((point) => ({ ...point, utilization: Number.NaN })),
    }));
    const page = await open({ ...view, isolates });
    expect(await textOf(page.locator("body"))).not.toMatch(/NaN|undefined|Infinity/);
    expect(await pixelsOf(page, "Pauses", "scavenge")).toBeGreaterThan(500);
    const area = await areaOf(plotArea(page, "Pauses"));
    await drag(page, area, 0.2, 0.5);
    await waitForView(page, PART);
  });

  test("that its data is damaged, instead of an empty page", async () => {
    const html = renderHtml(syntheticView(), assets);
    const damaged = await openReport(browser, html.subarray(0, html.length - 2000), { expectFailure: true });
    expect(await textOf(damaged.page.locator("body"))).toContain("could not be read");
    await damaged.close();
  });
});

describe("the timeline", () => {
  test("draws every kind, and hides those switched off", async () => {
    const page = await openSynthetic();
    expect(await pixelsOf(page, "Pauses", "scavenge")).toBeGreaterThan(1000);
    expect(await pixelsOf(page, "Pauses", "mark-compact")).toBeGreaterThan(100);
    await page.getByRole("button", { name: "mark-compact" }).click();
    await expect.poll(() => pixelsOf(page, "Pauses", "mark-compact"), PATIENCE).toBe(0);
    expect(await pixelsOf(page, "Pauses", "scavenge")).toBeGreaterThan(1000);
  });

  test("zooms to what is dragged over, and back with a double click", async () => {
    const page = await openSynthetic();
    const area = await areaOf(plotArea(page, "Pauses"));
    await drag(page, area, 0.25, 0.5);
    await waitForView(page, PART);
    const [from, to] = await viewOf(page);
    expect(from).toBeCloseTo(0.25 * 72.4, 0);
    expect(to).toBeCloseTo(0.5 * 72.4, 0);
    await plotArea(page, "Pauses").dblclick();
    await waitForView(page, WHOLE);
  });

  test("zooms with ctrl and wheel around the mouse, and leaves the plain wheel to the page", async () => {
    const page = await openSynthetic();
    const area = await areaOf(plotArea(page, "Heap"));
    await page.mouse.move(area.x + area.width * 0.75, area.y + 40);
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -400);
    await page.keyboard.up("Control");
    await waitForView(page, PART);
    const [from, to] = await viewOf(page);
    expect(to - from).toBeLessThan(40);
    expect((0.75 * 72.4 - from) / (to - from)).toBeCloseTo(0.75, 1);
    const before = await scrollTop(page);
    await page.mouse.wheel(0, -300);
    await expect.poll(() => scrollTop(page), PATIENCE).toBeLessThan(before);
    expect(await viewOf(page)).toEqual([from, to]);
  });

  test("works from the keyboard and says what it points at", async () => {
    const page = await openSynthetic();
    const chart = figure(page, "Pauses").locator(".plot-frame");
    await chart.focus();
    await page.keyboard.press("+");
    await waitForView(page, PART);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    const spoken = page.locator(".visually-hidden[aria-live]");
    expect(await textOf(spoken)).toMatch(/^(scavenge|mark-compact|incremental-start), paused [\d.]+ ms, at [\d.]+ s/);
    const [from] = await viewOf(page);
    await page.keyboard.press("Shift+ArrowRight");
    await expect.poll(async () => (await viewOf(page))[0], PATIENCE).toBeGreaterThan(from);
    await page.keyboard.press("0");
    await waitForView(page, WHOLE);
  });

  test("zooms with two fingers", async () => {
    const page = await open(syntheticView(), PHONE);
    const area = await areaOf(plotArea(page, "Pauses"));
    const touch = await page.context().newCDPSession(page);
    const y = area.y + area.height / 2;
    const at = (left: number, right: number): { x: number; y: number; id: number }[] => [
      { x: area.x + left * area.width, y, id: 1 },
      { x: area.x + right * area.width, y, id: 2 },
    ];
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0.45, 0.55) });
    for (const spread of [0.15, 0.25, 0.35]) {
      await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(0.5 - spread, 0.5 + spread) });
    }
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await waitForView(page, PART);
    const [from, to] = await viewOf(page);
    expect(to - from).toBeLessThan(25);
    expect((from + to) / 2).toBeCloseTo(36.2, -1);
  });

  test("shows the exact pause under the mouse, and the same moment everywhere", async () => {
    const view = syntheticView();
    const page = await open(view);
    const { startMs, durationMs } = worstPause(view);
    const area = await areaOf(plotArea(page, "Pauses"));
    await page.mouse.move(area.x + (startMs / DURATION_MS) * area.width, area.y + 20);
    await expect.poll(() => textOf(page.locator(".tip")), PATIENCE).toContain("mark-compact");
    const tip = await textOf(page.locator(".tip"));
    expect(tip).toContain(formatMs(durationMs));
    expect(tip).toContain(`${(startMs / 1000).toFixed(3)} s`);
    expect(tip).toContain("Retained sessions filled the old generation");
    const heap = page.locator("figure.plot", { has: page.locator("h3", { hasText: /^Heap$/ }) });
    expect(await textOf(heap.locator(".legend"))).toMatch(/heap used\s+[\d.]+ MiB/);
    await page.mouse.move(5, 5);
    await expect.poll(() => page.locator(".tip").isHidden(), PATIENCE).toBe(true);
    expect(await textOf(heap.locator(".legend"))).not.toMatch(/heap used\s+[\d.]+ MiB/);
  });

  test("opens a million pauses and zooms into them", { timeout: 120_000 }, async () => {
    const view = syntheticView({ pauses: 1_000_000, durationMs: 3_600_000, spikeMs: 1000 });
    const page = await open(view);
    expect(await textOf(page.locator(".figures"))).toContain("1,000,000 pauses");
    expect(await pixelsOf(page, "Pauses", "mark-compact")).toBeGreaterThan(10_000);
    const area = await areaOf(plotArea(page, "Pauses"));
    for (let i = 0; i < 3; i += 1) {
      const range = page.locator("#timeline .view-range");
      const before = await textOf(range);
      await drag(page, area, 0.5, 0.52);
      await expect.poll(() => textOf(range), PATIENCE).not.toBe(before);
    }
    await waitForView(page, / ms of 60 min/);
    const starts = view.isolates[0]?.pauses.startMs ?? new Float64Array(0);
    const frame = figure(page, "Pauses").locator(".plot-frame");
    await frame.focus();
    await page.mouse.move(5, 5);
    await page.keyboard.press("ArrowRight");
    const spoken = await textOf(page.locator(".visually-hidden[aria-live]"));
    const [, minutes = "", seconds = ""] = /at (\d+):([\d.]+)/.exec(spoken) ?? [];
    const at = (Number(minutes) * 60 + Number(seconds)) * 1000;
    expect(starts.some((start) => Math.abs(start - at) < 1)).toBe(true);
  });
});

describe("a spike", () => {
  async function expectShown(page: Page, view: ReportView, id: string): Promise<void> {
    const spike = view.report.spikes.find((candidate) => candidate.id === id);
    if (spike === undefined) throw new Error(`no spike ${id}`);
    await waitForView(page, PART);
    const [from, to] = await viewOf(page);
    expect(from * 1000).toBeLessThan(spike.startMs);
    expect(to * 1000).toBeGreaterThan(spike.startMs + spike.durationMs);
    expect(to - from).toBeLessThan(1);
    expect(await textOf(page.locator(".spike-bar"))).toContain(formatMs(spike.durationMs));
    expect(await page.locator(".spike.chosen").getAttribute("data-id")).toBe(id);
    const topOfTimeline = (): Promise<number> =>
      page.locator("#timeline").evaluate((section) => section.getBoundingClientRect().top);
    await expect.poll(async () => Math.abs(await topOfTimeline()), PATIENCE).toBeLessThan(100);
  }

  test("leads into the timeline when clicked, and into the address", async () => {
    const view = syntheticView();
    const page = await open(view);
    const id = (await page.locator(".spike a[data-spike]").nth(1).getAttribute("data-spike")) ?? "";
    await page.locator(".spike a[data-spike]").nth(1).click();
    await expectShown(page, view, id);
    expect(page.url()).toMatch(new RegExp(`#${id}$`));
    await page.locator("[data-action=reset]").click();
    await waitForView(page, WHOLE);
    expect(await page.locator(".spike.chosen").count()).toBe(0);
  });

  test("opens from its address", async () => {
    const view = syntheticView();
    await expectShown(await open(view, { fragment: "s3" }), view, "s3");
  });

  test("of an unknown address is no error", async () => {
    const page = await open(syntheticView(), { fragment: "s999%zz" });
    await waitForView(page, WHOLE);
  });

  test("can be stepped through, and its story is found even beyond the first ten", async () => {
    const view = syntheticView({ spikeMs: 3 });
    const worst = view.report.spikes.toSorted((a, b) => b.durationMs - a.durationMs);
    const page = await open(view, { fragment: worst[20]?.id ?? "" });
    await page.locator(".spike-bar").getByRole("button", { name: "Next" }).click();
    expect(await textOf(page.locator(".spike-bar"))).toContain(`Spike 22 of ${worst.length}`);
    await page.locator(".spike-bar").getByRole("button", { name: "Its story" }).click();
    const card = page.locator(`.spike[data-id="${worst[21]?.id}"]`);
    expect(await card.locator(".spike-story > details").getAttribute("open")).toBe("");
    expect(await textOf(card)).toContain("hydrateSession");
  });

  test("of a worker shows the worker", async () => {
    const view = syntheticView({ workers: ["hash-worker"] });
    const spike = view.report.spikes.find(({ isolate }) => isolate === "4121-1");
    const page = await open(view, { fragment: spike?.id ?? "" });
    await waitForView(page, PART);
    expect(await page.locator("#isolate").inputValue()).toBe("4121-1");
  });

  test("leads to what was allocated before it", async () => {
    const page = await openSynthetic();
    await page.locator(".spike").first().getByRole("button", { name: "What was allocated before it" }).click();
    expect(await textOf(page.locator("#allocations .view-range"))).toMatch(/from 37\.000 s to 40\.000 s, 3 windows$/);
  });
});

describe("the causes", () => {
  /** The synthetic view, in which some spikes have other causes. */
  function viewWith(causes: readonly Spike["cause"][]): PageView {
    const view = syntheticView({ spikeMs: 6 });
    const spikes = view.report.spikes
      .toSorted((a, b) => b.durationMs - a.durationMs)
      .map(
        (spike, i): Spike => ({ ...spike, cause: causes[i] ?? spike.cause, ...(causes[i] && { contributing: [] }) }),
      );
    const totalMs = spikes.reduce((sum, { durationMs }) => sum + durationMs, 0);
    return {
      ...view,
      report: { ...view.report, spikes, causes: sumCauses({ spikes, count: spikes.length, totalMs }) },
    };
  }

  test("stand above the spikes, each with its longest, its code and what helps", async () => {
    const view = syntheticView();
    const page = await open(view);
    const [first] = view.report.causes;
    const block = page.locator("#causes .cause").first();
    const text = await textOf(block);
    expect(text).toContain(formatMs(first?.totalMs ?? 0));
    expect(text).toMatch(/old-growth\s+likely \(confidence 0\.81\)/);
    expect(first?.spikes).toBeGreaterThan(2);
    expect(text).toContain(
      `Over all ${first?.spikes} spikes, by bytes that nothing has freed since the last full collection (exact: inlined functions are told apart):`,
    );
    expect(text).toMatch(/hydrateSession\s+src\/session\.ts:48\s+71 %/);
    expect(text).toContain("--max-semi-space-size=64");
    await block.locator("a[data-spike]").click();
    await waitForView(page, PART);
    expect(page.url()).toMatch(new RegExp(`#${first?.worstSpike}$`));
  });

  test("unknown is last and quiet, and the machine is told from the code", async () => {
    const page = await open(viewWith(["unknown", "descheduled", "page-faults"]));
    const blocks = page.locator("#causes .cause");
    expect(await blocks.last().getAttribute("data-cause")).toBe("unknown");
    expect(await textOf(blocks.last())).toContain("the signals do not decide");
    expect(await textOf(blocks.last())).not.toContain("What to try");
    for (const cause of ["descheduled", "page-faults"]) {
      const heading = page.locator(`#causes [data-cause=${cause}] h3`);
      expect(await textOf(heading)).toBe(`${cause}: the machine, not the code`);
    }
  });

  test("are not there where no spike is", async () => {
    const page = await openSynthetic({ spikeMs: 1000 });
    expect(await page.locator("#causes").count()).toBe(0);
    expect(await page.locator('a[href="#causes"]').count()).toBe(0);
  });

  test("stand on each spike's card: how sure, what contributed, and what its sites are shares of", async () => {
    const view = syntheticView();
    const estimated = view.report.spikes.map((spike) => ({
      ...spike,
      confidence: 0.6,
      contributing: ["compaction", "descheduled"] as const,
      sites: spike.sites.map((site) => ({ ...site, measure: "allocated" as const, exact: false })),
    }));
    const page = await open({ ...view, report: { ...view.report, spikes: estimated } });
    const card = await textOf(page.locator(".spike").first());
    expect(card).toContain("more likely than not (confidence 0.60); compaction and descheduled contributed");
    expect(card).toContain("By bytes allocated before it (estimated");
  });
});

describe("the lanes above the pauses", () => {
  const TITLES = ["Allocation rate", "Heap growth between full collections", "P99 pause of the last 10 s"];
  /** The middle of a second, as a part of the plot's width. */
  const middle = (second: number): number => (second * 1000 + 500) / DURATION_MS;

  test("stand on the same axis, and show which seconds are over their thresholds", async () => {
    const page = await openSynthetic();
    const titles = await page.locator("#timeline figure.plot h3").allInnerTexts();
    expect(titles.map(plain)).toEqual([...TITLES, "Pauses", "Heap", "GC work on this thread"]);
    const pauses = await areaOf(plotArea(page, "Pauses"));
    for (const title of TITLES) {
      const { x, width, height } = await areaOf(plotArea(page, title));
      expect([x, width]).toEqual([pauses.x, pauses.width]);
      expect(height).toBeLessThanOrEqual(32);
      expect(await pixelsOf(page, title, "over")).toBeGreaterThan(50);
      expect(await pixelsOf(page, title, "lane")).toBeGreaterThan(50);
    }
    expect(await textOf(figure(page, "Allocation rate").locator("figcaption"))).toContain(
      "burst of 250 ms or more, 4 times the usual and 20 MiB/s at least: 3 seconds",
    );
    expect(await textOf(figure(page, "Heap growth between full collections").locator("figcaption"))).toContain(
      "grows faster than 50 MiB/s (--growth): 3 seconds",
    );
  });

  test("say their threshold and what they mean where they stand", async () => {
    const page = await openSynthetic({ tags: true });
    const said = async (title: string): Promise<readonly string[]> => [
      await textOf(figure(page, title).locator("figcaption")),
      await textOf(figure(page, title).locator(".note")),
    ];
    const [allocation, growth, p99] = await Promise.all(TITLES.map(said));
    expect(allocation?.[0]).toContain("usual in the 10 s before");
    expect(allocation?.[1]).toContain("Usual is the median of the 10 s before;");
    expect(growth?.[0]).toContain("threshold 50 MiB/s");
    expect(growth?.[1]).toContain("soon reaches V8's limit");
    expect(p99?.[0]).toMatch(/threshold 10 ms\s+P99 of 10 ms or more \(--p99, else --spike\): \d+ seconds/);
    expect(p99?.[1]).toContain("All but one in a hundred of the pauses in these 10 s");
    const [tag, meaning] = await said("GET /checkout");
    expect(tag).toMatch(/how often, over 5 s\s+mean of the whole run 1\.6\/s/);
    expect(meaning).toContain("No threshold: shown are tags that come more often in the 3 s before spikes");
  });

  test("say what a second was, and why it stands out; the other lanes say theirs", async () => {
    const page = await openSynthetic();
    const area = await areaOf(plotArea(page, "Allocation rate"));
    await page.mouse.move(area.x + middle(38) * area.width, area.y + 10);
    const tip = page.locator(".tip");
    await expect.poll(() => textOf(tip), PATIENCE).toContain("38.000 s to 39.000 s");
    // Until it is laid out, its cells have nothing between them.
    await expect.poll(() => textOf(tip), PATIENCE).toMatch(/Allocation rate\s+180 MiB\/s/);
    expect(await textOf(tip)).toMatch(/usual in the 10 s before\s+27 MiB\/s/);
    expect(await textOf(tip)).toMatch(/in its fastest 250 ms\s+250 MiB\/s/);
    expect(await textOf(tip)).toContain("burst of 250 ms or more, 4 times the usual");
    const growth = figure(page, "Heap growth between full collections").locator(".legend");
    await expect.poll(() => textOf(growth), PATIENCE).toMatch(/each second\s+70 MiB\/s/);
    await page.mouse.move(area.x + middle(39) * area.width, area.y + 10);
    await expect.poll(() => textOf(tip), PATIENCE).toContain("39.000 s to 40.000 s");
    expect(await textOf(tip)).not.toContain("burst");
    await expect.poll(() => textOf(growth), PATIENCE).toContain("shrinks by 60 MiB/s");
  });

  test("zoom with the others, from the keyboard too, and speak", async () => {
    const page = await openSynthetic();
    const area = await areaOf(plotArea(page, "Heap growth between full collections"));
    await drag(page, area, middle(37), middle(41));
    await waitForView(page, PART);
    await page.mouse.move(5, 5);
    await figure(page, "Allocation rate").locator(".plot-frame").focus();
    await page.keyboard.press("ArrowRight");
    const spoken = page.locator(".visually-hidden[aria-live]");
    expect(await textOf(spoken)).toMatch(/^37\.000 s to 38\.000 s, Allocation rate [\d.]+ MiB\/s/);
    await page.keyboard.press("ArrowRight");
    expect(await textOf(spoken)).toMatch(/^38\.000 s to 39\.000 s, Allocation rate 180 MiB\/s.*burst/);
    await page.keyboard.press("0");
    await waitForView(page, WHOLE);
  });

  test("of tags stand above them", async () => {
    const page = await openSynthetic({ tags: true });
    const titles = await page.locator(".lane h3").allInnerTexts();
    expect(titles).toEqual(["GET /checkout", "nightly export", ...TITLES]);
    const area = await areaOf(plotArea(page, "GET /checkout"));
    const tipAt = async (y: number): Promise<string> => {
      await page.mouse.move(area.x + middle(18) * area.width, area.y + y);
      return textOf(page.locator(".tip"));
    };
    // Moved again and again: a page that is still busy with drawing itself may miss the first one.
    let y = 8;
    await expect.poll(() => tipAt(y++ % 2 === 0 ? 8 : 12), PATIENCE).toMatch(/GET \/checkout\s+7\/s/);
  });

  test("are left out where nothing is known, and the page says why", async () => {
    const page = await openSynthetic({ perfHooks: true });
    expect(await page.locator(".lane h3").allInnerTexts()).toEqual(["P99 pause of the last 10 s"]);
    expect(await textOf(page.locator(".lanes"))).toContain("heap sizes were not recorded");
  });
});

describe("the allocations", () => {
  test("zoom in on a function and out again", async () => {
    const page = await openSynthetic();
    const canvas = page.locator("#allocations .flame canvas");
    const area = await areaOf(canvas);
    await page.mouse.move(area.x + 30, area.y + 3 * 21 + 10);
    await expect.poll(() => textOf(page.locator(".tip")), PATIENCE).toMatch(/hydrateSession[\s\S]*src\/session\.ts:48/);
    await page.mouse.click(area.x + 30, area.y + 3 * 21 + 10);
    expect(await page.locator("#allocations .trail button").allInnerTexts()).toEqual([
      "all allocations",
      "onIncoming",
      "handleRequest",
      "hydrateSession",
    ]);
    await page.locator("#allocations .trail button").nth(1).click();
    expect(await page.locator("#allocations .trail button").count()).toBe(2);
    await page.mouse.move(1, 1);
    await canvas.focus();
    await page.keyboard.press("Escape");
    expect(await page.locator("#allocations .trail").isHidden()).toBe(true);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(await page.locator("#allocations .trail button").last().textContent()).toBe("onIncoming");
  });

  test("come from the windows that were chosen", async () => {
    const view = syntheticView();
    const page = await open(view);
    const label = page.locator("#allocations .view-range");
    expect(await textOf(label)).toContain("72 windows");
    const area = await areaOf(plotArea(page, "Allocation over time"));
    await drag(page, area, 10.2 / 72.4, 12.8 / 72.4);
    await expect.poll(() => textOf(label), PATIENCE).toMatch(/from 10\.000 s to 13\.000 s, 3 windows$/);
    await page.getByRole("button", { name: "Later allocation window" }).click();
    expect(await textOf(label)).toMatch(/from 13\.000 s to 16\.000 s/);
    await page.getByRole("button", { name: "All allocation windows" }).click();
    expect(await textOf(label)).toContain("72 windows");
  });

  test("find a function", async () => {
    const page = await openSynthetic();
    await page.locator(".flame-search input").fill("SESSION.TS");
    expect(await textOf(page.locator(".flame-search"))).toMatch(/^[\d.]+ % of the bytes$/);
    await page.locator(".flame-search input").fill("no such function");
    expect(await textOf(page.locator(".flame-search"))).toBe("0 % of the bytes");
  });

  test("name the functions that allocate most", async () => {
    const page = await openSynthetic();
    expect(await textOf(page.locator(".top-functions tr").first())).toMatch(
      /^hydrateSession src\/session\.ts:48\s+\d+ MiB\s+[\d.]+ %/,
    );
  });
});

describe("the flame graph of a spike", () => {
  const FIRST = ".spike[data-id]:first-child .spike-flame";
  const ROW = 21;

  test("is that of the bytes that the verdict is about, or of all that was allocated", async () => {
    const view = syntheticView();
    const page = await open(view);
    const block = page.locator(FIRST);
    const [kept, all] = view.flames[0]?.flames ?? [];
    const bytesText = (flame: typeof kept): string => formatBytes(flame?.tree.total ?? 0);
    expect((await block.locator(".choices button").allInnerTexts()).map(plain)).toEqual([
      `Kept: ${bytesText(kept)}`,
      `Allocated before it: ${bytesText(all)}`,
    ]);
    expect(await textOf(block.locator(".note").first())).toMatch(
      /^Objects allocated from 39\.000 s to 40\.000 s, those that were alive when it ended\. Estimated from samples; inlined functions are told apart\. Calls too small/,
    );
    const pressed = (): Promise<readonly (string | null)[]> =>
      block
        .locator(".choices button")
        .evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-pressed")));
    expect(await pressed()).toEqual(["true", "false"]);
    await block.locator(".choices button").last().click();
    expect(await pressed()).toEqual(["false", "true"]);
    expect(await textOf(block.locator(".note").first())).toContain("dead or alive");
    const area = await areaOf(block.locator("canvas"));
    let x = area.x + 30;
    const tip = async (): Promise<string> => {
      await page.mouse.move(x++, area.y + 10);
      return textOf(page.locator(".tip"));
    };
    await expect.poll(tip, PATIENCE).toContain(`${bytesText(all)}, 100 %`);
  });

  test("zooms with a click, out again with a click on the root, and says where a function stands", async () => {
    const page = await openSynthetic();
    const block = page.locator(FIRST);
    let x = 30;
    const at = async (depth: number): Promise<readonly [number, number]> => {
      const area = await areaOf(block.locator("canvas"));
      return [area.x + x++, area.y + depth * ROW + 10];
    };
    const tipAt = async (depth: number): Promise<string> => {
      await page.mouse.move(...(await at(depth)));
      return textOf(page.locator(".tip"));
    };
    await expect
      .poll(() => tipAt(3), PATIENCE)
      .toMatch(
        /hydrateSession\s+with what it calls\s+\d.*B, [\d.]+ %\s+itself\s+\d.*B, [\d.]+ %\s+src\/session\.ts:48/,
      );
    await page.mouse.click(...(await at(3)));
    const trail = block.locator(".trail button");
    expect(await trail.allInnerTexts()).toEqual(["Kept", "onIncoming", "handleRequest", "hydrateSession"]);
    await page.mouse.click(...(await at(2)));
    expect(await trail.allInnerTexts()).toEqual(["Kept", "onIncoming", "handleRequest"]);
    await page.mouse.click(...(await at(0)));
    expect(await block.locator(".trail").isHidden()).toBe(true);
  });

  test("works from the keyboard, and says what it points at", async () => {
    const page = await openSynthetic();
    const block = page.locator(FIRST);
    await block.locator("canvas").focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
    const spoken = page.locator(".visually-hidden[aria-live]");
    expect(await textOf(spoken)).toMatch(
      /^handleRequest, with what it calls \d.*B, [\d.]+ %, itself 0 B, 0 %, src\/server\.ts:31$/,
    );
    await page.keyboard.press("Enter");
    expect(await block.locator(".trail button").last().textContent()).toBe("handleRequest");
    await page.keyboard.press("Escape");
    expect(await block.locator(".trail button").last().textContent()).toBe("onIncoming");
    await page.keyboard.press("Escape");
    expect(await block.locator(".trail").isHidden()).toBe(true);
    await block.locator(".choices button").first().focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await block.locator(".choices button").last().getAttribute("aria-pressed")).toBe("true");
  });

  test("is a table, too, of what is in view", async () => {
    const page = await openSynthetic();
    const block = page.locator(FIRST);
    await block.locator(".flame-table summary").click();
    const rows = async (): Promise<readonly string[]> =>
      (await block.locator("tbody tr").allInnerTexts()).map((text) => plain(text).replaceAll(/\s+/g, " "));
    await expect.poll(async () => (await rows())[0], PATIENCE).toMatch(/^level 0: Kept \d.*B 100 % 0 B$/);
    const all = await rows();
    expect(all.find((row) => row.includes("hydrateSession"))).toMatch(
      /^level 3: hydrateSession src\/session\.ts:48 \d.*B [\d.]+ % \d.*B$/,
    );
    expect(all.find((row) => row.includes("priceLine"))).toMatch(/^level 5: priceLine \(inlined\) src\/cart\.ts:164 /);
    expect(all.some((row) => / other /.test(row))).toBe(true);
    await block.locator("canvas").focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
    expect((await rows())[0]).toMatch(/^level 0: handleRequest .* 100 %/);
  });

  test("shows hostile names as the text they are", async () => {
    const page = await openSynthetic({ rename: hostile });
    const block = page.locator(FIRST);
    const attack = 'onIncoming<img src="x" onerror="globalThis.broken = true">';
    await block.locator(".flame-table summary").click();
    await expect.poll(() => textOf(block.locator(".flame-rows")), PATIENCE).toContain(attack);
    const area = await areaOf(block.locator("canvas"));
    await page.mouse.move(area.x + 30, area.y + ROW + 10);
    await expect.poll(() => textOf(page.locator(".tip")), PATIENCE).toContain(attack);
    await page.mouse.click(area.x + 30, area.y + ROW + 10);
    expect(await textOf(block.locator(".trail"))).toContain(attack);
    expect(await page.locator("html").evaluate((html) => "broken" in html.ownerDocument.defaultView)).toBe(false);
    expect(await page.locator("img, svg, iframe, body script").count()).toBe(0);
  });

  test("is drawn when its spike is opened, and missing for all but the longest", async () => {
    const page = await openSynthetic({ spikeMs: 3 });
    const second = page.locator(".spike").nth(1);
    expect(await second.locator("canvas").count()).toBe(0);
    await second.locator("summary").first().click();
    await expect.poll(() => second.locator("canvas").count(), PATIENCE).toBe(1);
    for (const _ of [1, 2]) await page.locator("button.more").click();
    const late = page.locator(".spike").nth(60);
    await late.locator("summary").first().click();
    expect(await textOf(late.locator(".spike-flame"))).toContain(
      "Only the 60 longest spikes have a flame graph of their own in this file.",
    );
    expect(await late.locator("canvas").count()).toBe(0);
  });

  test("is not there for a spike that no code allocated", async () => {
    const view = syntheticView();
    const spikes = view.report.spikes.map((spike) => ({ ...spike, sites: [] }));
    const page = await open({ ...view, flames: [], report: { ...view.report, spikes } });
    expect(await page.locator(".spike-flame").count()).toBe(0);
  });
});

describe("the page", () => {
  test("changes to another isolate", async () => {
    const view = syntheticView({ workers: ["hash-worker"] });
    const page = await open(view);
    const second = view.report.isolates[1]?.gc.pauses.maxMs ?? 0;
    expect(await textOf(page.locator(".figures"))).not.toContain(formatMs(second));
    await page.locator("#isolate").selectOption("4121-1");
    expect(await textOf(page.locator(".figures"))).toContain(formatMs(second));
    // In print, where there is no choice to be seen, too.
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("#isolate").isVisible()).toBe(false);
    expect(await textOf(page.locator(".whose:visible"))).toContain(view.isolates[1]?.name);
    await page.emulateMedia({ media: "screen" });
    expect(await page.locator("#timeline figure.plot").count()).toBe(6);
    await drag(page, await areaOf(plotArea(page, "Pauses")), 0.3, 0.4);
    await waitForView(page, PART);
  });

  test("is light or dark as the system is, or as its reader says", async () => {
    const page = await open(syntheticView(), { colorScheme: "dark" });
    expect(await theme(page)).toBe("dark");
    expect(await pixelsOf(page, "Pauses", "scavenge")).toBeGreaterThan(1000);
    await page.getByRole("button", { name: "Switch to light colours" }).click();
    expect(await theme(page)).toBe("light");
    await expect.poll(() => pixelsOf(page, "Pauses", "scavenge"), PATIENCE).toBeGreaterThan(1000);
    await page.getByRole("button", { name: "Switch to dark colours" }).click();
    await page.emulateMedia({ colorScheme: "light" });
    expect(await theme(page)).toBe("dark");
  });

  test("prints on white", async () => {
    const page = await open(syntheticView(), { colorScheme: "dark" });
    const html = page.locator("html");
    await html.evaluate((element) => {
      element.ownerDocument.defaultView.addEventListener("beforeprint", () => {
        element.setAttribute("data-printed", element.getAttribute("data-theme"));
      });
    });
    expect((await page.pdf()).length).toBeGreaterThan(20_000);
    expect(await html.getAttribute("data-printed")).toBe("light");
    expect(await theme(page)).toBe("dark");
  });

  test.each([
    ["plain", (text: string) => text],
    ["hostile", hostile],
  ])("fits a phone, with %s names", async (_name, rename) => {
    const view = syntheticView({
      rename,
      workers: ["hash-worker"],
      tags: true,
      warnings: [{ code: "w", message: "missing", hint: "try" }],
    });
    const page = await open(view, PHONE);
    const width = (): Promise<number> => page.locator("html").evaluate((html) => html.scrollWidth);
    expect(await width()).toBe(390);
    const rightEdges = await page
      .locator("canvas")
      .evaluateAll((canvases) => canvases.map((canvas) => canvas.getBoundingClientRect().right));
    expect(Math.max(...rightEdges)).toBeLessThanOrEqual(390);
    await page.setViewportSize({ width: 844, height: 390 });
    const chartWidth = async (): Promise<number> => (await page.locator(".uplot").first().boundingBox())?.width ?? 0;
    await expect.poll(chartWidth, PATIENCE).toBeGreaterThan(700);
    expect(await width()).toBe(844);
  });

  test("shows hostile names as the text they are", async () => {
    const view = syntheticView({
      rename: hostile,
      workers: ["w"],
      tags: true,
      warnings: [{ code: "w", message: "missing", hint: "try" }],
    });
    const page = await open(view);
    const html = page.locator("html");
    expect(await html.evaluate((element) => "broken" in element.ownerDocument.defaultView)).toBe(false);
    expect(await page.locator("img, svg, iframe, body script").count()).toBe(0);
    const text = (await page.locator("body").textContent()) ?? "";
    expect(text).toContain("globalThis.broken = true");
    expect(text).toMatch(/<img src="x"|<svg onload|<\/script>/);
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069]|\p{Cs}/u);
    expect(await textOf(page.locator(".lane h3").first())).toContain("GET /checkout");
    expect(await textOf(page.locator("#causes .site").first())).toContain("hydrateSession");
    const canvas = await areaOf(page.locator("#allocations .flame canvas"));
    await page.mouse.move(canvas.x + 30, canvas.y + 3 * 21 + 10);
    await expect.poll(() => textOf(page.locator(".tip")), PATIENCE).toContain("hydrateSession");
    // Where the page is laid out anew meanwhile, the tip goes until the mouse moves again.
    let x = canvas.x + 30;
    const tipHeight = async (): Promise<number> => {
      await page.mouse.move(x++, canvas.y + 3 * 21 + 10);
      return (await page.locator(".tip").boundingBox())?.height ?? Number.POSITIVE_INFINITY;
    };
    await expect.poll(tipHeight, PATIENCE).toBeLessThan(400);
  });

  test("has names for everything that can be used", async () => {
    const page = await openSynthetic({ workers: ["hash-worker"] });
    const usable = page.locator("button, a, input, select, [tabindex='0']").filter({ visible: true });
    const unnamed = await usable.evaluateAll((elements) =>
      elements
        .filter((element) => `${element.getAttribute("aria-label") ?? ""}${element.textContent}`.trim() === "")
        .map((element) => element.outerHTML.slice(0, 100)),
    );
    expect(unnamed).toEqual([]);
    expect(await page.locator("main").count()).toBe(1);
    expect(await page.locator("h1").count()).toBe(1);
    const labels = await page
      .locator(".plot-frame")
      .evaluateAll((frames) => frames.map((frame) => frame.getAttribute("aria-label") ?? ""));
    expect(labels.find((label) => label.startsWith("Pause timeline"))).toMatch(/318\spauses in 72\.4\ss,/);
    for (const label of labels) expect(label).toMatch(/\d/);
  });
});

/** Opens reports in a real, headless Chromium and keeps an eye on everything that a report must not do. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { rolldown } from "rolldown";
import { renderHtml } from "../../src/report/html.ts";
import type { HtmlAssets } from "../../src/report/html-page.ts";
import type { PageView } from "../../src/report/view-model.ts";

const client = (name: string): string => fileURLToPath(new URL(`../../src/report/client/${name}`, import.meta.url));

/** As in scripts/build.mjs. */
const PAGES = {
  report: { entry: "main.ts", styles: ["report.css"] },
  compare: { entry: "compare/main.ts", styles: ["report.css", "compare/compare.css"] },
} as const;

/** Bundles the browser code as scripts/build.mjs does, in memory, so that no test ever sees a stale build. */
export async function bundleAssets(page: "report" | "compare" = "report"): Promise<HtmlAssets> {
  const { entry, styles } = PAGES[page];
  const bundle = await rolldown({ input: client(entry), platform: "browser", logLevel: "warn" });
  const { output } = await bundle.generate({ format: "iife", minify: true });
  await bundle.close();
  return { script: output[0].code, style: styles.map((name) => readFileSync(client(name), "utf8")).join("") };
}

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: process.env.GCSPIKE_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-quic",
      "--no-first-run",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface Watched {
  /** Console errors and warnings, uncaught errors, policy violations, dialogs: a good page has none. */
  readonly complaints: readonly string[];
  /** Addresses that the page asked for: a good one asks for its own files alone. */
  readonly requests: readonly string[];
}

export interface OpenReport extends Watched {
  readonly page: Page;
  readonly address: string;
  /** From navigation to the page being drawn. */
  readonly openedMs: number;
  close(): Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** What follows the `#` of the address. */
  readonly fragment?: string;
  /** The page is expected to say that it cannot be drawn. */
  readonly expectFailure?: boolean;
}

export function watch(page: Page): Watched {
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => requests.push(request.url()));
  return { complaints, requests };
}

/** Writes the HTML to a file and opens it from there, as a reader does. */
export async function openReport(browser: Browser, html: Uint8Array, options: OpenOptions = {}): Promise<OpenReport> {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-html-"));
  const file = join(folder, "report.html");
  writeFileSync(file, html);
  const { fragment, expectFailure = false, ...contextOptions } = options;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...contextOptions });
  const page = await context.newPage();
  const { complaints, requests } = watch(page);
  const address = pathToFileURL(file).href;
  const started = performance.now();
  await page.goto(fragment === undefined ? address : `${address}#${fragment}`);
  await page.waitForSelector(expectFailure ? "p.empty" : "html[data-ready]", { state: "attached" });
  const openedMs = performance.now() - started;
  const close = async (): Promise<void> => {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { page, complaints, requests, address, openedMs, close };
}

/** Renders a view and opens it. */
export async function openView(
  browser: Browser,
  assets: HtmlAssets,
  view: PageView,
  options: OpenOptions = {},
): Promise<OpenReport> {
  return await openReport(browser, renderHtml(view, assets), options);
}

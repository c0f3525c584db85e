/** The docs site as a reader has it: built, and opened from files by a real browser. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, type Watched, watch } from "../support/browser.ts";
import { ROOT, temporaryFolder } from "../support/cli.ts";

const folder = temporaryFolder("gcspike-site-");
let browser: Browser;
/** Of the HTML files, in the site. */
let files: readonly string[];

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, "scripts", "site.mjs"), folder.path], { stdio: "pipe" });
  files = filesBelow(folder.path).filter((name) => name.endsWith(".html"));
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  folder.remove();
});

function filesBelow(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, encoding: "utf8" }).sort();
}

interface Opened extends Watched {
  readonly page: Page;
  readonly goTo: (file: string) => Promise<void>;
}

async function withPage(use: (opened: Opened) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const goTo = async (file: string): Promise<void> => {
    await page.goto(pathToFileURL(join(folder.path, file)).href);
  };
  await use({ page, ...watch(page), goTo });
  await context.close();
}

interface References {
  readonly ids: readonly string[];
  /** Absolute. */
  readonly links: readonly string[];
  /** As they are written. */
  readonly loaded: readonly string[];
}

function references(page: Page): Promise<References> {
  return page.evaluate<References>(`({
    ids: Array.from(document.querySelectorAll("[id]"), ({ id }) => id),
    links: Array.from(document.querySelectorAll("a"), ({ href }) => href),
    loaded: Array.from(document.querySelectorAll("link, script, img, iframe, source, use, form"), (element) =>
      ["href", "src", "srcset", "action"].map((name) => element.getAttribute(name) ?? "").join(""),
    ),
  })`);
}

test("there is a page for each Markdown file, and no other", () => {
  const markdown = ["README.md", "CHANGELOG.md", ...filesBelow(join(ROOT, "docs")).map((name) => `docs/${name}`)];
  const expected = markdown
    .filter((name) => name.endsWith(".md"))
    .map((name) => name.replace(/README\.md$/, "index.md").replace(/\.md$/, ".html"));
  expect(files).toEqual(expected.sort());
});

test("every link leads to a file and an anchor that are there; nothing is loaded from elsewhere", async () => {
  await withPage(async ({ page, complaints, requests, goTo }) => {
    const found = new Map<string, References>();
    for (const file of files) {
      await goTo(file);
      found.set(pathToFileURL(join(folder.path, file)).href, await references(page));
    }
    for (const [address, { ids, links, loaded }] of found) {
      expect(ids, address).toEqual([...new Set(ids)]);
      for (const one of loaded) expect(one, address).toMatch(/^(data:,|(\.\.\/)*[\w./-]+)$/);
      for (const link of links) {
        if (/^https:\/\//.test(link)) continue;
        const [target = "", anchor] = link.split("#");
        expect(target.startsWith(`${pathToFileURL(folder.path).href}/`), `${address} links to ${link}`).toBe(true);
        expect(existsSync(fileURLToPath(target)), `${address} links to ${link}`).toBe(true);
        if (anchor === undefined) continue;
        expect(found.get(target)?.ids, `${address} links to ${link}`).toContain(decodeURIComponent(anchor));
      }
    }
    for (const url of requests) expect(url).toMatch(/^(file:|data:)/);
    expect(complaints).toEqual([]);
  });
});

test("from the first page, the navigation leads to every other one, and the next one to all in turn", async () => {
  await withPage(async ({ page, goTo }) => {
    await goTo("index.html");
    const listed = await page.evaluate<readonly string[]>(
      `Array.from(document.querySelectorAll("nav a:not([href^='#'])"), ({ href }) => href)`,
    );
    expect(listed.map((href) => href.slice(pathToFileURL(folder.path).href.length + 1)).sort()).toEqual(files);
    const visited = [page.url()];
    while ((await page.locator("footer a[rel=next]").count()) > 0) {
      await page.click("footer a[rel=next]");
      visited.push(page.url());
    }
    expect(visited).toEqual(listed);
  });
});

test("where the list of pages is longer than the window, it shows the page that one is on", async () => {
  await withPage(async ({ page, goTo }) => {
    for (const file of ["index.html", "docs/HACKING.html"]) {
      await goTo(file);
      const { y = -1, height = 0 } = (await page.locator("nav a[aria-current]").boundingBox()) ?? {};
      expect(y).toBeGreaterThan(0);
      expect(y + height).toBeLessThan(900);
      expect(await page.evaluate("scrollY")).toBe(0);
    }
  });
});

describe("search", () => {
  test.each([
    ["index.html", "descheduled", "docs/causes/descheduled.html"],
    ["docs/causes/unknown.html", "flight recorder", "docs/flight-recorder.html"],
    ["docs/cli.html", "exit codes", "docs/cli.html#exit-codes"],
    ["docs/cli.html", "  Zyzzyva ", null],
  ])("on %s, %j", async (file, words, target) => {
    await withPage(async ({ page, complaints, requests, goTo }) => {
      await goTo(file);
      await page.keyboard.press("/");
      await page.keyboard.type(words);
      await page.waitForSelector("#found p:not(:empty)");
      if (target === null) {
        expect(await page.textContent("#found p")).toBe("Nothing found.");
      } else {
        await page.keyboard.press("Enter");
        await page.waitForURL(
          pathToFileURL(join(folder.path, target.split("#")[0] ?? "")).href + (/#.*$/.exec(target)?.[0] ?? ""),
        );
      }
      for (const url of requests) expect(url).toMatch(/^(file:|data:)/);
      expect(complaints).toEqual([]);
    });
  });

  test("shows where it was found, as text, and is worked with the keyboard", async () => {
    await withPage(async ({ page, complaints, goTo }) => {
      await goTo("index.html");
      await page.fill("input[type=search]", "<isolate>");
      await page.waitForSelector("#found mark");
      expect(new Set(await page.locator("#found mark").allTextContents())).toEqual(new Set(["<isolate>"]));
      expect(await page.locator("#found isolate").count()).toBe(0);
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      expect(await page.locator("#found li:nth-child(2) a:focus").count()).toBe(1);
      await page.keyboard.press("Escape");
      expect(await page.locator("#found").isVisible()).toBe(false);
      expect(complaints).toEqual([]);
    });
  });
});

test("fits a phone: nothing but tables and code is wider, and those scroll by themselves", async () => {
  await withPage(
    async ({ page, goTo }) => {
      for (const file of files) {
        await goTo(file);
        expect(await page.evaluate("document.documentElement.scrollWidth"), file).toBeLessThanOrEqual(390);
      }
    },
    { viewport: { width: 390, height: 844 } },
  );
});

test("is dark where the system is, and prints without what is for the screen", async () => {
  await withPage(async ({ page, goTo }) => {
    const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    await goTo("docs/cli.html");
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await background()).not.toBe(light);
    await page.emulateMedia({ colorScheme: "dark", media: "print" });
    expect(await background()).toBe("rgb(255, 255, 255)");
    for (const part of ["header", "nav", "footer"]) expect(await page.locator(part).isVisible()).toBe(false);
    expect(await page.locator("main h1").isVisible()).toBe(true);
  });
});

test("a folder that has anything in it is left alone", () => {
  const again = () =>
    execFileSync(process.execPath, [join(ROOT, "scripts", "site.mjs"), folder.path], { stdio: "pipe" });
  expect(again).toThrow("is not empty");
});

test.runIf(process.platform === "linux")("a folder that cannot be made is said", () => {
  const made = () =>
    execFileSync(process.execPath, [join(ROOT, "scripts", "site.mjs"), "/proc/site"], {
      stdio: "pipe",
      timeout: 20_000,
    });
  expect(made).toThrow("ENOENT");
});

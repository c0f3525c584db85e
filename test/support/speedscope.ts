/** Opens a profile in speedscope itself, as `npx speedscope FILE` does: its page, and the file as a script that it loads. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";

const require = createRequire(import.meta.url);
const RELEASE = join(dirname(require.resolve("speedscope/package.json")), "dist", "release");

export interface Opened {
  /** Of the page: the profile's name, once it is loaded. */
  readonly title: string;
  readonly text: string;
  /** Uncaught errors and dialogs. */
  readonly complaints: readonly string[];
}

export async function openInSpeedscope(browser: Browser, file: string): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-speedscope-"));
  const script = join(folder, "profile.js");
  const base64 = readFileSync(file).toString("base64");
  writeFileSync(script, `speedscope.loadFileFromBase64(${JSON.stringify(basename(file))}, ${JSON.stringify(base64)})`);
  const page = await browser.newPage();
  try {
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("dialog", (dialog) => {
      complaints.push(dialog.message());
      void dialog.dismiss();
    });
    await page.goto(`${pathToFileURL(join(RELEASE, "index.html")).href}#localProfilePath=${script}`);
    await page.waitForFunction(`document.title !== "speedscope" || document.body.innerText.includes("went wrong")`);
    return { title: await page.title(), text: await page.innerText("body"), complaints };
  } finally {
    await page.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

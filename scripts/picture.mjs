// Draws the README's picture of a report again: docs/report.png, from what `npm start` records. Needs Debian's chromium.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { at, must } from "./lib.mjs";

const folder = mkdtempSync(join(tmpdir(), "gcspike-picture-"));
const recording = join(folder, "retained-sessions.gcspike");
const report = join(folder, "report.html");
const gcspike = (...words) => must(process.execPath, [at("bin", "gcspike.js"), ...words]);
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
try {
  gcspike("record", "-o", recording, "--", "node", at("fixtures", "retained-sessions.mjs"));
  // Few spikes, so that the timeline is in the picture.
  gcspike("report", recording, "--spike", "15ms", "-o", report);
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  await page.goto(pathToFileURL(report).href);
  await page.waitForSelector("html[data-ready]", { state: "attached" });
  const timeline = await page.locator("#timeline").boundingBox();
  const height = Math.round(timeline.y + timeline.height);
  await page.screenshot({ path: at("docs", "report.png"), clip: { x: 0, y: 0, width: 1200, height }, fullPage: true });
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Finds the built browser code of the HTML report. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GcspikeError } from "../lib/errors.ts";
import { packageRoot } from "../lib/package.ts";
import type { HtmlAssets } from "./html-page.ts";

/**
 * Reads the script and the style of a page from dist/assets; all pages begin with the report's style.
 * Throws GcspikeError "no-assets" where they were not built.
 */
export function loadAssets(page: "report" | "compare"): HtmlAssets {
  const folder = join(packageRoot(), "dist", "assets");
  try {
    return {
      script: readFileSync(join(folder, `${page}.js`), "utf8"),
      style: readFileSync(join(folder, `${page}.css`), "utf8"),
    };
  } catch (cause) {
    throw new GcspikeError("no-assets", `The HTML page's browser code is missing in ${folder}.`, {
      hint: "Run `npm run build` in a checkout, or install gcspike again.",
      cause,
    });
  }
}

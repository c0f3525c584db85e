/** Finds the built browser code of the HTML report. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GcspikeError } from "../lib/errors.ts";
import { packageRoot } from "../lib/package.ts";
import type { HtmlAssets } from "./html.ts";

/** Reads dist/assets/report.js and report.css. Throws GcspikeError "no-assets" where they were not built. */
export function loadAssets(): HtmlAssets {
  const folder = join(packageRoot(), "dist", "assets");
  try {
    return {
      script: readFileSync(join(folder, "report.js"), "utf8"),
      style: readFileSync(join(folder, "report.css"), "utf8"),
    };
  } catch (cause) {
    throw new GcspikeError("no-assets", `The HTML report's browser code is missing in ${folder}.`, {
      hint: "Run `npm run build` in a checkout, or install gcspike again.",
      cause,
    });
  }
}

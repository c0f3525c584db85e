// Before `npm pack` and `npm publish`: everything is built, and nobody publishes a package without a binary that belongs in it.
import { existsSync } from "node:fs";
import { at, must } from "./lib.mjs";
import { BINARIES } from "./package-files.mjs";
import { setUp } from "./setup.mjs";

setUp({ everyNode: true });
must(process.execPath, [at("scripts", "build.mjs"), "--cross"]);
const missing = BINARIES.filter((name) => !existsSync(at("prebuilds", name)));
if (missing.length > 0) {
  console.error(`Not packed: prebuilds/ lacks ${missing.join(", ")}.`);
  process.exit(1);
}

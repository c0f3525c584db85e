// From a fresh clone to something that runs: packages, dist/ and the probe. Each step is skipped where nothing changed.
import { existsSync, readFileSync } from "node:fs";
import { at, installOtherNodes, must, npm } from "./lib.mjs";

/** Does node_modules hold what package-lock.json says? Packages for other machines may be missing. */
function isInstalled() {
  const hidden = at("node_modules", ".package-lock.json");
  if (!existsSync(hidden)) return false;
  const wanted = JSON.parse(readFileSync(at("package-lock.json"), "utf8")).packages;
  const found = JSON.parse(readFileSync(hidden, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === "" || found[path]?.version === version || (optional && !(path in found)),
  );
}

/** `everyNode`: the probe also for the other Node versions that the tests run on. */
export function setUp({ everyNode }) {
  const [major] = process.versions.node.split(".");
  if (Number(major) < 20) {
    console.error(`gcspike needs Node 20 or later; this is ${process.version}.`);
    process.exit(1);
  }
  if (!isInstalled()) {
    console.error("Installing packages");
    npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  }
  if (everyNode) installOtherNodes();
  must(process.execPath, [at("scripts", "build.mjs")]);
  must(process.execPath, [at("scripts", "build.mjs"), "--native", ...(everyNode ? [] : ["--this-node"])]);
}

/** The Node versions that a benchmark runs on. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { installOtherNodes, otherNodes } from "../../scripts/lib.mjs";

/** [{version: "20.20.2", path}], each major version once: the Node that runs this, and those that the tests run on. */
export function findNodes() {
  installOtherNodes();
  const nodes = new Map();
  for (const path of [process.execPath, ...otherNodes().map((folder) => join(folder, "bin", "node"))]) {
    const version = execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" }).trim();
    const major = version.split(".")[0];
    if (!nodes.has(major)) nodes.set(major, { version, path });
  }
  return [...nodes.values()].sort((a, b) => a.version.localeCompare(b.version));
}

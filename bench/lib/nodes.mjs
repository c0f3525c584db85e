/** The Node versions that a benchmark runs on. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/**
 * [{version: "20.20.2", path}], each major version once: this Node, the packages node-22, node-24 and node-26 where npm installed
 * them, and the paths in the environment variable NODE_BINARIES, separated by colons.
 */
export function findNodes() {
  const packaged = ["node-22", "node-24", "node-26"].map((name) => join(root, "node_modules", name, "bin", "node"));
  const given = (process.env.NODE_BINARIES ?? "").split(":").filter((path) => path !== "");
  const nodes = new Map();
  for (const path of [process.execPath, ...given, ...packaged.filter(existsSync)]) {
    const version = execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" }).trim();
    const major = version.split(".")[0];
    if (!nodes.has(major)) nodes.set(major, { version, path });
  }
  return [...nodes.values()].sort((a, b) => a.version.localeCompare(b.version));
}

/** The Node versions to test on: the one that runs the tests, and those that scripts/setup.mjs installed. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./cli.ts";

export interface NodeVersion {
  /** "v24.21.0" */
  readonly version: string;
  /** Path of the executable. */
  readonly path: string;
}

function installed(): NodeVersion[] {
  const folder = join(ROOT, "build", "node-versions", "node_modules");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^node-\d+$/.test(name))
    .sort()
    .map((name) => join(folder, name, "bin", "node"))
    .map((path) => ({ path, version: execFileSync(path, ["--version"], { encoding: "utf8" }).trim() }));
}

export const NODES: readonly NodeVersion[] = [{ version: process.version, path: process.execPath }, ...installed()];

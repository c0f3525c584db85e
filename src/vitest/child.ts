/** A test's function as a program of its own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Vite writes `import("./x.js")` in a test file as a call of one of these, and the name from its root on: "/test/x.js". The child's own
 * `import` stands in a text, so that it is never written so.
 */
const PRELUDE = `
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

function locate(name, testFile) {
  if (name.startsWith(".")) return resolve(dirname(testFile), name);
  if (!name.startsWith("/")) return createRequire(testFile).resolve(name);
  let folder = dirname(testFile);
  while (folder !== dirname(folder) && !existsSync(join(folder, name))) folder = dirname(folder);
  return existsSync(join(folder, name)) ? join(folder, name) : name;
}
function load(written) {
  const name = written.replace(/^\\/@fs/, "").replace(/\\?.*$/, "");
  return import(name.startsWith("node:") ? name : pathToFileURL(locate(name, testFile)).href);
}
globalThis.__vite_ssr_dynamic_import__ = load;
globalThis.__vi_import__ = load;
`;

/** Writes the program into `folder`; returns its path. `testFile` is absolute. */
export function writeChild(folder: string, work: () => unknown, testFile: string): string {
  const path = join(folder, "child.mjs");
  writeFileSync(
    path,
    `const testFile = ${JSON.stringify(testFile)};${PRELUDE}const work = (${String(work)});\nawait work();\n`,
  );
  return path;
}

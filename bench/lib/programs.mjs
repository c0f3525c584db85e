/** The programs that benchmarks record: the fixtures, and real programs where they are installed. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Path of a fixture. */
export function fixture(name) {
  return join(root, "fixtures", name);
}

function javascriptIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/**
 * TypeScript's own compiler (the JavaScript one, up to version 5.9) checking the sources of three.js: [script, ...arguments], or
 * null where `folder`, which BENCH_MODULES names (a node_modules with typescript@5.9, @types/node and three), does not have them.
 */
export function typescriptCompiler(
  folder = process.env.BENCH_MODULES ?? join(root, "build", "programs", "node_modules"),
) {
  const script = join(folder, "typescript", "lib", "_tsc.js");
  const sources = join(folder, "three", "src");
  if (!existsSync(script) || !existsSync(sources)) return null;
  const options =
    "--allowJs --checkJs --noEmit --skipLibCheck --target es2022 --module esnext --moduleResolution bundler";
  const types = ["--types", "node", "--typeRoots", join(folder, "@types")];
  return [script, ...options.split(" "), ...types, ...javascriptIn(sources)];
}

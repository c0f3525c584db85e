/** Where this package's own files are, whether it runs from its sources or from dist/. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder: the nearest one above this file with a package.json. Bundling moves files, so no fixed `..` works. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("gcspike's package.json is missing: the installation is incomplete.");
    folder = parent;
  }
  return folder;
}

/** gcspike's version, such as "0.1.0". */
export function packageVersion(): string {
  const manifest: { readonly version: string } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8"));
  return manifest.version;
}

// Modules of src/, bundled for a benchmark: TypeScript, which Node 20 does not run.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { at } from "../../scripts/lib.mjs";

/** Everything that the modules `names` of `folder` export, in one object. */
export async function load(folder, ...names) {
  const dir = at("build", "bench", ...folder.split("/"));
  const input = Object.fromEntries(names.map((name) => [name, at(folder, `${name}.ts`)]));
  const build = await rolldown({ input, platform: "node", logLevel: "warn" });
  await build.write({ dir, format: "esm" });
  await build.close();
  const modules = await Promise.all(names.map((name) => import(pathToFileURL(join(dir, `${name}.js`)).href)));
  return Object.assign({}, ...modules);
}

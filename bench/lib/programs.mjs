/** The programs that benchmarks record: the fixtures, and real programs from npm. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { at, installInto } from "../../scripts/lib.mjs";

const PACKAGES = {
  "@types/node": "^24.0.0",
  eslint: "^9.39.0",
  fastify: "^5.6.0",
  "json-server": "~0.17.4",
  three: "^0.180.0",
  // The last compiler that is JavaScript.
  typescript: "~5.9.3",
  webpack: "^5.102.0",
};
const folder = at("build", "programs");
const modules = join(folder, "node_modules");

/** Path of a fixture. */
export function fixture(name) {
  return at("fixtures", name);
}

function javascriptIn(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function typescriptCompiler(sources) {
  const options =
    "--allowJs --checkJs --noEmit --skipLibCheck --target es2022 --module esnext --moduleResolution bundler";
  const types = ["--types", "node", "--typeRoots", join(modules, "@types")];
  return [join(modules, "typescript", "lib", "_tsc.js"), ...options.split(" "), ...types, ...javascriptIn(sources)];
}

/**
 * Programs that nobody here wrote, over the sources of three.js or under load, as {name, command: [script, ...arguments]};
 * installed into build/programs first, where they are not there yet.
 */
export function realPrograms() {
  installInto(folder, PACKAGES, "TypeScript, webpack, eslint, fastify, json-server and three.js");
  const sources = join(modules, "three", "src");
  const programs = (name) => at("bench", "programs", name);
  return [
    { name: "typescript", command: typescriptCompiler(sources) },
    { name: "webpack", command: [programs("webpack.cjs"), modules] },
    { name: "eslint", command: [programs("eslint.cjs"), modules] },
    { name: "fastify", command: [programs("fastify.cjs"), modules] },
    { name: "json-server", command: [programs("json-server.cjs"), modules] },
  ];
}

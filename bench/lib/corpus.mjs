/**
 * Programs with a known answer: fixtures/causes, or any folder laid out like it. Each program is a folder with an answer.json:
 *
 *     cause         what its spikes come from; null for a program that has nothing wrong
 *     contributing  other causes that a report may name beside it
 *     sites         {function, file} that may stand first among the sites (any of them; none where the cause has no site);
 *                   `file` is the end of a path
 *     script        what Node runs, in the folder
 *     build         "tsc" or "bundle" (minified) where the script is TypeScript: both with source maps, into build/corpus
 *     flags         for Node
 *     spike         the threshold, where 10 ms is not right
 *     calm          environment in which the fault is not there, where that can be had
 *     why           a sentence
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { rolldown } from "rolldown";
import { at, must } from "../../scripts/lib.mjs";

const COMPILER_OPTIONS = [
  ..."--target es2022 --module esnext --moduleResolution bundler --types node --strict --skipLibCheck".split(" "),
  ..."--allowImportingTsExtensions --rewriteRelativeImportExtensions --sourceMap --ignoreConfig".split(" "),
];

function compile(script, outDir) {
  const types = ["--typeRoots", at("node_modules", "@types")];
  const words = [
    at("node_modules", "typescript", "bin", "tsc"),
    ...COMPILER_OPTIONS,
    ...types,
    "--outDir",
    outDir,
    script,
  ];
  must(process.execPath, words);
  return join(outDir, basename(script).replace(/ts$/, "js"));
}

async function bundle(script, outDir, minify) {
  const file = join(outDir, basename(script).replace(/ts$/, "js"));
  const build = await rolldown({ input: script, platform: "node", logLevel: "warn" });
  await build.write({ file, format: "esm", minify, sourcemap: true });
  await build.close();
  return file;
}

async function build({ build: how, script }, folder, name, minify) {
  const source = join(folder, script);
  if (how === undefined) return source;
  const outDir = at("build", "corpus", name);
  mkdirSync(outDir, { recursive: true });
  writeFileSync(join(outDir, "package.json"), '{ "type": "module" }\n');
  return how === "tsc" ? compile(source, outDir) : await bundle(source, outDir, minify);
}

/** The programs of a corpus by name: {name, folder, answer}. Throws where there are none. */
export function readCorpus(folder = at("fixtures", "causes")) {
  const programs = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "answer.json")))
    .sort()
    .map((name) => {
      const answer = JSON.parse(readFileSync(join(folder, name, "answer.json"), "utf8"));
      return {
        name,
        folder: join(folder, name),
        answer: { contributing: [], sites: [], flags: [], spike: "10ms", ...answer },
      };
    });
  if (programs.length === 0) throw new Error(`${folder} has no folder with an answer.json.`);
  return programs;
}

/** Node's arguments for a program, which is built first where it has to be. */
export async function argumentsOf({ name, folder, answer }, { minify = true } = {}) {
  return [...answer.flags, await build(answer, folder, name, minify)];
}

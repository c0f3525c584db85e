// Do the programs of the corpus have the faults that their answers name? Asks V8's own traces and the kernel, not gcspike
// (bench/lib/corpus-proof.mjs says what), and prints the figure for each. Exit code 1 where one does not hold.
//
//   node bench/corpus-proof.mjs [--corpus DIR] [--only session-store,thumbnails] [--node 20,26]
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { at } from "../scripts/lib.mjs";
import { readCorpus } from "./lib/corpus.mjs";
import { proveCause, proveSites } from "./lib/corpus-proof.mjs";
import { findNodes } from "./lib/nodes.mjs";

const { values: chosen } = parseArgs({
  options: {
    corpus: { type: "string", default: at("fixtures", "causes") },
    only: { type: "string" },
    node: { type: "string" },
  },
});

function print(what, name, version, proof) {
  if (proof === null) return;
  console.log(`${proof.holds ? "holds" : "NOT  "}  ${name} (Node ${version}) ${what}: ${proof.figure}`);
  if (!proof.holds) process.exitCode = 1;
}

const names = chosen.only?.split(",");
const versions = chosen.node?.split(",") ?? [process.versions.node.split(".")[0]];
for (const program of readCorpus(resolve(chosen.corpus)).filter(({ name }) => names?.includes(name) ?? true)) {
  for (const { version, path } of findNodes().filter(({ version }) => versions.includes(version.split(".")[0]))) {
    print(program.answer.cause ?? "nothing", program.name, version, await proveCause(path, program));
    print("site", program.name, version, await proveSites(path, program));
  }
}

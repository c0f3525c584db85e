// The recordings behind docs/cases: a real program as it is, and with the changes that its report suggests or that one would try
// without it; run by run in turn, so that what else the machine does meets all of them, and compared.
//
//   node bench/cases.mjs typescript|webpack|eslint|fastify|json-server [--runs 5] [--only as-is,pinned-32]
//
// The recordings stay in build/cases/NAME, so that every one of them can be reported.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { at, must, succeeds } from "../scripts/lib.mjs";
import { realPrograms } from "./lib/programs.mjs";

const AS_IS = { name: "as-is" };
const largest = (mib) => ({ name: `largest-${mib}`, flags: [`--max-semi-space-size=${mib}`] });
const pinned = (mib) => ({
  name: `pinned-${mib}`,
  flags: [`--min-semi-space-size=${mib}`, `--max-semi-space-size=${mib}`],
});
const old = (mib) => ({ name: `old-${mib}`, flags: [`--initial-old-space-size=${mib}`] });
const change = (name) => ({ name, words: [name] });

/** By program: `flags` are Node's, `words` the program's own. */
const VARIANTS = {
  typescript: [AS_IS, largest(8), pinned(32), pinned(64), old(512)],
  webpack: [AS_IS, pinned(32), pinned(64), old(512)],
  eslint: [AS_IS, pinned(32), pinned(64), old(1024)],
  fastify: [AS_IS, largest(32), pinned(32), change("compact")],
  "json-server": [AS_IS, pinned(32), pinned(64), change("no-sort"), change("no-clone")],
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "5" }, only: { type: "string" } },
});
const [name] = positionals;
const program = realPrograms().find((one) => one.name === name);
if (program === undefined) throw new Error(`Name a program: ${Object.keys(VARIANTS).join(", ")}.`);
const variants = VARIANTS[name].filter((variant) => values.only?.split(",").includes(variant.name) ?? true);
const folder = at("build", "cases", name);
const gcspike = at("bin", "gcspike.js");

const columns = new Map(variants.map((variant) => [variant.name, []]));
mkdirSync(folder, { recursive: true });
for (let run = 1; run <= Number(values.runs); run++) {
  for (const { name: variant, flags = [], words = [] } of variants) {
    const recording = join(folder, `${variant}-${run}.gcspike`);
    rmSync(recording, { recursive: true, force: true });
    const command = [process.execPath, ...flags, ...program.command, ...words];
    // A compiler that finds errors fails, and was recorded all the same.
    succeeds(process.execPath, [gcspike, "record", "-o", recording, "--", ...command], { stdio: "ignore" });
    columns.get(variant).push(recording);
  }
}
must(process.execPath, [
  gcspike,
  "compare",
  ...[...columns].map(([variant, paths]) => `${variant}=${paths.join(",")}`),
]);

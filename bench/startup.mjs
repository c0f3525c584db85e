// How long does `gcspike --help` take against `node -e 0`? Interleaved pairs; prints the ratio of each pair's times.
//
//   node bench/startup.mjs [--pairs 30] [--node /path/to/node]
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median, medianInterval } from "./lib/statistics.mjs";

const { values } = parseArgs({
  options: { pairs: { type: "string", default: "30" }, node: { type: "string", default: process.execPath } },
});
const gcspike = join(dirname(fileURLToPath(import.meta.url)), "..", "bin", "gcspike.js");

function millisecondsOf(...words) {
  const start = performance.now();
  const { status } = spawnSync(values.node, words, { stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) throw new Error(`${values.node} ${words.join(" ")} failed`);
  return performance.now() - start;
}

const bare = [];
const help = [];
// Two pairs to warm up: file caches, and from Node 22 on the compile cache.
for (let pair = -2; pair < Number(values.pairs); pair++) {
  const times = [millisecondsOf("-e", "0"), millisecondsOf(gcspike, "--help")];
  if (pair < 0) continue;
  bare.push(times[0]);
  help.push(times[1]);
}
const ratio = medianInterval(help.map((ms, pair) => ms / bare[pair]));
const version = spawnSync(values.node, ["--version"], { encoding: "utf8" }).stdout.trim();
console.log(
  `Node ${version}, ${help.length} pairs: gcspike --help ${median(help).toFixed(1)} ms, node -e 0 ${median(bare).toFixed(1)} ms, ` +
    `ratio ${ratio.median.toFixed(2)} (95 % interval ${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`,
);

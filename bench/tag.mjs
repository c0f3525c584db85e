// What a tag costs, recorded and not: ns of processor time a call, the median of interleaved runs, next to an empty function.
//
//   node bench/tag.mjs [--runs 5] [--all-nodes]
//
// "one name" is 20,000 calls at once, of which a recording counts most and writes some; "all written" is four calls of each of
// fifty names, every 110 ms, which are all written.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { at } from "../scripts/lib.mjs";
import { findNodes } from "./lib/nodes.mjs";
import { median } from "./lib/statistics.mjs";

const PROGRAM = at("bench", "programs", "tags.mjs");
const CONDITIONS = {
  "not recorded": null,
  recorded: [],
  "recorded by perf_hooks": ["--collector", "perf_hooks"],
};
const WIDTH = 24;

function run(node, flags) {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-tag-"));
  try {
    const record = [at("bin", "gcspike.js"), "record", ...(flags ?? []), "-o", join(folder, "run.gcspike"), "--"];
    const words = flags === null ? [] : [process.execPath, ...record];
    const [file, ...rest] = [...words, node, PROGRAM];
    return JSON.parse(execFileSync(file, rest, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const line = (cells) =>
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(WIDTH) : cell.padStart(18))).join(""));

const { values } = parseArgs({
  options: { runs: { type: "string", default: "5" }, "all-nodes": { type: "boolean", default: false } },
});
const nodes = values["all-nodes"] ? findNodes() : [{ version: process.versions.node, path: process.execPath }];
for (const { version, path } of nodes) {
  const runs = Object.fromEntries(Object.keys(CONDITIONS).map((name) => [name, []]));
  for (let i = 0; i < Number(values.runs); i++) {
    for (const [name, flags] of Object.entries(CONDITIONS)) runs[name].push(run(path, flags));
  }
  for (const how of ["loop", "burst"]) {
    const calls = Object.keys(runs.recorded[0] ?? {});
    line([`${version}, ${how === "loop" ? "one name" : "all written"}`, ...calls]);
    for (const [name, results] of Object.entries(runs)) {
      line([name, ...calls.map((call) => `${median(results.map((result) => result[call][how])).toFixed(1)} ns`)]);
    }
  }
}

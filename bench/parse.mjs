// Does recording slow code that never collects? The shortest time of many for the same batch of JSON.parse, in a bare process and in
// a recorded one, in alternating order. What else runs on the machine can only make a batch longer, so that the shortest of many
// shows differences of 1 % even on a busy machine. Prints the median over the processes and the shortest of all, as ratios.
//
//   node bench/parse.mjs [--processes 15]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "./lib/statistics.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const PROGRAM = join(here, "programs", "parse.mjs");
const GCSPIKE = join(here, "..", "bin", "gcspike.js");
const CONDITIONS = [
  { name: "bare" },
  { name: "bare again" },
  { name: "gcspike", flags: [] },
  { name: "gcspike-probe", flags: ["--no-phases", "--no-allocations"] },
  { name: "perf_hooks", flags: ["--collector", "perf_hooks"] },
];

function shortestBatchMs({ flags }) {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-parse-"));
  try {
    const record = [GCSPIKE, "record", ...(flags ?? []), "-o", join(folder, "run.gcspike"), "--", process.execPath];
    const words = flags === undefined ? [PROGRAM] : [...record, PROGRAM];
    return Number(spawnSync(process.execPath, words, { encoding: "utf8" }).stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { processes: { type: "string", default: "15" } } });
const times = new Map(CONDITIONS.map(({ name }) => [name, []]));
for (let round = 0; round < Number(values.processes); round++) {
  const order = round % 2 === 0 ? CONDITIONS : CONDITIONS.toReversed();
  for (const condition of order) times.get(condition.name).push(shortestBatchMs(condition));
}
const bare = times.get("bare");
console.log(
  "JSON.parse, the shortest batch of a process against the bare one: median over the processes, shortest of all",
);
for (const [name, all] of times) {
  const ratios = [median(all) / median(bare), Math.min(...all) / Math.min(...bare)];
  console.log(`  ${name.padEnd(14)} ${ratios.map((ratio) => ratio.toFixed(3)).join("   ")}`);
}

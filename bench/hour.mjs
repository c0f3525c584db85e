// Does recording an hour grow the target? As many collections and allocation windows as a busy server has in an hour, in a
// minute or two: 108,000 scavenges (30 a second), and a window every 100 ms. Prints the memory of the bare program and of the
// recorded one after a tenth of the work and at its end, resident and of that what is no file's.
//
//   node bench/hour.mjs [--node /path/to/node]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { read } from "../dist/index.js";
import { at } from "../scripts/lib.mjs";

const { values } = parseArgs({ options: { node: { type: "string", default: process.execPath } } });
const SMALLEST_NEW_SPACE = ["--min-semi-space-size=1", "--max-semi-space-size=1"];

/** [resident, of those not from files] in MB, a hundred times. */
async function run(env) {
  const child = spawn(values.node, [...SMALLEST_NEW_SPACE, at("fixtures", "agent", "hour.cjs")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const [printed] = await Promise.all([text(child.stdout), once(child, "exit")]);
  const lines = printed.trim().split("\n");
  return lines.map((line) => JSON.parse(line).map((bytes) => bytes / 1e6));
}

function print(name, memory) {
  const [early, late] = [memory[9], memory.at(-1)].map(([all, own]) => `${all.toFixed(1)} (${own.toFixed(1)})`);
  console.log(`${name.padEnd(9)} after a tenth ${early} MB, at the end ${late} MB resident (no file's)`);
}

const folder = mkdtempSync(join(tmpdir(), "gcspike-hour-"));
try {
  const bare = await run({});
  const agent = {
    schema: "gcspike.agent/1",
    collector: "probe",
    phases: true,
    allocations: true,
    allocationIntervalBytes: 512 * 1024,
    allocationWindowMs: 100,
    liveHeap: false,
    cpu: false,
    probeFolder: at("prebuilds"),
    pprofModule: null,
  };
  writeFileSync(join(folder, "agent.json"), JSON.stringify(agent));
  const recorded = await run({
    GCSPIKE_RECORDING: folder,
    NODE_OPTIONS: `--require "${at("dist", "agent", "preload.cjs")}"`,
  });
  const { isolates, warnings } = await read(folder);
  const [isolate] = isolates;
  print("bare", bare);
  print("recorded", recorded);
  console.log(
    `${isolate.pauses.count} pauses, ${isolate.phases.count} phases, ${isolate.allocations.windows.length} allocation windows`,
  );
  for (const { message } of [...warnings, ...isolate.warnings]) console.log(`warning: ${message}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

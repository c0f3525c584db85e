// What does recording cost a program while it runs? One process of a GC-heavy program and of an HTTP server under load, and gcspike
// attached to it and gone in turn: two processes of the same program differ by more than what is looked for. The process says how much
// CPU a unit of work takes in each tenth of a second; of a time with gcspike or without, the calmest fifth counts, because what else runs
// on a machine only adds to a block. Prints the median ratio over the rounds with its 95 % interval. "nothing" shows how well that can be
// told here. Then what the start of `record` costs: CPU that a program which only loads node:http takes more than bare.
//
//   node bench/steady.mjs [--rounds 20] [--node /path/to/node]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fixture } from "./lib/programs.mjs";
import { median, medianInterval, quantile } from "./lib/statistics.mjs";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "20" }, node: { type: "string", default: process.execPath } },
});
const ROUNDS = Number(values.rounds);
const here = dirname(fileURLToPath(import.meta.url));
const program = (name) => join(here, "programs", name);
const GCSPIKE = join(here, "..", "bin", "gcspike.js");
const PINNED = ["--min-semi-space-size=16", "--max-semi-space-size=16"];
const CALMEST = 0.2;
const WARM_UP_MS = 5000;
/** Attaching and detaching are no part of what is measured. */
const SETTLE_MS = 1200;
const MEASURED_MS = 2500;
const PROBE_ONLY = ["--no-phases", "--no-allocations"];
const CONDITIONS = [
  { name: "nothing", words: null },
  { name: "gcspike", words: [] },
  { name: "gcspike-probe", words: PROBE_ONLY },
];
const PROGRAMS = [
  { name: "http-server", script: fixture("http-server.mjs"), environment: { FIXTURE_SECONDS: "100000" } },
  { name: "gc-heavy", script: program("gc-heavy.mjs"), environment: { BENCH_WORK: "100000" } },
];
const folder = mkdtempSync(join(tmpdir(), "gcspike-steady-"));
const result = join(folder, "result");

function start(words, environment) {
  const env = { ...process.env, ...environment, BENCH_RESULT: result };
  return spawn(words[0], words.slice(1), { stdio: "ignore", env });
}

/** A stretch of time to be measured, ms. */
async function stretch() {
  await sleep(SETTLE_MS);
  const fromMs = Date.now();
  await sleep(MEASURED_MS);
  return { fromMs, toMs: Date.now() };
}

async function attached(pid, words) {
  if (words === null) return stretch();
  const attach = start([process.execPath, GCSPIKE, "attach", String(pid), "-o", join(folder, "run.gcspike"), ...words]);
  const measured = await stretch();
  if (attach.exitCode !== null) throw new Error("gcspike attach failed");
  attach.kill("SIGINT");
  await once(attach, "exit");
  rmSync(join(folder, "run.gcspike"), { recursive: true });
  return measured;
}

/** Stretches with and without gcspike, in alternating order, of one process; by condition pairs of CPU of a unit of work, us. */
async function toggled({ script, environment }) {
  const child = start([values.node, ...PINNED, "--require", program("meter.cjs"), script], environment);
  await sleep(WARM_UP_MS);
  const stretches = new Map(CONDITIONS.map((condition) => [condition, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const condition of round % 2 === 0 ? CONDITIONS : CONDITIONS.toReversed()) {
      stretches.get(condition).push({ on: await attached(child.pid, condition.words), off: await stretch() });
    }
  }
  child.kill();
  await once(child, "exit");
  const blocks = readFileSync(result, "utf8").trim().split("\n").map(JSON.parse);
  const calm = ({ fromMs, toMs }) =>
    quantile(
      blocks.filter((b) => b.fromMs >= fromMs && b.toMs <= toMs).map((b) => b.cpuUs),
      CALMEST,
    );
  return (condition) => stretches.get(condition).map(({ on, off }) => ({ on: calm(on), off: calm(off) }));
}

function interval(figures, digits) {
  const { median: middle, low, high } = medianInterval(figures);
  return `${middle.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
}

async function startCpuMs(script, condition) {
  const command = [values.node, "--require", program("measure.cjs"), script];
  const recorder = [
    process.execPath,
    GCSPIKE,
    "record",
    ...(condition.words ?? []),
    "-o",
    join(folder, "run.gcspike"),
    "--",
  ];
  await once(start(condition.words === null ? command : [...recorder, ...command]), "exit");
  rmSync(join(folder, "run.gcspike"), { recursive: true, force: true });
  return JSON.parse(readFileSync(`${result}.start.mjs.json`, "utf8")).cpuMs;
}

const { stdout } = process;
for (const subject of PROGRAMS) {
  const pairs = await toggled(subject);
  stdout.write(`${subject.name}, CPU of a unit of work, ratio to the same process without gcspike:\n\n`);
  for (const condition of CONDITIONS) {
    const figures = pairs(condition);
    const offUs = median(figures.map(({ off }) => off)).toFixed(2);
    stdout.write(
      `| ${condition.name} | ${interval(
        figures.map(({ on, off }) => on / off),
        4,
      )} | ${offUs} us without |\n`,
    );
  }
  stdout.write("\n");
}

const script = join(folder, "start.mjs");
writeFileSync(script, 'import "node:http"; import "node:child_process";');
const starts = new Map(CONDITIONS.map((condition) => [condition, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const condition of round % 2 === 0 ? CONDITIONS : CONDITIONS.toReversed()) {
    starts.get(condition).push(await startCpuMs(script, condition));
  }
}
const [bare, ...recorded] = CONDITIONS;
stdout.write(`start, CPU more than bare (${median(starts.get(bare)).toFixed(1)} ms):\n\n`);
for (const condition of recorded) {
  const more = starts.get(condition).map((ms, round) => ms - starts.get(bare)[round]);
  stdout.write(`| ${condition.name} | ${interval(more, 1)} ms |\n`);
}
rmSync(folder, { recursive: true });

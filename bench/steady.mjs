// What does recording cost a program while it runs? One process of a GC-heavy program and of an HTTP server under load, and gcspike
// attached to it (or gcspike/agent in it) and gone in turn: two processes of the same program differ by more than what is looked for. The process says how much
// CPU a unit of work takes in each tenth of a second; of a time with gcspike or without, the calmest fifth counts, because what else runs
// on a machine only adds to a block. Prints the median ratio over the rounds with its 95 % interval. "nothing" shows how well that can be
// told here. Of the agent's companion, a process of its own, it says the share of a processor. Then what the start of `record` costs: CPU
// that a program which only loads node:http takes more than bare.
//
//   node bench/steady.mjs [--rounds 20] [--node /path/to/node] [--conditions nothing,gcspike,gcspike-probe,gcspike-agent]
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
  options: {
    rounds: { type: "string", default: "20" },
    node: { type: "string", default: process.execPath },
    conditions: { type: "string", default: "nothing,gcspike,gcspike-probe,gcspike-agent" },
  },
});
const ROUNDS = Number(values.rounds);
const here = dirname(fileURLToPath(import.meta.url));
const program = (name) => join(here, "programs", name);
const GCSPIKE = join(here, "..", "bin", "gcspike.js");
const PINNED = ["--min-semi-space-size=16", "--max-semi-space-size=16"];
const CALMEST = 0.2;
const WARM_UP_MS = 5000;
/** Attaching and detaching are no part of what is measured. */
const SETTLE_MS = 4000;
const MEASURED_MS = 4000;
/** What the kernel counts CPU in. */
const MS_A_TICK = 10;
const ALONE = { name: "nothing", begin: () => ({ end: () => {} }) };
const asked = ({ name }) => values.conditions.split(",").includes(name);
const RECORDED = [
  { name: "gcspike", words: [] },
  { name: "gcspike-probe", words: ["--no-phases", "--no-allocations"] },
].filter(asked);
const CONDITIONS = [
  ALONE,
  ...RECORDED.map(({ name, words }) => ({ name, begin: (pid) => attach(pid, words) })),
  { name: "gcspike-agent", begin: loadAgent },
].filter(asked);
const PROGRAMS = [
  { name: "http-server", script: fixture("http-server.mjs"), environment: { FIXTURE_SECONDS: "100000" } },
  { name: "gc-heavy", script: program("gc-heavy.mjs"), environment: { BENCH_WORK: "100000" } },
];
const folder = mkdtempSync(join(tmpdir(), "gcspike-steady-"));
const result = join(folder, "result");
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function start(words, environment) {
  const agent = { GCSPIKE_AGENT_DIR: join(folder, "agent"), GCSPIKE_AGENT_PORT: "127.0.0.1:0" };
  const env = { ...process.env, ...environment, ...agent, BENCH_RESULT: result };
  const child = spawn(words[0], words.slice(1), { stdio: "ignore", env });
  running.add(child);
  child.on("exit", () => running.delete(child));
  return child;
}

function attach(pid, words) {
  const recording = join(folder, "run.gcspike");
  const child = start([process.execPath, GCSPIKE, "attach", String(pid), "-o", recording, ...words]);
  const end = async () => {
    if (child.exitCode !== null) throw new Error("gcspike attach failed");
    child.kill("SIGINT");
    await once(child, "exit");
    rmSync(recording, { recursive: true });
  };
  return { end };
}

/** meter.cjs loads the agent; it leaves the program when its companion has gone. */
function loadAgent(pid) {
  process.kill(pid, "SIGUSR2");
  const companion = () => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    const found = children.find((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("companion.cjs"));
    if (found === undefined) throw new Error("the agent has no companion");
    return Number(found);
  };
  return { beside: companion, end: () => process.kill(companion(), "SIGKILL") };
}

/** CPU that a process has taken, ms. */
function cpuMsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_A_TICK;
}

/** A stretch of time under a condition: from when to when, ms, and what a companion takes of a processor, or null. */
async function stretch({ begin }, pid) {
  const { beside, end } = begin(pid);
  await sleep(SETTLE_MS);
  const companion = beside?.() ?? null;
  const cpuMs = companion === null ? 0 : cpuMsOf(companion);
  const fromMs = Date.now();
  await sleep(MEASURED_MS);
  const toMs = Date.now();
  const companionShare = companion === null ? null : (cpuMsOf(companion) - cpuMs) / (toMs - fromMs);
  await end();
  return { fromMs, toMs, companionShare };
}

/** Stretches with and without gcspike, in alternating order, of one process; by condition pairs of CPU of a unit of work, us. */
async function toggled({ script, environment }) {
  const child = start([values.node, ...PINNED, "--require", program("meter.cjs"), script], environment);
  await sleep(WARM_UP_MS);
  const stretches = new Map(CONDITIONS.map((condition) => [condition, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const condition of round % 2 === 0 ? CONDITIONS : CONDITIONS.toReversed()) {
      const on = await stretch(condition, child.pid);
      stretches.get(condition).push({ on, off: await stretch(ALONE, child.pid) });
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
  return (condition) =>
    stretches
      .get(condition)
      .map(({ on, off }) => ({ on: calm(on), off: calm(off), companionShare: on.companionShare }));
}

function interval(figures, digits) {
  const { median: middle, low, high } = medianInterval(figures);
  return `${middle.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
}

/** words: of `record`; null: without it. */
async function startCpuMs(script, words) {
  const command = [values.node, "--require", program("measure.cjs"), script];
  const recorder = [process.execPath, GCSPIKE, "record", ...(words ?? []), "-o", join(folder, "run.gcspike"), "--"];
  await once(start(words === null ? command : [...recorder, ...command]), "exit");
  rmSync(join(folder, "run.gcspike"), { recursive: true, force: true });
  return JSON.parse(readFileSync(`${result}.start.mjs.json`, "utf8")).cpuMs;
}

const { stdout } = process;
for (const subject of PROGRAMS) {
  const pairs = await toggled(subject);
  stdout.write(`${subject.name}, CPU of a unit of work, ratio to the same process without gcspike:\n\n`);
  for (const condition of CONDITIONS) {
    const figures = pairs(condition);
    const ratios = figures.map(({ on, off }) => on / off);
    const offUs = median(figures.map(({ off }) => off)).toFixed(2);
    const shares = figures.map(({ companionShare }) => companionShare);
    const beside = shares.includes(null)
      ? ""
      : ` companion ${interval(
          shares.map((share) => share * 100),
          2,
        )} % |`;
    stdout.write(`| ${condition.name} | ${interval(ratios, 4)} | ${offUs} us without |${beside}\n`);
  }
  stdout.write("\n");
}

const script = join(folder, "start.mjs");
writeFileSync(script, 'import "node:http"; import "node:child_process";');
const starts = [{ name: "bare", words: null }, ...RECORDED].map((condition) => ({ ...condition, cpuMs: [] }));
for (let round = 0; round < ROUNDS; round++) {
  for (const { words, cpuMs } of round % 2 === 0 ? starts : starts.toReversed()) {
    cpuMs.push(await startCpuMs(script, words));
  }
}
const [bare, ...recorded] = starts;
stdout.write(`start, CPU more than bare (${median(bare.cpuMs).toFixed(1)} ms):\n\n`);
for (const { name, cpuMs } of recorded) {
  const more = cpuMs.map((ms, round) => ms - bare.cpuMs[round]);
  stdout.write(`| ${name} | ${interval(more, 1)} ms |\n`);
}

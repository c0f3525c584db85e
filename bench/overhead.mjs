// What does recording cost the program? Interleaved pairs of the bare program and the same under gcspike, and under what else
// people use, on a GC-heavy program and an HTTP server with a fixed number of requests, with V8 free to size its semi-space and with
// the size pinned. Prints the median ratio (or difference) over the pairs with its 95 % interval.
//
//   node bench/overhead.mjs [--pairs 20] [--programs gc-heavy,http-server] [--semi free,pinned] [--conditions gcspike,...]
//                           [--node /path/to/node]
//
// "CPU, least" compares the run with the least CPU on either side: what else runs on the machine can only add to it, so that on a
// busy machine this says more than the median.
//
// CPU, memory and time are the target's own, read by itself at exit; the recorder's CPU stands apart. All runs, the bare ones too,
// print --trace-gc into a file, from which collections and pauses come.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fixture } from "./lib/programs.mjs";
import { median, medianInterval, quantile } from "./lib/statistics.mjs";
import { pausesPrinted } from "./lib/trace-gc.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const MEASURE = join(here, "programs", "measure.cjs");
const GCSPIKE = join(here, "..", "bin", "gcspike.js");
const AGENT = join(here, "..", "dist", "agent", "always-on.cjs");
const REQUESTS = "6000";

const PROGRAMS = [
  { name: "gc-heavy", script: join(here, "programs", "gc-heavy.mjs") },
  { name: "http-server", script: fixture("http-server.mjs") },
];
const SEMI_SPACES = [
  { name: "free", flags: [] },
  { name: "pinned", flags: ["--min-semi-space-size=16", "--max-semi-space-size=16"] },
];
/** `wrap` starts gcspike around the program; `flags` are the target's own. */
const CONDITIONS = [
  { name: "gcspike", wrap: [] },
  { name: "gcspike-probe", wrap: ["--no-phases", "--no-allocations"] },
  { name: "gcspike-agent", flags: () => ["--require", AGENT], env: (folder) => ({ GCSPIKE_AGENT_DIR: folder }) },
  { name: "heap-prof", flags: (folder) => ["--heap-prof", `--heap-prof-dir=${folder}`] },
  { name: "cpu-prof", flags: (folder) => ["--cpu-prof", `--cpu-prof-dir=${folder}`] },
  { name: "trace-gc-nvp", flags: () => ["--trace-gc-nvp"] },
  { name: "gc-observer", flags: () => ["--require", join(here, "programs", "observe.cjs")] },
];
const BARE = { name: "bare" };

function readResult(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** One run: the target's CPU, memory and time, its pauses, the clients' latencies, and the recorder's CPU. */
async function run({ program, semi, condition, node }) {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-overhead-"));
  try {
    const flags = ["--trace-gc", ...semi.flags, ...(condition.flags?.(folder) ?? [])];
    const target = [node, ...flags, "--require", MEASURE, program.script];
    const recorder = [
      "--require",
      MEASURE,
      GCSPIKE,
      "record",
      ...(condition.wrap ?? []),
      "-o",
      join(folder, "run.gcspike"),
      "--",
    ];
    const [file, ...words] = condition.wrap === undefined ? target : [process.execPath, ...recorder, ...target];
    const result = join(folder, "result");
    const printed = join(folder, "stdout.txt");
    const child = spawn(file, words, {
      stdio: ["ignore", openSync(printed, "w"), "ignore"],
      env: { ...process.env, ...condition.env?.(folder), BENCH_RESULT: result, FIXTURE_REQUESTS: REQUESTS },
    });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`${program.name} under ${condition.name} ended with ${code}`);
    const stdout = readFileSync(printed, "utf8");
    const pauses = pausesPrinted(stdout);
    const latencies = /^\{"requests".*\}$/m.exec(stdout)?.[0];
    return {
      ...readResult(`${result}.${program.script.split("/").at(-1)}.json`),
      collections: pauses.length,
      p99PauseMs: quantile(pauses, 0.99),
      ...(latencies === undefined ? {} : { p99LatencyMs: JSON.parse(latencies).p99Ms }),
      ...(condition.wrap === undefined ? {} : { recorderCpuMs: readResult(`${result}.gcspike.js.json`).cpuMs }),
    };
  } finally {
    // The agent's companion may still be tidying up.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

const ratio = (key) => (bare, other) => other[key] / bare[key];
const COLUMNS = [
  { title: "CPU", value: ratio("cpuMs"), digits: 3 },
  { title: "memory, MB", value: (bare, other) => (other.maxRssBytes - bare.maxRssBytes) / 1e6, digits: 1 },
  { title: "collections", value: ratio("collections"), digits: 3 },
  { title: "P99 pause", value: ratio("p99PauseMs"), digits: 3 },
  { title: "P99 latency", value: ratio("p99LatencyMs"), digits: 3 },
];

function cell({ value, digits }, pairs) {
  const values = pairs.map(([bare, other]) => value(bare, other)).filter(Number.isFinite);
  if (values.length === 0) return "-";
  const interval = medianInterval(values);
  const [middle, low, high] = [interval.median, interval.low, interval.high].map((number) => number.toFixed(digits));
  return `${middle} [${low}, ${high}]`;
}

function printTable(pairsByCondition) {
  const line = (name, cells) =>
    console.log(`  ${name.padEnd(14)} ${cells.map((text) => text.padEnd(24)).join("")}`.trimEnd());
  line("", [...COLUMNS.map(({ title }) => title), "CPU, least", "recorder's CPU"]);
  for (const [name, pairs] of pairsByCondition) {
    const recorder = median(pairs.map(([, other]) => other.recorderCpuMs / other.cpuMs).filter(Number.isFinite));
    const share = Number.isNaN(recorder) ? "-" : `${(recorder * 100).toFixed(1)} % of the target's`;
    const least = (side) => Math.min(...pairs.map((pair) => pair[side].cpuMs));
    line(name, [...COLUMNS.map((column) => cell(column, pairs)), (least(1) / least(0)).toFixed(3), share]);
  }
}

/** Pairs of each condition. A round has one pair of each, bare first in one round and last in the next. */
async function measure(setting, conditions, rounds) {
  const pairs = new Map(conditions.map(({ name }) => [name, []]));
  await run({ ...setting, condition: BARE });
  for (let round = 0; round < rounds; round++) {
    for (const condition of conditions) {
      const order = round % 2 === 0 ? [BARE, condition] : [condition, BARE];
      const [first, second] = [
        await run({ ...setting, condition: order[0] }),
        await run({ ...setting, condition: order[1] }),
      ];
      pairs.get(condition.name).push(round % 2 === 0 ? [first, second] : [second, first]);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r  ${round + 1} of ${rounds} rounds `);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  return pairs;
}

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "20" },
    programs: { type: "string" },
    semi: { type: "string" },
    conditions: { type: "string" },
    node: { type: "string", default: process.execPath },
  },
});
const wanted = (list, all) => all.filter(({ name }) => list === undefined || list.split(",").includes(name));
const conditions = wanted(values.conditions, CONDITIONS);
for (const program of wanted(values.programs, PROGRAMS)) {
  for (const semi of wanted(values.semi, SEMI_SPACES)) {
    console.log(
      `${program.name}, semi-space ${semi.name}, ${values.pairs} pairs, against the bare program: median [95 % interval]`,
    );
    printTable(await measure({ program, semi, node: values.node }, conditions, Number(values.pairs)));
  }
}

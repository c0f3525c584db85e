// Does `gcspike check` cry wolf, and does it see what got worse? Records runs of one program, interleaved with variants of it that are
// worse by a known amount, and makes checks of them: each draws runs that stood beside each other, at random and with replacement,
// and judges them as the command does, look by look. Beside it, what two usual ways would say of the same runs: one run against one, and
// a Mann-Whitney test over the pauses of one run against one.
//
//   node bench/check.mjs [--runs 30] [--checks 1000] [--busy off,on] [--pairs 10] [--node /path/to/node] [--save FILE | --from FILE]
//
// With the defaults about half an hour: twice 150 runs of some five seconds, with the neighbouring processor idle and busy. `--save`
// keeps what was recorded, `--from` makes the checks of that.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { load } from "./lib/load.mjs";
import { median, seededRandom } from "./lib/statistics.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const GCSPIKE = join(here, "..", "bin", "gcspike.js");
const SUBJECT = join(here, "programs", "check-subject.mjs");
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "30" },
    checks: { type: "string", default: "1000" },
    busy: { type: "string", default: "off,on" },
    pairs: { type: "string", default: "10" },
    node: { type: "string", default: process.execPath },
    save: { type: "string" },
    from: { type: "string" },
  },
});
const RUNS = Number(values.runs);
const CHECKS = Number(values.checks);
const DESIGN = { mostRuns: Number(values.pairs), paired: true, falseAlarm: 0.01, miss: 0.1 };

const { allPass, judge, looksOf, siteBytesOf, siteChanges } = await load(
  "src/analysis/check",
  "clocks",
  "judge",
  "looks",
  "site-bytes",
  "site-changes",
);
const { runOf } = await load("src/analysis", "run");
const { readRecording } = await load("src/recording", "read-recording");

/** What is asked of every check, as the command's defaults ask it. */
const QUESTIONS = [
  { metric: "pause.p99", unit: "ms", better: "lower", maxRegression: 0.1, weight: 0.4, work: 1 },
  { metric: "pause.cpu.p99", unit: "ms", better: "lower", maxRegression: 0.1, weight: 0.4, work: 1 },
  { metric: "alloc.bytes", unit: "bytes", better: "lower", maxRegression: 0.05, weight: 0.1, work: 1 },
  { metric: "survived.bytes", unit: "bytes", better: "lower", maxRegression: 0.05, weight: 0.1, work: 1 },
];
const VARIANTS = ["none", "pause", "alloc", "survive"];
const CULPRITS = { alloc: "wasteful", survive: "hoard" };

async function recordOne(variant, folder) {
  const output = join(folder, "run.gcspike");
  const { status, stderr } = spawnSync(
    process.execPath,
    [GCSPIKE, "record", "-o", output, "--", values.node, SUBJECT, variant],
    {
      encoding: "utf8",
      env: { ...process.env, CI: "1" },
    },
  );
  if (status !== 0) throw new Error(stderr);
  const recording = await readRecording(output);
  const { metrics } = runOf(recording);
  const sites = siteBytesOf(recording, here);
  const pauses = recording.isolates.flatMap(({ pauses: { durationMs, count } }) =>
    Array.from(durationMs.subarray(0, count)),
  );
  rmSync(output, { recursive: true, force: true });
  return { metrics: new Map(metrics.map(({ metric, value }) => [metric, value])), sites, pauses };
}

/** Rounds of all variants: the baseline at both ends of each, so that it is a neighbour of itself too. */
async function recordAll(isBusy) {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-bench-check-"));
  const neighbour = isBusy ? spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }) : undefined;
  const rounds = [];
  try {
    for (const variant of VARIANTS) await recordOne(variant, folder);
    for (let n = 0; n < RUNS; n++) {
      const order = n % 2 === 0 ? VARIANTS : VARIANTS.toReversed();
      const round = {};
      for (const variant of [...order, "again"])
        round[variant] = await recordOne(variant === "again" ? "none" : variant, folder);
      rounds.push(round);
    }
  } finally {
    neighbour?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
  return rounds;
}

/** One check of drawn rounds, look by look. `variant` "none": both sides are the same program. */
function oneCheck(rounds, variant, questions, random) {
  const other = variant === "none" ? "again" : variant;
  const drawn = Array.from({ length: DESIGN.mostRuns }, () => {
    const round = rounds[Math.floor(random() * rounds.length)];
    const pair = [round.none, round[other]];
    // Of equal programs either one may be the candidate.
    return variant === "none" && random() < 0.5 ? pair.reverse() : pair;
  });
  for (const taken of looksOf(DESIGN.mostRuns)) {
    const pairs = drawn.slice(0, taken);
    const metrics = questions.map((question) =>
      judge(
        {
          ...question,
          baseline: pairs.map(([base]) => base.metrics.get(question.metric)),
          candidate: pairs.map(([, candidate]) => candidate.metrics.get(question.metric)),
        },
        DESIGN,
      ),
    );
    const worse = metrics.filter(({ verdict }) => verdict === "regression");
    if (worse.length > 0) return { verdict: "regression", taken, by: worse.map(({ metric }) => metric), pairs };
    if (allPass(metrics, taken === DESIGN.mostRuns)) return { verdict: "pass", taken, by: [], pairs };
  }
  return { verdict: "inconclusive", taken: DESIGN.mostRuns, by: [], pairs: drawn };
}

/** Two-sided, by the normal approximation with ties; the pauses of a run are hundreds. */
function mannWhitney(a, b) {
  const all = [...a.map((value) => ({ value, isA: true })), ...b.map((value) => ({ value, isA: false }))].sort(
    (x, y) => x.value - y.value,
  );
  let rankSum = 0;
  let ties = 0;
  for (let i = 0; i < all.length; ) {
    let end = i;
    while (end < all.length && all[end].value === all[i].value) end++;
    const rank = (i + 1 + end) / 2;
    for (let k = i; k < end; k++) if (all[k].isA) rankSum += rank;
    ties += (end - i) ** 3 - (end - i);
    i = end;
  }
  const n = all.length;
  const mean = (a.length * (n + 1)) / 2;
  const variance = ((a.length * b.length) / 12) * (n + 1 - ties / (n * (n - 1)));
  return (rankSum - mean) / Math.sqrt(variance);
}

const runSitesOf = ({ sites, metrics }) => ({ sites, scavenges: metrics.get("pause.scavenge.count") });

const percent = (share) => `${(share * 100).toFixed(1)} %`;

function checksOf(rounds, variant, questions) {
  const random = seededRandom(1);
  return Array.from({ length: CHECKS }, () => oneCheck(rounds, variant, questions, random));
}

function report(rounds, title) {
  console.log(`\n${title}: ${rounds.length} rounds, ${CHECKS} checks of at most ${DESIGN.mostRuns} pairs each`);
  const change = (variant, metric) =>
    median(rounds.map((round) => round[variant].metrics.get(metric) / round.none.metrics.get(metric))) - 1;
  const noise = (metric) => {
    const logs = rounds.map((round) => Math.log(round.again.metrics.get(metric) / round.none.metrics.get(metric)));
    return Math.sqrt(logs.reduce((sum, log) => sum + log * log, 0) / logs.length);
  };
  const names = ["pause.p99", "pause.cpu.p99", "alloc.bytes", "survived.bytes"];
  for (const name of names) {
    const base = median(rounds.map(({ none }) => none.metrics.get(name)));
    const changes = VARIANTS.slice(1).map((variant) => `${variant} ${percent(change(variant, name))}`);
    console.log(
      `  ${name.padEnd(16)} median ${base.toPrecision(3)}, noise of a pair ${percent(noise(name))}; truly changed: ${changes.join(", ")}`,
    );
  }
  for (const variant of VARIANTS) {
    const checks = checksOf(rounds, variant, QUESTIONS);
    const share = (verdict) => percent(checks.filter((one) => one.verdict === verdict).length / CHECKS);
    const pairs = (checks.reduce((sum, one) => sum + one.taken, 0) / CHECKS).toFixed(1);
    const within5 = percent(checks.filter((one) => one.verdict === "regression" && one.taken <= 5).length / CHECKS);
    console.log(
      `  ${variant === "none" ? "nothing worse" : `worse: ${variant}`}: regression ${share("regression")} (within 5 pairs ${within5}), inconclusive ${share("inconclusive")}, pass ${share("pass")}, ${pairs} pairs`,
    );
  }
  for (const [variant, culprit] of Object.entries(CULPRITS)) {
    const found = checksOf(rounds, variant, QUESTIONS).filter(({ verdict }) => verdict === "regression");
    const first = found.filter(({ pairs }) => {
      const sides = [0, 1].map((side) => pairs.map((pair) => runSitesOf(pair[side])));
      return siteChanges(sides[0], sides[1], variant === "alloc" ? "allocated" : "survived")[0]?.function === culprit;
    });
    console.log(
      `  ${culprit} stands first in the table of ${percent(first.length / found.length)} of ${found.length} regressions`,
    );
  }
  pauseAlone(rounds);
  naive(rounds);
}

/** Without the bytes, which would find it by themselves; and each clock as the only one that is asked. */
function pauseAlone(rounds) {
  const clocks = QUESTIONS.filter(({ unit }) => unit === "ms");
  for (const asked of [clocks, ...clocks.map((one) => [one])]) {
    const questions = asked.map((one) => ({ ...one, weight: 1 / asked.length }));
    const shares = ["none", "pause"].map((variant) => {
      const checks = checksOf(rounds, variant, questions);
      return percent(checks.filter(({ verdict }) => verdict === "regression").length / CHECKS);
    });
    const names = asked.map(({ metric }) => metric).join(" and ");
    console.log(`  ${names} alone: regression where nothing is worse ${shares[0]}, worse: pause ${shares[1]}`);
  }
}

/** One run against one, as most scripts compare. */
function naive(rounds) {
  const pairs = rounds.flatMap(({ none, again }, i) => [
    [none, again],
    [again, none],
    [none, rounds[(i + 1) % rounds.length].none],
  ]);
  const isLonger = ([a, b]) => b.metrics.get("pause.p99") > 1.1 * a.metrics.get("pause.p99");
  const isOther = ([a, b]) => mannWhitney(b.pauses, a.pauses) > 2.326;
  const share = (is) => percent(pairs.filter(is).length / pairs.length);
  console.log(
    `  the usual ways, nothing worse: P99 of one run more than 10 % above that of another ${share(isLonger)}; Mann-Whitney over pauses at 1 % ${share(isOther)} (of ${pairs.length})`,
  );
}

const recorded = values.from === undefined ? {} : JSON.parse(readFileSync(values.from, "utf8"), reviveMaps);
for (const busy of values.busy.split(",")) {
  recorded[busy] ??= await recordAll(busy === "on");
  if (values.save !== undefined) writeFileSync(values.save, JSON.stringify(recorded, keepMaps));
  report(recorded[busy], busy === "on" ? "neighbour busy" : "neighbour idle");
}

function keepMaps(_, value) {
  return value instanceof Map ? { map: [...value] } : value;
}

function reviveMaps(_, value) {
  return Array.isArray(value?.map) ? new Map(value.map) : value;
}

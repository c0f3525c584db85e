// Does gcspike find what is wrong with a program? Records programs whose answer is known (bench/lib/corpus.mjs says how it is
// written down) and compares each report with it.
//
// A program's answer is the cause with the most spike time. Every program counts alike, however many spikes it has. A spike is
// "beside" where its cause is not the program's but one that may contribute to it; the machine's causes are nobody's fault, so a
// quiet program is blamed by any other one. How much processor time the recorded pauses had for their length is printed with each run:
// far below 100 % on a busy machine, and then the machine is the right answer for some spikes of any program.
//
//   node bench/attribution.mjs [--corpus DIR] [--only session-store,thumbnails] [--node 20,26] [--runs 3] [--json FILE] [--keep DIR]
//
// --keep leaves the recordings in a folder, and judges those that are there already instead of making them anew: for work on rules.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { at } from "../scripts/lib.mjs";
import { answerOf, isExpectedSite, judge, NONE, score } from "./lib/attribution.mjs";
import { argumentsOf, readCorpus } from "./lib/corpus.mjs";
import { findNodes } from "./lib/nodes.mjs";

const GCSPIKE = at("bin", "gcspike.js");
const { values: chosen } = parseArgs({
  options: {
    corpus: { type: "string", default: at("fixtures", "causes") },
    only: { type: "string" },
    node: { type: "string" },
    runs: { type: "string", default: "1" },
    json: { type: "string" },
    keep: { type: "string" },
  },
});

/** Runs gcspike. Throws with what it said where it does not end with code 0. */
async function gcspike(words) {
  const child = spawn(process.execPath, [GCSPIKE, ...words], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`gcspike ${words.join(" ")} ended with ${code}:\n${said}`);
}

async function reportOf(program, words, node, n) {
  const folder = mkdtempSync(join(tmpdir(), "gcspike-attribution-"));
  try {
    const file = join(folder, "report.json");
    const name = `${program.name}-${node.version.split(".")[0]}-${n + 1}.gcspike`;
    const recording = join(chosen.keep ?? folder, name);
    if (!existsSync(recording))
      await gcspike(["record", "-o", recording, "--spike", program.answer.spike, "--", node.path, ...words]);
    await gcspike(["report", recording, "--format", "json", "-o", file]);
    return JSON.parse(readFileSync(file, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const spikeRow = ({ id, kind, startMs, durationMs, cpuMs, reason, cause, confidence, contributing, sites }) => ({
  ...{ id, kind, startMs, durationMs, cpuMs, reason, cause, confidence, contributing },
  site: sites[0] === undefined ? null : { function: sites[0].function, file: sites[0].file, share: sites[0].share },
});

async function runOf(program, words, node, n) {
  const { spikes, summary } = await reportOf(program, words, node, n);
  const { totalMs, cpuMs } = summary.pauses;
  return {
    program: program.name,
    node: node.version,
    answer: program.answer,
    cpuShare: cpuMs === null || totalMs === 0 ? null : cpuMs / totalMs,
    spikes: spikes.map(spikeRow),
  };
}

const percent = (share) => (share === null ? "-" : `${Math.round(share * 100)} %`);
const number = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2));

function printRun(run) {
  const expected = run.answer.cause ?? NONE;
  const answered = answerOf(run);
  const isRight =
    run.answer.cause === null
      ? run.spikes.every((spike) => judge(spike, run.answer) !== "wrong")
      : answered === expected;
  const right = run.spikes.filter((spike) => judge(spike, run.answer) === "right");
  const sites = right.filter(({ site }) => isExpectedSite(site, run.answer)).length;
  const ofSites = run.answer.sites.length === 0 ? "no site expected" : `first site right in ${sites}`;
  console.log(
    `${isRight ? "right" : "WRONG"}  ${run.program} (Node ${run.node}): ${expected}, answered ${answered}; ` +
      `${right.length} of ${run.spikes.length} spikes right, ${ofSites}; processor ${percent(run.cpuShare)} of the pauses`,
  );
}

function printTable(head, rows) {
  const cells = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  for (const row of cells)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
}

function printConfusion(confusion) {
  const rows = [...confusion.keys()].sort();
  const columns = [...new Set([...confusion.values()].flatMap((row) => [...row.keys()]))].sort();
  const cell = (row, column) => {
    const count = confusion.get(row)?.get(column);
    return count === undefined ? "." : number(count);
  };
  printTable(
    ["expected \\ answered", ...columns],
    rows.map((row) => [row, ...columns.map((column) => cell(row, column))]),
  );
}

const describeSpike = ({ program, node, id, durationMs, cause, confidence }) =>
  `  ${program} (Node ${node}) ${id}: ${durationMs.toFixed(1)} ms, ${cause}, confidence ${confidence.toFixed(2)}`;

function printList(title, spikes) {
  console.log(`\n${title}: ${spikes.length}`);
  for (const spike of spikes) console.log(describeSpike(spike));
}

function printScore(runs) {
  const result = score(runs);
  const programs = new Set(runs.map(({ program }) => program)).size;
  console.log(
    `\n${programs} programs, ${runs.length} runs, ${runs.reduce((sum, { spikes }) => sum + spikes.length, 0)} spikes\n`,
  );
  printConfusion(result.confusion);
  console.log(`\nright primary cause          ${percent(result.primaryRight)} of programs with a fault`);
  console.log(
    `spikes with the right cause  ${percent(result.spikesRight)}, and ${percent(result.spikesBeside)} with a contributing one`,
  );
  console.log(`right first site             ${percent(result.sitesRight)} of spikes with the right cause`);
  printList("Wrong with confidence above 0.7", result.confidentlyWrong);
  printList("Spikes of quiet programs", result.quiet);
  printList("Quiet programs blamed, spikes", result.quietBlamed);
  console.log("\nCalibration:");
  printTable(
    ["confidence", "spikes", "mean confidence", "right", "beside"],
    result.calibration.map(({ from, to, spikes, confidence, right, beside }) => [
      `${from.toFixed(1)} to ${to.toFixed(1)}`,
      String(spikes),
      confidence.toFixed(2),
      percent(right),
      percent(beside),
    ]),
  );
}

const names = chosen.only?.split(",");
const programs = readCorpus(resolve(chosen.corpus)).filter(({ name }) => names?.includes(name) ?? true);
const versions = chosen.node?.split(",");
const nodes = findNodes().filter(({ version }) => versions?.includes(version.split(".")[0]) ?? true);
if (programs.length === 0 || nodes.length === 0) throw new Error("No program, or no Node, has a name that was given.");

if (chosen.keep !== undefined) mkdirSync(chosen.keep, { recursive: true });
const runs = [];
for (const program of programs) {
  const words = await argumentsOf(program);
  for (let n = 0; n < Number(chosen.runs); n++) {
    for (const node of nodes) {
      try {
        runs.push(await runOf(program, words, node, n));
        printRun(runs.at(-1));
      } catch (error) {
        console.error(
          `FAILED ${program.name} (Node ${node.version}), which no figure below includes: ${error.message}`,
        );
        process.exitCode = 1;
      }
    }
  }
}
printScore(runs);
if (chosen.json !== undefined) writeFileSync(chosen.json, `${JSON.stringify(runs, null, 1)}\n`);

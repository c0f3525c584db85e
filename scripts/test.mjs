// npm test: set-up, the checks, then the tests. Everything runs, so that one run shows all that is wrong.
// `npm test -- <vitest's arguments>` leaves the checks out and runs those tests.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { at, succeeds } from "./lib.mjs";
import { setUp } from "./setup.mjs";

const CHECKS = {
  types: ["typescript/bin/tsc", "-p", "."],
  "types of the HTML report's client": ["typescript/bin/tsc", "-p", "src/report/client"],
  "style (biome)": ["@biomejs/biome/bin/biome", "check", "--error-on-warnings"],
  "unused code (knip)": ["knip/bin/knip.js"],
  "walls between folders (dependency-cruiser)": ["dependency-cruiser/bin/dependency-cruise.mjs", "src"],
};

function run([script, ...words]) {
  return succeeds(process.execPath, [at("node_modules", script), ...words]);
}

function runChecks() {
  const failed = Object.entries(CHECKS).filter(([name, words]) => {
    console.log(`\n> ${name}`);
    return !run(words);
  });
  return failed.map(([name]) => name);
}

setUp({ everyNode: true });
const vitest = ["vitest/vitest.mjs", "run"];
const chosen = process.argv.slice(2);
if (chosen.length > 0) process.exit(run([...vitest, ...chosen]) ? 0 : 1);

mkdirSync(at("build"), { recursive: true });
const results = at("build", "vitest.json");
rmSync(results, { force: true });
const failedChecks = runChecks();
const passed = run([...vitest, "--reporter=default", "--reporter=json", `--outputFile.json=${results}`]);
const counts = existsSync(results)
  ? JSON.parse(readFileSync(results, "utf8"))
  : { numPassedTests: 0, numFailedTests: 0 };
// A test file that does not even load counts no test; vitest's exit code knows.
const broken = !passed && counts.numFailedTests === 0 ? 1 : 0;
const summary = {
  passed: counts.numPassedTests + Object.keys(CHECKS).length - failedChecks.length,
  failed: counts.numFailedTests + failedChecks.length + broken,
};
// For .ci/run, which prints it as its last line.
writeFileSync(at("build", "test-summary.json"), JSON.stringify(summary));
for (const name of failedChecks) console.error(`Failed: ${name}`);
process.exitCode = summary.failed === 0 ? 0 : 1;

/**
 * Whether a confidence keeps its word, over spikes that the programs of fixtures/causes, and others that were written without a look at the
 * rules, had when they were recorded. How often whole reports are right, sites included, `node bench/attribution.mjs` measures on new
 * recordings.
 */
import { beforeAll, expect, test } from "vitest";
import { type AttributionRun, type Score, score } from "../../../bench/lib/attribution.mjs";
import { decide } from "../../../src/analysis/causes/decide.ts";
import { waitedShare } from "../../../src/analysis/causes/machine-time.ts";
import { readRuns, writeRuns } from "../../support/spike-facts.ts";

/** Reading a hundred recordings takes a while. */
const WRITING_MS = 600_000;
/** What was mostly waiting for a processor is the recording machine's, whatever the program. */
const MOSTLY = 0.5;

let result: Score;

beforeAll(async () => {
  const { UPDATE_GOLDENS, RECORDINGS, CORPORA } = process.env;
  const list = (folders = ""): readonly string[] => folders.split(",").filter((folder) => folder !== "");
  if (UPDATE_GOLDENS === "1" && RECORDINGS !== undefined) await writeRuns(list(RECORDINGS), list(CORPORA));
  const runs = readRuns().map(
    ({ spikes, ...run }): AttributionRun => ({
      ...run,
      spikes: spikes
        .filter(({ machine }) => run.answer.cause === "descheduled" || waitedShare(machine) < MOSTLY)
        .map((facts) => ({ ...decide(facts), durationMs: facts.durationMs, site: null })),
    }),
  );
  result = score(runs.filter(({ spikes }) => spikes.length > 0));
  console.table(
    result.calibration.map(({ from, to, spikes, confidence, right, beside }) => ({
      confidence: `${from.toFixed(1)} to ${to.toFixed(1)}`,
      spikes,
      mean: confidence.toFixed(2),
      right: right.toFixed(2),
      beside: beside.toFixed(2),
    })),
  );
}, WRITING_MS);

test("the primary cause is right for nineteen of twenty programs", () => {
  expect(result.primaryRight).toBeGreaterThanOrEqual(0.95);
});

test("no wrong verdict is confident", () => {
  expect(result.confidentlyWrong.map(({ program, cause, confidence }) => [program, cause, confidence])).toEqual([]);
});

test("quiet programs are not blamed", () => {
  expect(result.quietBlamed.map(({ program, cause }) => [program, cause])).toEqual([]);
});

/** A verdict beside the program's cause is one that its answer allows: it is not wrong of that spike. */
test("of verdicts with a confidence of 0.7 and more as many are right as they say", () => {
  const bins = result.calibration.filter(({ from }) => from >= 0.7);
  expect(bins.length).toBeGreaterThanOrEqual(3);
  for (const { confidence, right, beside } of bins) expect(right + beside).toBeGreaterThanOrEqual(confidence - 0.05);
  expect(bins.find(({ from }) => from === 0.8)?.right).toBeGreaterThan(0.75);
});

/**
 * Whether a confidence keeps its word, over spikes that the programs of fixtures/causes had when they were recorded. How often whole
 * reports are right, sites included, `node bench/attribution.mjs` measures on new recordings.
 */
import { beforeAll, expect, test } from "vitest";
import { type AttributionRun, type Score, score } from "../../../bench/lib/attribution.mjs";
import { readCorpus } from "../../../bench/lib/corpus.mjs";
import { decide } from "../../../src/analysis/causes/decide.ts";
import { readRuns, writeRuns } from "../../support/spike-facts.ts";

let result: Score;

beforeAll(async () => {
  const { UPDATE_GOLDENS, RECORDINGS } = process.env;
  if (UPDATE_GOLDENS === "1" && RECORDINGS !== undefined) await writeRuns(RECORDINGS);
  const answers = new Map(readCorpus().map(({ name, answer }) => [name, answer]));
  const runs = readRuns().map(({ program, node, spikes }): AttributionRun => {
    const answer = answers.get(program);
    if (answer === undefined) throw new Error(`${program} is no program of fixtures/causes any more`);
    return {
      program,
      node,
      answer,
      spikes: spikes.map((facts) => ({ ...decide(facts), durationMs: facts.durationMs, site: null })),
    };
  });
  result = score(runs);
  console.table(
    result.calibration.map(({ from, to, spikes, confidence, right, beside }) => ({
      confidence: `${from.toFixed(1)} to ${to.toFixed(1)}`,
      spikes,
      mean: confidence.toFixed(2),
      right: right.toFixed(2),
      beside: beside.toFixed(2),
    })),
  );
});

test("the primary cause is right for nineteen of twenty programs", () => {
  expect(result.primaryRight).toBeGreaterThanOrEqual(0.95);
});

test("no wrong verdict is confident", () => {
  expect(result.confidentlyWrong.map(({ program, cause, confidence }) => [program, cause, confidence])).toEqual([]);
});

test("quiet programs are not blamed", () => {
  expect(result.quietBlamed.map(({ program, cause }) => [program, cause])).toEqual([]);
});

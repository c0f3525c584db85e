import { expect, test } from "vitest";
import { calibrate } from "../../../../src/analysis/check/calibrate.ts";
import type { Design, Question } from "../../../../src/analysis/check/judge.ts";
import { renderCalibrationTerminal } from "../../../../src/report/calibration-terminal.ts";
import { normal, seeded } from "../../../support/random.ts";
import { expectValidJson } from "../../../support/schema.ts";

const DESIGN: Design = { mostRuns: 10, paired: true, falseAlarm: 0.01, miss: 0.1 };

const question = (values: readonly (number | null)[], more: Partial<Question> = {}): Question => ({
  metric: "pause.p99",
  unit: "ms",
  better: "lower",
  maxRegression: 0.1,
  weight: 1,
  work: 1,
  baseline: values,
  candidate: values.toReversed(),
  ...more,
});

const noisy = () => {
  const random = seeded(9);
  return Array.from({ length: 10 }, () => 20 * Math.exp(0.1 * normal(random)));
};

test("checks of equal programs hardly ever cry wolf, and what they can see is more than what is allowed", () => {
  const made = calibrate([question(noisy())], DESIGN, seeded(1));
  expectValidJson("calibration", made);
  const { verdicts, metrics } = made;
  expect(verdicts.regression).toBeLessThan(0.02);
  expect(metrics[0]?.detectable).toBeGreaterThan(0.1);
  const higher = calibrate([question(noisy(), { better: "higher" })], DESIGN, seeded(1)).metrics[0];
  expect(higher?.detectable).toBeGreaterThan(0.1);
  expect(higher?.detectable).toBeLessThan(metrics[0]?.detectable ?? 0);
});

test("a metric that no run has passes nothing", () => {
  const nothing = question(new Array(10).fill(null));
  const made = calibrate([nothing], DESIGN, seeded(1));
  expectValidJson("calibration", made);
  expect(made).toMatchObject({ pairs: 10, verdicts: { pass: 0, inconclusive: 1 } });
  expect(made.metrics[0]).toMatchObject({ median: null, deviation: null, detectable: null });
  const page = new TextDecoder().decode(renderCalibrationTerminal(made, { color: false, width: 100 }));
  expect(page).toMatch(/pause\.p99 +- +- +none/);
});

test("zeros are noise like any other", () => {
  const [metric] = calibrate([question([0, 1, 0, 2, 1, 0, 3, 0, 0, 1])], DESIGN, seeded(1)).metrics;
  expect(metric?.deviation).toBeGreaterThan(0.5);
  expect(metric?.median).toBe(0.5);
});

import type { Calibration } from "../analysis/check/calibrate.ts";
import { formatQuantity, formatShare } from "../lib/units.ts";
import { Page, type PageOptions } from "./page.ts";

/** What a check is worth on this machine, for a terminal, UTF-8. */
export function renderCalibrationTerminal(calibration: Calibration, options: PageOptions): Uint8Array {
  const page = new Page(options);
  const { metrics, pairs, mostRuns, checks, verdicts, meanPairs } = calibration;
  page.prose(`${pairs} pairs of runs of the same program on this machine:`);
  page.table([
    ["metric", "median", "noise of a pair", "smallest regression seen", "allowed"],
    ...metrics.map(({ metric, unit, median, deviation, detectable, maxRegression }) => [
      metric,
      median === null ? "-" : formatQuantity(median, unit),
      deviation === null ? "-" : formatShare(deviation),
      detectable === null ? "none" : formatShare(detectable),
      formatShare(maxRegression),
    ]),
  ]);
  page.prose(
    `Noise is the standard deviation of the change. A regression of the size in the fourth column is found by nine in ten checks of ${mostRuns} pairs.`,
    { style: "dim" },
  );
  page.gap();
  page.prose(
    `Of ${checks.toLocaleString("en-US")} checks made of these runs, with nothing to find, ${formatShare(verdicts.regression)} cry wolf, ${formatShare(verdicts.pass)} pass and ${formatShare(verdicts.inconclusive)} do not decide, after ${Number(meanPairs.toFixed(1))} pairs on average.`,
    { style: "bold" },
  );
  return new TextEncoder().encode(page.text());
}

/** The comparison as one HTML file. */
import type { Check } from "../analysis/check/check-types.ts";
import type { FlameDifference } from "../analysis/check/flame-difference.ts";
import { locationText } from "../analysis/phrases.ts";
import { columnValue } from "../analysis/spread.ts";
import type { ComparisonData } from "./client/compare/data.ts";
import { flattenTree } from "./client/flame-columns.ts";
import { pack } from "./client/wire.ts";
import { columnCommand, columnName, runsText } from "./compare-phrases.ts";
import type { ComparisonView } from "./compare-view.ts";
import { boundedText, type HtmlAssets, htmlPage } from "./html-page.ts";
import type { RunPictures } from "./run-pictures.ts";

/** Characters of a column's name where it stands beside other things; the whole is its tooltip. */
const MOST_LABEL = 48;

/** What the page of a check shows above the comparison. */
export interface CheckAbout {
  readonly check: Check;
  readonly flames: FlameDifference | null;
}

/**
 * `pictures` has the runs of each column, in the same order. `assets` come from loadAssets("compare"). With `about`, the page
 * begins with the verdict of a check.
 */
export function renderComparisonHtml(
  view: ComparisonView,
  pictures: readonly (readonly RunPictures[])[],
  assets: HtmlAssets,
  about: CheckAbout | null = null,
): Uint8Array {
  const columns = view.columns.map((column, index) => {
    const runs = pictures[index] ?? [];
    return {
      name: column.name,
      label: columnName(column, MOST_LABEL),
      command: columnCommand(column),
      recorded: runsText(column),
      node: column.runs[0]?.node ?? "",
      runs,
      typical: typicalRun(runs),
    };
  });
  const data: ComparisonData = {
    comparison: view.comparison,
    verdict: view.verdict,
    check: about?.check ?? null,
    flames: flameData(about?.flames ?? null),
    columns,
  };
  return htmlPage({
    title:
      about === null ? view.columns.map((column) => columnName(column)).join(" / ") : `check: ${about.check.verdict}`,
    withoutScript:
      "This comparison draws itself with JavaScript, which is off here. The same figures without it: gcspike compare --format markdown",
    data: pack(data, boundedText),
    assets,
  });
}

function flameData(flames: FlameDifference | null): ComparisonData["flames"] {
  if (flames === null || flames.candidate.total === 0) return null;
  return {
    measure: flames.measure,
    frames: flames.frames.map(({ function: name, file, line, origin }) => ({
      name,
      location: locationText(file, line),
      origin,
    })),
    baseline: flattenTree(flames.baseline),
    candidate: flattenTree(flames.candidate),
  };
}

function typicalRun(runs: readonly RunPictures[]): number {
  const p99s = runs.map(({ percentiles }) => percentiles.find(({ q }) => q >= 0.99)?.ms ?? 0);
  const { median } = columnValue("", p99s);
  const distances = p99s.map((p99) => Math.abs(p99 - median));
  return Math.max(0, distances.indexOf(Math.min(...distances)));
}

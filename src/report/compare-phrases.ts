/** What every renderer of a comparison says in the same words. */
import type { ColumnValue, ComparisonRow } from "../analysis/compare-types.ts";
import type { Column } from "../analysis/run.ts";
import { bestOf, columnValue, extremes, hasSpread, isToldApart } from "../analysis/spread.ts";
import { shortName } from "../lib/text.ts";
import { formatMs, formatNumber, formatQuantity } from "../lib/units.ts";
import { commandText } from "./phrases.ts";

/** Statistics of a part of the pauses: of use to few, and as long again as everything else. */
const OF_PARTS = /^pause\.(?:cpu|scavenge|mark-compact)\.(?!count$)|^pause\.cpu\.count$/;

/** Is this one of the metrics that are shown first? */
export function isKeyMetric({ metric }: ComparisonRow): boolean {
  return !OF_PARTS.test(metric);
}

export function columnName({ name }: { readonly name: string }, limit = 40): string {
  return shortName(name, limit) || "-";
}

/** "3 runs of 60.1 s", "60.1 s". */
export function runsText({ runs }: Column): string {
  const { median } = columnValue(
    "",
    runs.map(({ durationMs }) => durationMs),
  );
  return runs.length === 1 ? formatMs(median) : `${runs.length} runs of ${formatMs(median)}`;
}

/** What ran in the column; "" unknown. */
export function columnCommand({ runs }: Column): string {
  return commandText(runs[0]?.command ?? []);
}

/** A count stands under its own name and needs no unit. */
export function valueText(value: number, unit: string): string {
  return unit === "pauses" ? formatNumber(value) : formatQuantity(value, unit);
}

/** The best columns, and those that are shown with the same number; none where all are. */
export function bestShown({ values, unit, better }: ComparisonRow): readonly ColumnValue[] {
  const text = ({ median }: ColumnValue): string => valueText(median, unit);
  const best = bestOf(values, better).map(text);
  const shown = values.filter((value) => best.includes(text(value)));
  return shown.length === values.length ? [] : shown;
}

/** Where a column has no value of a metric: "none" where it had no such pause, else "unknown". */
export function noValueText(rows: readonly ComparisonRow[], metric: string, column: string): string {
  const count = metric.startsWith("pause.") ? metric.replace(/[^.]+$/, "count") : "";
  const counted = rows.find((row) => row.metric === count)?.values.find((value) => value.column === column);
  return counted?.max === 0 ? "none" : "unknown";
}

/** "31.1..41.8", of a value in the same unit; "0.98..1.2 s" where the value has another one; "" where all runs show the same. */
export function rangeText({ median, min, max }: ColumnValue, unit: string): string {
  const [low, high] = [splitUnit(valueText(min, unit)), splitUnit(valueText(max, unit))];
  if (low.number === high.number && low.unit === high.unit) return "";
  // Both in the unit of the larger one, so that they can be compared at a glance.
  const [larger, value] = Math.abs(max) >= Math.abs(min) ? [high, max] : [low, min];
  const scale = Number(larger.number.replaceAll(",", "")) / value;
  const inUnit = (end: { readonly number: string; readonly unit: string }, raw: number): string =>
    end.unit === larger.unit ? end.number : formatNumber(raw * scale);
  const own = splitUnit(valueText(median, unit)).unit;
  const suffix = larger.unit === own && !/\d/.test(own) ? "" : larger.unit;
  return `${inUnit(low, min)}..${inUnit(high, max)}${suffix}`;
}

function splitUnit(text: string): { readonly number: string; readonly unit: string } {
  const number = /^-?[\d.,]*(?:e\d+)?/.exec(text)?.[0] ?? "";
  return { number, unit: text.slice(number.length) };
}

/** The last column of a table of two columns, and of one of more. */
export function differenceHead(columns: number): string {
  return columns === 2 ? "change" : "highest/lowest";
}

/**
 * Of two columns what the second is more or less than the first, of more the highest over the lowest; with "~ " before it
 * where runs of one column differ as much. "" where it cannot be said.
 */
export function differenceText({ values, unit }: ComparisonRow, columns: number): string {
  const ends = extremes(values);
  if (ends === null) return "";
  const { lowest, highest } = ends;
  const [first, second] = columns === 2 ? values : [lowest, highest];
  if (first === undefined || second === undefined) return "";
  const text = columns === 2 ? changeText(second.median, first.median, unit) : ratioText(highest.median, lowest.median);
  const isDoubtful = hasSpread(lowest, highest) && !isToldApart(lowest, highest) && lowest.median !== highest.median;
  return isDoubtful && text !== "" ? `~ ${text}` : text;
}

/** More than so many times as much is easier to grasp than its percentage. */
const RATIO_FROM = 3;

/** "+38 %", "-3.2 %", "x 32"; of shares the difference itself, because a percentage of a percentage is misread: "-16.7 points". */
function changeText(value: number, base: number, unit: string): string {
  if (unit === "share") return `${signed(value - base)} points`;
  if (value === base) return "0 %";
  if (base <= 0 || value < 0) return "";
  return value / base >= RATIO_FROM ? ratioText(value, base) : `${signed(value / base - 1)} %`;
}

function signed(change: number): string {
  const percent = Math.round(change * 1000) / 10;
  return `${percent > 0 ? "+" : ""}${formatNumber(percent)}`;
}

function ratioText(value: number, base: number): string {
  if (value === base) return "x 1";
  return base > 0 && value >= 0 ? `x ${formatNumber(value / base)}` : "";
}

export const DOUBTFUL_NOTE = "~  no more than runs of one column differ";

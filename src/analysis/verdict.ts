/** The comparison in one sentence: who has the shortest pauses, by how much, and what that costs. */
import { listText, shortName } from "../lib/text.ts";
import { formatMs, formatNumber } from "../lib/units.ts";
import type { ColumnValue, Comparison, ComparisonRow } from "./compare-types.ts";
import type { Column } from "./run.ts";
import { bestOf, extremes, isToldApart } from "./spread.ts";

/** Smaller changes are not worth a word. */
const NOTABLE = 0.01;

/** What shorter pauses may cost. */
const COSTS: readonly { readonly metric: string; readonly noun: string; readonly lost: (percent: string) => string }[] =
  [
    { metric: "throughput", noun: "throughput", lost: (percent) => `${percent} of the throughput` },
    { metric: "rss.peak", noun: "resident memory", lost: (percent) => `${percent} more resident memory` },
  ];

/** One sentence, with a full stop. Says so where the runs do not tell the columns apart, and where there is one run of each. */
export function verdict({ rows }: Comparison, columns: readonly Column[]): string {
  const isComplete = ({ column }: ColumnValue): boolean =>
    columns.some(({ name, runs }) => name === column && runs.every(({ complete }) => complete));
  const unpaused = (rowOf(rows, "pause.count")?.values ?? []).filter((value) => value.max === 0 && isComplete(value));
  const paused = (rowOf(rows, "pause.p99")?.values ?? []).filter((value) => !unpaused.some(is(value)));
  const ends = extremes(paused);
  const [calm] = unpaused;
  if (calm !== undefined) {
    const worst = ends?.highest ?? paused[0];
    const none = `${names(unpaused)} had no pause at all`;
    if (worst === undefined) return unpaused.length === columns.length ? "No column had any pause." : `${none}.`;
    return `${none}, against a P99 pause of ${formatMs(worst.median)} in ${name(worst)}${costs(rows, calm, worst)}${runsNote([calm, worst], columns)}.`;
  }
  if (ends === null)
    return "Fewer than two columns have pauses whose lengths are known, so there is nothing to compare.";
  const { lowest, highest } = ends;
  if (lowest.median === highest.median) return `The P99 pause is ${formatMs(lowest.median)} in all columns.`;
  const leaders = bestOf(paused, "lower");
  if (leaders.length === 0) {
    return `No column has a lower P99 pause for certain: ${formatMs(lowest.median)} in ${name(lowest)} and ${formatMs(highest.median)} in ${name(highest)} differ by no more than runs of the same column do.`;
  }
  const against = `against ${formatMs(highest.median)} in ${name(highest)} (${factor(lowest, highest)})`;
  if (leaders.length > 1) {
    const times = listText(leaders.map(({ median }) => formatMs(median)));
    return `${names(leaders)} have the lowest P99 pauses, ${times}, which their runs do not tell apart, ${against}${runsNote(paused, columns)}.`;
  }
  return `${name(lowest)} has the lowest P99 pause, ${formatMs(lowest.median)}${pausedRuns(lowest, columns)} ${against}${costs(rows, lowest, highest)}${runsNote(paused, columns)}.`;
}

function rowOf(rows: readonly ComparisonRow[], metric: string): ComparisonRow | undefined {
  return rows.find((row) => row.metric === metric);
}

const is =
  (value: ColumnValue) =>
  ({ column }: ColumnValue): boolean =>
    column === value.column;

const name = ({ column }: ColumnValue): string => shortName(column, 60);
const names = (values: readonly ColumnValue[]): string => listText(values.map(name));

/** "32 times as long", "12 % longer". */
function factor(lowest: ColumnValue, highest: ColumnValue): string {
  const ratio = highest.median / lowest.median;
  return ratio >= 2 ? `${formatNumber(ratio)} times as long` : `${percent(ratio - 1)} longer`;
}

function percent(change: number): string {
  return `${formatNumber(Math.round(Math.abs(change) * 1000) / 10)} %`;
}

/** ", and costs 12 % of the throughput", ", at no cost in resident memory"; "" where nothing is known. */
function costs(rows: readonly ComparisonRow[], best: ColumnValue, worst: ColumnValue): string {
  const free: string[] = [];
  const lost: string[] = [];
  for (const cost of COSTS) {
    const row = rowOf(rows, cost.metric);
    const own = row?.values.find(is(best));
    const other = row?.values.find(is(worst));
    if (row === undefined || own === undefined || other === undefined) continue;
    const change = own.median / other.median - 1;
    const isWorse = row.better === "lower" ? change >= NOTABLE : change <= -NOTABLE;
    if (isWorse && isToldApart(own, other)) lost.push(cost.lost(percent(change)));
    else free.push(cost.noun);
  }
  if (lost.length > 0) return `, and costs ${listText(lost)}`;
  return free.length > 0 ? `, at no cost in ${listText(free, "or")}` : "";
}

function runsOf({ column }: ColumnValue, columns: readonly Column[]): number {
  return columns.find(({ name }) => name === column)?.runs.length ?? 0;
}

/** " in the 1 of its 3 runs that had any pause,", where others had none; else "". */
function pausedRuns(value: ColumnValue, columns: readonly Column[]): string {
  const all = runsOf(value, columns);
  return value.runs.length < all ? ` in the ${value.runs.length} of its ${all} runs that had any pause,` : "";
}

function runsNote(values: readonly ColumnValue[], columns: readonly Column[]): string {
  const single = values.filter((value) => runsOf(value, columns) === 1);
  if (single.length === 0) return "";
  return single.length === values.length
    ? "; one run each, so there is no spread to judge this by"
    : `; ${names(single)} ran only once`;
}

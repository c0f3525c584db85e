/** What a run of the workload has to say: as text for whoever started it, and as numbers for a comparison. Pure. */
import { listText, plural } from "../../lib/text.ts";
import { formatBytes, formatMs, formatNumber, formatShare } from "../../lib/units.ts";
import type { Load, Metric } from "../workload-file.ts";
import { type Counters, STAGES, type Stage } from "./lifecycle.ts";
import type { TxpoolOptions } from "./options.ts";
import type { RunFigures } from "./run.ts";
import type { Footprint } from "./store.ts";

/** Later than this at its best moment of the last tenth of the time: the rate was not held. */
const HELD_WITHIN_MS = 100;

export interface Outcome {
  readonly options: TxpoolOptions;
  readonly load: Load;
  readonly run: RunFigures;
  readonly counters: Counters;
  readonly memory: Readonly<Record<Stage, Footprint>>;
  /** Felt latency at percentile `p` (0 to 100), ms. */
  readonly latencyMs: (p: number) => number;
  /** What else there is to say of the store: lines without a full stop. */
  readonly store: readonly string[];
}

const PERCENTILES = [
  { name: "p50", label: "P50", percentile: 50 },
  { name: "p90", label: "P90", percentile: 90 },
  { name: "p99", label: "P99", percentile: 99 },
  { name: "p999", label: "P99.9", percentile: 99.9 },
  { name: "p9999", label: "P99.99", percentile: 99.99 },
  { name: "max", label: "max", percentile: 100 },
] as const;

/** Transactions a second that were taken. */
function throughput({ run }: Outcome): number {
  return run.elapsedMs === 0 ? 0 : (run.taken * 1000) / run.elapsedMs;
}

/** Undefined: the rate was held. Otherwise a sentence that says by how much it was not. */
export function shortfall(outcome: Outcome): string | undefined {
  const { run, options } = outcome;
  if (run.untaken === 0 && run.behindMs <= HELD_WITHIN_MS) return undefined;
  const untaken = run.untaken === 0 ? "" : `, and ${plural(run.untaken, "transaction")} had not been taken`;
  return `${options.mode} did not hold ${formatNumber(options.tps)} transactions a second: it took ${formatNumber(throughput(outcome))}, was ${formatMs(run.behindMs)} late at the end${untaken}.`;
}

export function metricsOf(outcome: Outcome): readonly Metric[] {
  const { run, latencyMs } = outcome;
  const lower = (metric: string, unit: string, value: number): Metric => ({ metric, unit, better: "lower", value });
  return [
    { metric: "throughput", unit: "1/s", better: "higher", value: throughput(outcome) },
    ...PERCENTILES.map(({ name, percentile }) => lower(`latency.${name}`, "ms", latencyMs(percentile))),
    lower("stall.max", "ms", run.longestStallMs),
    lower("block.max", "ms", run.blocks.longestMs),
    lower("light.time", "ms", run.light.timeMs),
    lower("behind", "ms", run.behindMs),
  ];
}

/** What is said before it begins: it takes a while. */
export function announce({ mode, tps, durationMs, residentMs }: TxpoolOptions): string {
  return `txpool, ${mode}: ${count(tps)} transactions a second for ${formatMs(durationMs)}, room for ${formatMs(residentMs)} of them\n`;
}

export function describe(outcome: Outcome): string {
  const { run, options, counters } = outcome;
  const arrived = run.taken + run.untaken;
  return [
    `txpool, ${options.mode}: ${plural(arrived, "transaction")} arrived in ${formatMs(run.elapsedMs)}, ${formatNumber(throughput(outcome))} a second were taken.`,
    "",
    section("Felt latency, from when each was due", [latencyLine(outcome)]),
    section("The pool", [
      `handed in ${count(counters.added)}, accepted ${count(counters.accepted)}, included ${count(counters.included)}, now ${count(counters.executable)} executable and ${count(counters.future)} behind a gap, at most ${count(run.peakSize)} together`,
      `refused: ${reasons(counters.refused)}`,
      `evicted: ${reasons(counters.evicted)}`,
      `no transactions: ${reasons({ ...run.malformed, "another sender": run.wrongSenders })}`,
    ]),
    section("Blocks", [blockLine(outcome), lightLine(outcome)]),
    section("Memory of a transaction", memoryLines(outcome)),
    ...(outcome.store.length === 0 ? [] : [section("The store", outcome.store)]),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string {
  return `${title}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function latencyLine({ latencyMs }: Outcome): string {
  return PERCENTILES.map(({ label, percentile }) => `${label} ${formatMs(latencyMs(percentile))}`).join("   ");
}

/** "known 12,000, underpriced 31"; the most frequent first. */
function reasons(counts: Readonly<Record<string, number>>): string {
  const there = Object.entries(counts).filter(([, times]) => times > 0);
  if (there.length === 0) return "none";
  return there
    .sort(([, a], [, b]) => b - a)
    .map(([reason, times]) => `${reason} ${count(times)}`)
    .join(", ");
}

function blockLine({ run: { blocks }, options }: Outcome): string {
  if (blocks.count === 0) return "none";
  const over = blocks.overBudget === 0 ? "none" : count(blocks.overBudget);
  const cut = blocks.cutShort === 0 ? "" : `, ${count(blocks.cutShort)} closed before they were full`;
  return `${plural(blocks.count, "block")} of ${formatNumber(blocks.included / blocks.count)} transactions, ${formatMs(blocks.totalMs / blocks.count)} each, the longest ${formatMs(blocks.longestMs)}; ${over} over the budget of ${formatMs(options.blockBudgetMs)}${cut}`;
}

function lightLine({ run: { light, elapsedMs, longestStallMs } }: Outcome): string {
  const stall = `the longest stall ${formatMs(longestStallMs)}`;
  if (light.entries === 0) return `never in light mode, ${stall}`;
  return `in light mode for ${formatMs(light.timeMs)} (${formatShare(light.timeMs / Math.max(elapsedMs, 1))}), entered ${plural(light.entries, "time")}, ${stall}`;
}

function memoryLines({ memory }: Outcome): string[] {
  return STAGES.map((stage) => {
    const { heapBytes, externalBytes, references } = memory[stage];
    return `${stage.padEnd(12)}${listText([`${formatBytes(heapBytes)} on the heap`, `${formatBytes(externalBytes)} outside`])}, ${plural(references, "reference")}`;
  });
}

/** The sessions workload as a program: `node sessions.js --pool on ...`. */
import { createHistogram } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { formatBytes, formatMs, formatNumber, formatShare } from "../../lib/units.ts";
import { textOptions } from "../flags.ts";
import { runWorkload } from "../program.ts";
import { type Metric, workloadJson, writeWorkloadFile } from "../workload-file.ts";
import { parseSessions, SESSIONS_FLAGS, type SessionsOptions } from "./options.ts";
import { type SessionsFigures, SessionsRun } from "./run.ts";

/** Later than this at the end: the rate was not held. */
const HELD_WITHIN_MS = 100;

const {
  values: { json, ...words },
} = parseArgs({
  options: {
    ...textOptions(SESSIONS_FLAGS),
    /** Print workload.json in the place of words. */
    json: { type: "boolean", default: false },
  },
});

function describe({ pool }: SessionsOptions, figures: SessionsFigures, latencyMs: (p: number) => number): string {
  const seconds = figures.elapsedMs / 1000;
  const reuse =
    figures.pool === null
      ? "every object was made anew"
      : `of the objects the pool had ${formatShare(figures.pool.reused / (figures.pool.reused + figures.pool.made))}, and made ${figures.pool.made.toLocaleString("en-US")}`;
  return `sessions, pool ${pool ? "on" : "off"}: ${figures.requests.toLocaleString("en-US")} requests in ${formatMs(figures.elapsedMs)}, ${formatNumber(figures.requests / seconds)} a second
  ${reuse}
  ${figures.collections} garbage collections, ${formatBytes(figures.grownBytes / seconds)} allocated a second
  felt latency  P50 ${formatMs(latencyMs(50))}   P99 ${formatMs(latencyMs(99))}   P99.9 ${formatMs(latencyMs(99.9))}   max ${formatMs(latencyMs(100))}
`;
}

await runWorkload(async () => {
  const options = parseSessions(words);
  const latency = createHistogram();
  const latencyMs = (percentile: number): number => latency.percentile(percentile) / 1000;
  const run = new SessionsRun(options, latency);
  process.once("SIGINT", () => run.stop()).once("SIGTERM", () => run.stop());
  const fromNs = process.hrtime.bigint();
  const figures = await run.run();
  const load = { fromNs, toNs: process.hrtime.bigint() };
  const seconds = figures.elapsedMs / 1000;
  const lower = (metric: string, unit: string, value: number) => ({ metric, unit, better: "lower" as const, value });
  const metrics: readonly Metric[] = [
    { metric: "throughput", unit: "1/s", better: "higher", value: figures.requests / seconds },
    lower("latency.p50", "ms", latencyMs(50)),
    lower("latency.p99", "ms", latencyMs(99)),
    lower("latency.p999", "ms", latencyMs(99.9)),
    lower("latency.p9999", "ms", latencyMs(99.99)),
    lower("heap.growth", "bytes/s", figures.grownBytes / seconds),
  ];
  const measured = workloadJson("sessions", { ...options }, metrics, load);
  writeWorkloadFile(measured);
  process.stdout.write(json === true ? measured : describe(options, figures, latencyMs));
  // What was due when it was stopped is not held against it.
  if (figures.isStopped || (figures.untaken === 0 && figures.behindMs <= HELD_WITHIN_MS)) return undefined;
  return `It did not hold ${formatNumber(options.requestsPerSecond)} requests a second: ${figures.untaken.toLocaleString("en-US")} were not taken, and it was ${formatMs(figures.behindMs)} late at the end.`;
});
